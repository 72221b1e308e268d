"""Interfaces: random structures -> relaxed -> low ones -> training set, validation set, card.

Random interfaces are built from two crystals on a common in-plane cell; those of low interface
energy are kept.
"""


rule make_random_interfaces:
    input:
        crystals=crystals_of,
    output:
        structures="<results>/datasets/{dataset}/unrelaxed.extxyz",
    log:
        "<logs>/make_random_interfaces/{dataset}.log",
    benchmark:
        "<benchmarks>/make_random_interfaces/{dataset}.tsv"
    wildcard_constraints:
        dataset=alternatives(made_here("interface")),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        version=VERSIONS["random_interfaces"],
        seed=config["seed"],
        purpose="random_interfaces",
        n_structures=lookup(dpath="datasets/{dataset}/n_random", within=config),
        geometry=lookup(dpath="datasets/{dataset}/geometry", within=config),
    script:
        "../workflow/scripts/make_random_interfaces.py"


use rule relax_training_blocks as relax_interfaces with:
    input:
        blocks="<results>/datasets/{dataset}/unrelaxed.extxyz",
        potential=potential_file_of,
    log:
        "<logs>/relax_interfaces/{dataset}/{scatteritem}.log",
    benchmark:
        "<benchmarks>/relax_interfaces/{dataset}/{scatteritem}.tsv"
    wildcard_constraints:
        dataset=alternatives(made_here("interface")),
    resources:
        gpu=gpus_of_relaxation,
        mem_mb=lambda wildcards, attempt: 6000 * attempt,
        runtime=lambda wildcards, attempt: 2880 * attempt,


rule build_interface_dataset:
    input:
        relaxed=relaxed_interfaces_of,
        tables=tables_of_relaxed_interfaces,
        crystals=crystals_of,
    output:
        train="<results>/datasets/{dataset}/train.extxyz",
        val="<results>/datasets/{dataset}/val.extxyz",
        card="<results>/datasets/{dataset}/card.json",
        features="<results>/datasets/{dataset}/features.parquet",
        held_out="<results>/datasets/{dataset}/features_val.parquet",
    log:
        "<logs>/build_interface_dataset/{dataset}.log",
    benchmark:
        "<benchmarks>/build_interface_dataset/{dataset}.tsv"
    wildcard_constraints:
        dataset=alternatives(made_here("interface")),
    conda:
        "../envs/main.yaml"
    threads: 4
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        version=(VERSIONS["build_dataset"], VERSIONS["zero_of_energy"]),
        seed=config["seed"],
        settings=lookup(dpath="datasets/{dataset}", within=config),
        potential=potential_of,
        labelled_by=labelled_by,
        relaxation=relaxation_settings_of,
    script:
        "../workflow/scripts/build_interface_dataset.py"


rule random_interfaces_baseline:
    input:
        crystals=crystals_of,
    output:
        structures="<results>/generated/{dataset}/{model}/seed{seed}/raw.extxyz",
    log:
        "<logs>/random_interfaces_baseline/{dataset}/{model}/seed{seed}.log",
    benchmark:
        "<benchmarks>/random_interfaces_baseline/{dataset}/{model}/seed{seed}.tsv"
    wildcard_constraints:
        model=alternatives(KINDS["interface"].baselines_with_rules),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        version=(VERSIONS["baseline"], VERSIONS["random_interfaces"]),
        seed=config["seed"],
        purpose="random_interfaces_baseline",  # the same for both: with and without relaxation
        n_structures=n_generated_of,
        geometry=lookup(dpath="datasets/{dataset}/geometry", within=config),
    script:
        "../workflow/scripts/make_random_interfaces.py"


use rule plot_alloy as plot_interface with:
    input:
        features=features_of,
        histories=histories_of,
        reference="<results>/datasets/{dataset}/features.parquet",
        train="<results>/datasets/{dataset}/train.extxyz",
        card="<results>/datasets/{dataset}/card.json",
        generated=pictured_of,
        clean=cleaned_of,
        relaxed=relaxed_of,
    output:
        gamma=report(
            "<results>/figures/{dataset}/gamma.svg",
            caption="../docs/report/gamma.rst",
            category="3 Energy",
            labels={"dataset": "{dataset}", "figure": "interface energies"},
        ),
        motifs=report(
            "<results>/figures/{dataset}/motifs.svg",
            caption="../docs/report/motifs.rst",
            category="2 Disorder",
            labels={"dataset": "{dataset}", "figure": "coordination motifs"},
        ),
        ligands=report(
            "<results>/figures/{dataset}/ligands.svg",
            caption="../docs/report/ligands.rst",
            category="2 Disorder",
            labels={"dataset": "{dataset}", "figure": "motifs by neighbours"},
        ),
        profile=report(
            "<results>/figures/{dataset}/profile.svg",
            caption="../docs/report/profile.rst",
            category="2 Disorder",
            labels={"dataset": "{dataset}", "figure": "density profile"},
        ),
        structures=report(
            "<results>/figures/{dataset}/structures.svg",
            caption="../docs/report/structures.rst",
            category="4 Pictures",
            labels={"dataset": "{dataset}", "figure": "pictures"},
        ),
        training=report(
            "<results>/figures/{dataset}/training.svg",
            caption="../docs/report/training.rst",
            category="5 Training",
            labels={"dataset": "{dataset}", "figure": "losses"},
        ),
    log:
        "<logs>/plot_interface/{dataset}.log",
    benchmark:
        "<benchmarks>/plot_interface/{dataset}.tsv"
    wildcard_constraints:
        dataset=alternatives(of_kind("interface")),
    resources:
        mem_mb=4000,
        runtime=30,
