"""Crystals of any composition: files -> crystals, one fate each -> training set, card.

Reading is scattered over `shards` jobs: it takes 40 ms a CIF. No result depends on the number.
"""


rule read_crystals:
    input:
        source=lambda wildcards: located(CONFIG.datasets[wildcards.dataset].source),
    output:
        crystals=temp("<results>/datasets/{dataset}/read/{scatteritem}.extxyz"),
        fates=temp("<results>/datasets/{dataset}/read/{scatteritem}.parquet"),
    log:
        "<logs>/read_crystals/{dataset}/{scatteritem}.log",
    benchmark:
        "<benchmarks>/read_crystals/{dataset}/{scatteritem}.tsv"
    wildcard_constraints:
        dataset=alternatives(of_kind("crystals")),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        version=VERSIONS["read_crystals"],
        settings=lookup(dpath="datasets/{dataset}", within=config),
    script:
        "../workflow/scripts/read_crystals.py"


rule build_crystals_dataset:
    input:
        unpack(networks_of),
        crystals=gather.shard(
            "<results>/datasets/{{dataset}}/read/{scatteritem}.extxyz"
        ),
        fates=gather.shard("<results>/datasets/{{dataset}}/read/{scatteritem}.parquet"),
        leave_out=flags_of,
    output:
        train="<results>/datasets/{dataset}/train.extxyz",
        val="<results>/datasets/{dataset}/val.extxyz",
        card="<results>/datasets/{dataset}/card.json",
        features="<results>/datasets/{dataset}/features.parquet",
        held_out="<results>/datasets/{dataset}/features_val.parquet",
        fates="<results>/datasets/{dataset}/cif_fates.parquet",
    log:
        "<logs>/build_crystals_dataset/{dataset}.log",
    benchmark:
        "<benchmarks>/build_crystals_dataset/{dataset}.tsv"
    wildcard_constraints:
        dataset=alternatives(of_kind("crystals")),
    conda:
        "../envs/main.yaml"
    threads: 4
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        version=VERSIONS["build_crystals"],
        seed=config["seed"],
        settings=lookup(dpath="datasets/{dataset}", within=config),
    script:
        "../workflow/scripts/build_crystals_dataset.py"


use rule plot_alloy as plot_crystals with:
    output:
        lattice=report(
            "<results>/figures/{dataset}/lattice.svg",
            caption="../docs/report/lattice.rst",
            category="2 Disorder",
            labels={"dataset": "{dataset}", "figure": "cells"},
        ),
        species=report(
            "<results>/figures/{dataset}/species.svg",
            caption="../docs/report/species.rst",
            category="2 Disorder",
            labels={"dataset": "{dataset}", "figure": "elements and space groups"},
        ),
        properties=report(
            "<results>/figures/{dataset}/properties.svg",
            caption="../docs/report/properties.rst",
            category="3 Energy",
            labels={"dataset": "{dataset}", "figure": "predicted properties"},
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
        "<logs>/plot_crystals/{dataset}.log",
    benchmark:
        "<benchmarks>/plot_crystals/{dataset}.tsv"
    wildcard_constraints:
        dataset=alternatives(of_kind("crystals")),
    resources:
        mem_mb=4000,
        runtime=30,


rule train_property:
    input:
        structures=lambda wildcards: located(
            CONFIG.properties[wildcards.property].train.structures
        ),
    output:
        network="<results>/properties/{property}.safetensors",
        history="<results>/properties/{property}.csv",
    log:
        "<logs>/train_property/{property}.log",
    benchmark:
        "<benchmarks>/train_property/{property}.tsv"
    wildcard_constraints:
        property=alternatives(
            name for name, entry in CONFIG.properties.items() if entry.train
        ),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        version=VERSIONS["train_property"],
        training=lookup(dpath="properties/{property}/train", within=config),
        seed=config["seed"],
    script:
        "../workflow/scripts/train_property.py"
