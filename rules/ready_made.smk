"""Ready-made sets of any kind: fetched and checked -> relaxed for their energies -> described, card.

A dataset with a `source` is made here, and by no rule of its kind; the structures stay as they are.
"""


rule import_dataset:
    input:
        sources=local_sources_of,
        crystals=crystals_of_source,
        ecis=ecis_of,
    output:
        structures="<results>/datasets/{dataset}/ready_made.extxyz",
    log:
        "<logs>/import_dataset/{dataset}.log",
    benchmark:
        "<benchmarks>/import_dataset/{dataset}.tsv"
    wildcard_constraints:
        dataset=alternatives(READY_MADE),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        version=VERSIONS["import_dataset"],
        seed=config["seed"],
        settings=lookup(dpath="datasets/{dataset}", within=config),
        shared=shared_by,
    script:
        "../workflow/scripts/import_dataset.py"


use rule relax_training_blocks as relax_ready_made with:
    input:
        blocks="<results>/datasets/{dataset}/ready_made.extxyz",
        potential=potential_file_of,
    log:
        "<logs>/relax_ready_made/{dataset}/{scatteritem}.log",
    benchmark:
        "<benchmarks>/relax_ready_made/{dataset}/{scatteritem}.tsv"
    wildcard_constraints:
        dataset=alternatives(RELAXED_READY_MADE),
    resources:
        gpu=gpus_of_relaxation,
        mem_mb=lambda wildcards, attempt: 6000 * attempt,
        runtime=lambda wildcards, attempt: 1440 * attempt,


rule build_ready_made:
    input:
        structures="<results>/datasets/{dataset}/ready_made.extxyz",
        minima=minima_of,
        crystals=crystals_of_source,
        ecis=ecis_of,
    output:
        train="<results>/datasets/{dataset}/train.extxyz",
        val="<results>/datasets/{dataset}/val.extxyz",
        card="<results>/datasets/{dataset}/card.json",
        features="<results>/datasets/{dataset}/features.parquet",
        held_out="<results>/datasets/{dataset}/features_val.parquet",
    log:
        "<logs>/build_ready_made/{dataset}.log",
    benchmark:
        "<benchmarks>/build_ready_made/{dataset}.tsv"
    wildcard_constraints:
        dataset=alternatives(READY_MADE),
    conda:
        "../envs/main.yaml"
    threads: 4
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        version=(VERSIONS["build_dataset"], VERSIONS["import_dataset"]),
        settings=lookup(dpath="datasets/{dataset}", within=config),
        shared=shared_by,
        potential=potential_of,
        labelled_by=labelled_by,
        relaxation=relaxation_settings_of,
    script:
        "../workflow/scripts/build_ready_made.py"
