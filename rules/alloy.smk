"""Alloys: cluster expansion -> Monte Carlo snapshots -> training set, validation set, card.

Needs the ECIs of the configuration, or alloys with energies that they are fitted to. Narrow and wide sets of one temperature share snapshots.
"""


rule fit_expansion:
    input:
        labels=labels_of_expansion,
    output:
        ecis="<results>/cluster_expansion/eci.yaml",
        validation="<results>/cluster_expansion/validation.csv",
        order="<results>/cluster_expansion/order_energies.csv",
        figure=report(
            "<results>/figures/cluster_expansion/fit.svg",
            caption="../docs/report/expansion_fit.rst",
            category="7 Potentials",
            labels={"potential": "cluster expansion", "figure": "fit"},
        ),
    log:
        "<logs>/fit_expansion.log",
    benchmark:
        "<benchmarks>/fit_expansion.tsv"
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        version=VERSIONS["fit_expansion"],
        settings=config["alloy"]["fit"],
    script:
        "../workflow/scripts/fit_expansion.py"


rule write_icet_expansion:
    input:
        ecis=ECIS,
    output:
        expansion="<results>/datasets/alloy_expansion.ce",
    log:
        "<logs>/write_icet_expansion.log",
    benchmark:
        "<benchmarks>/write_icet_expansion.tsv"
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        version=VERSIONS["sample_alloy"],
    script:
        "../workflow/scripts/write_icet_expansion.py"


rule sample_alloy:
    input:
        ecis=ECIS,
    output:
        snapshots="<results>/datasets/snapshots_{temperature}K.npz",
    log:
        "<logs>/sample_alloy/{temperature}K.log",
    benchmark:
        "<benchmarks>/sample_alloy/{temperature}K.tsv"
    conda:
        "../envs/main.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        version=VERSIONS["sample_alloy"],
        seed=config["seed"],
        settings=config["alloy"],
    script:
        "../workflow/scripts/sample_alloy.py"


rule build_alloy_dataset:
    input:
        ecis=ECIS,
        snapshots=snapshots_of,
    output:
        train="<results>/datasets/{dataset}/train.extxyz",
        val="<results>/datasets/{dataset}/val.extxyz",
        card="<results>/datasets/{dataset}/card.json",
        features="<results>/datasets/{dataset}/features.parquet",
        held_out="<results>/datasets/{dataset}/features_val.parquet",
    log:
        "<logs>/build_alloy_dataset/{dataset}.log",
    benchmark:
        "<benchmarks>/build_alloy_dataset/{dataset}.tsv"
    wildcard_constraints:
        dataset=alternatives(made_here("alloy")),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        version=VERSIONS["build_dataset"],
        seed=config["seed"],
        sampling=config["alloy"],
        settings=lookup(dpath="datasets/{dataset}", within=config),
    script:
        "../workflow/scripts/build_alloy_dataset.py"


rule plot_alloy:
    input:
        features=features_of,
        histories=histories_of,
        reference="<results>/datasets/{dataset}/features.parquet",
        train="<results>/datasets/{dataset}/train.extxyz",
        card="<results>/datasets/{dataset}/card.json",
        generated=pictured_of,
    output:
        sro=report(
            "<results>/figures/{dataset}/sro.svg",
            caption="../docs/report/sro.rst",
            category="2 Disorder",
            labels={"dataset": "{dataset}", "figure": "short-range order"},
        ),
        energy=report(
            "<results>/figures/{dataset}/energy.svg",
            caption="../docs/report/energy.rst",
            category="3 Energy",
            labels={"dataset": "{dataset}", "figure": "energies"},
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
        "<logs>/plot_alloy/{dataset}.log",
    benchmark:
        "<benchmarks>/plot_alloy/{dataset}.tsv"
    wildcard_constraints:
        dataset=alternatives(of_kind("alloy")),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        version=VERSIONS["report"],
        runs=models_of_runs,
        trained=models_of_trained,
        pictured=models_of_pictured,
        models=MODELS,
    script:
        "../workflow/scripts/plot_figures.py"
