"""Figures of amorphous silicon."""


rule plot_amorphous_si:
    input:
        features=features_of,
        histories=histories_of,
        reference="<results>/datasets/{dataset}/features.parquet",
        train="<results>/datasets/{dataset}/train.extxyz",
        generated=pictured_of,
    output:
        rdf=report(
            "<results>/figures/{dataset}/rdf.svg",
            caption="../docs/report/rdf.rst",
            category="2 Disorder",
            labels={"dataset": "{dataset}", "figure": "g(r) and bond angles"},
        ),
        factor=report(
            "<results>/figures/{dataset}/factor.svg",
            caption="../docs/report/factor.rst",
            category="2 Disorder",
            labels={"dataset": "{dataset}", "figure": "S(q) and dihedral angles"},
        ),
        rings=report(
            "<results>/figures/{dataset}/rings.svg",
            caption="../docs/report/rings.rst",
            category="2 Disorder",
            labels={"dataset": "{dataset}", "figure": "rings and neighbours"},
        ),
        motifs=report(
            "<results>/figures/{dataset}/motifs.svg",
            caption="../docs/report/motifs.rst",
            category="2 Disorder",
            labels={"dataset": "{dataset}", "figure": "coordination motifs"},
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
        "<logs>/plot_amorphous_si/{dataset}.log",
    benchmark:
        "<benchmarks>/plot_amorphous_si/{dataset}.tsv"
    wildcard_constraints:
        dataset=alternatives(of_kind("amorphous_si")),
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
        "../workflow/scripts/plot_amorphous_si.py"
