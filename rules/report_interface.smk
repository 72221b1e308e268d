"""Figures of the interface datasets."""


rule plot_interface:
    input:
        features=features_of,
        histories=histories_of,
        reference="<results>/datasets/{dataset}/features.parquet",
        train="<results>/datasets/{dataset}/train.extxyz",
        card="<results>/datasets/{dataset}/card.json",
        generated=pictured_of,
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
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        version=VERSIONS["report"],
        runs=models_of_runs,
        trained=models_of_trained,
        pictured=models_of_pictured,
        models=list(CONFIG.models),
    script:
        "../workflow/scripts/plot_interface.py"
