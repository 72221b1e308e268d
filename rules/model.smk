"""Models: train, generate; structures made elsewhere; baselines.

Every rule that makes `raw.extxyz` serves its own kind of model, told apart by name.
"""


rule train_model:
    input:
        train="<results>/datasets/{dataset}/train.extxyz",
        val="<results>/datasets/{dataset}/val.extxyz",
        card="<results>/datasets/{dataset}/card.json",
    output:
        model="<results>/models/{dataset}/{model}/seed{seed}/model.safetensors",
        hparams="<results>/models/{dataset}/{model}/seed{seed}/hparams.yaml",
        history="<results>/models/{dataset}/{model}/seed{seed}/history.csv",
    log:
        "<logs>/train_model/{dataset}/{model}/seed{seed}.log",
    benchmark:
        "<benchmarks>/train_model/{dataset}/{model}/seed{seed}.tsv"
    wildcard_constraints:
        model=alternatives(TRAINED),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 16000 * attempt,
        runtime=minutes_of_training,
    params:
        version=VERSIONS["train"],
        architecture=lookup(dpath="models/{model}/architecture", within=config),
        hparams=hparams_of,
        seed=config["seed"],
    script:
        "../workflow/scripts/train_model.py"


rule generate_structures:
    input:
        model="<results>/models/{dataset}/{model}/seed{seed}/model.safetensors",
        steps=chosen_steps_of,
        card=[],  # that of the dataset, where the model was trained on another
    output:
        structures="<results>/generated/{dataset}/{model}/seed{seed}/raw.extxyz",
    log:
        "<logs>/generate_structures/{dataset}/{model}/seed{seed}.log",
    benchmark:
        "<benchmarks>/generate_structures/{dataset}/{model}/seed{seed}.tsv"
    wildcard_constraints:
        model=alternatives(TRAINED),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=minutes_of_generation,
    params:
        version=VERSIONS["generate"],
        n_structures=n_generated_of,
        seed=config["seed"],
    script:
        "../workflow/scripts/generate_structures.py"


rule import_structures:
    input:
        structures=structures_file_of,
    output:
        structures="<results>/generated/{dataset}/{model}/seed{seed}/raw.extxyz",
    log:
        "<logs>/import_structures/{dataset}/{model}/seed{seed}.log",
    benchmark:
        "<benchmarks>/import_structures/{dataset}/{model}/seed{seed}.tsv"
    wildcard_constraints:
        model=alternatives(IMPORTED),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        version=VERSIONS["import"],
        n_structures=n_generated_of,
    script:
        "../workflow/scripts/import_structures.py"


rule train_by_command:
    input:
        train="<results>/datasets/{dataset}/train.extxyz",
        val="<results>/datasets/{dataset}/val.extxyz",
        card="<results>/datasets/{dataset}/card.json",
    output:
        model=directory("<results>/models/{dataset}/{model}/seed{seed}/command"),
    log:
        "<logs>/train_by_command/{dataset}/{model}/seed{seed}.log",
    benchmark:
        "<benchmarks>/train_by_command/{dataset}/{model}/seed{seed}.tsv"
    wildcard_constraints:
        model=alternatives(COMMANDED),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 16000 * attempt,
        runtime=lambda wildcards, attempt: 1440 * attempt,
    params:
        version=VERSIONS["train"],
        words=lookup(dpath="models/{model}/train", within=config),
        timeout_minutes=lookup(dpath="models/{model}/timeout_minutes", within=config),
        seed=config["seed"],
    script:
        "../workflow/scripts/train_by_command.py"


rule generate_by_command:
    input:
        model="<results>/models/{dataset}/{model}/seed{seed}/command",
        card="<results>/datasets/{dataset}/card.json",
    output:
        structures="<results>/generated/{dataset}/{model}/seed{seed}/raw.extxyz",
    log:
        "<logs>/generate_by_command/{dataset}/{model}/seed{seed}.log",
    benchmark:
        "<benchmarks>/generate_by_command/{dataset}/{model}/seed{seed}.tsv"
    wildcard_constraints:
        model=alternatives(COMMANDED),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        version=VERSIONS["generate"],
        words=lookup(dpath="models/{model}/generate", within=config),
        timeout_minutes=lookup(dpath="models/{model}/timeout_minutes", within=config),
        n_structures=n_generated_of,
        seed=config["seed"],
    script:
        "../workflow/scripts/generate_by_command.py"


rule make_baseline:
    input:
        train="<results>/datasets/{dataset}/train.extxyz",
        val="<results>/datasets/{dataset}/val.extxyz",
        card="<results>/datasets/{dataset}/card.json",
    output:
        structures="<results>/generated/{dataset}/{model}/seed{seed}/raw.extxyz",
    log:
        "<logs>/make_baseline/{dataset}/{model}/seed{seed}.log",
    benchmark:
        "<benchmarks>/make_baseline/{dataset}/{model}/seed{seed}.tsv"
    wildcard_constraints:
        model=alternatives([name for name in ALL_BASELINES if name not in WITH_RULES]),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        version=VERSIONS["baseline"],
        n_structures=n_generated_of,
        seed=config["seed"],
        settings=config["baselines"],
    script:
        "../workflow/scripts/make_baseline.py"


rule quench_baseline:
    input:
        card="<results>/datasets/{dataset}/card.json",
    output:
        structures="<results>/generated/{dataset}/melt_quench/seed{seed}/raw.extxyz",
    log:
        "<logs>/quench_baseline/{dataset}/seed{seed}.log",
    benchmark:
        "<benchmarks>/quench_baseline/{dataset}/seed{seed}.tsv"
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        version=(VERSIONS["baseline"], VERSIONS["melt_quench"]),
        n_structures=config["baselines"]["n_melt_quench"],
        seed=config["seed"],
        stages=config["baselines"]["melt_quench_stages"],
    script:
        "../workflow/scripts/quench_baseline.py"
