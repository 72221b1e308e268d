"""Brass: training set, validation set, card."""


rule build_brass:
    output:
        train="<results>/datasets/{dataset}/train.extxyz",
        val="<results>/datasets/{dataset}/val.extxyz",
        card="<results>/datasets/{dataset}/card.json",
        features="<results>/datasets/{dataset}/features.parquet",
        held_out="<results>/datasets/{dataset}/features_val.parquet",
    log:
        "<logs>/build_brass/{dataset}.log",
    wildcard_constraints:
        dataset=alternatives(made_here("brass")),
    params:
        seed=config["seed"],
        settings=lookup(dpath="datasets/{dataset}", within=config),
    script:
        "build.py"


rule plot_brass:
    input:
        features=features_of,
        histories=histories_of,
        reference="<results>/datasets/{dataset}/features.parquet",
        train="<results>/datasets/{dataset}/train.extxyz",
        card="<results>/datasets/{dataset}/card.json",
        generated=pictured_of,
    output:
        order="<results>/figures/{dataset}/order.svg",
        structures="<results>/figures/{dataset}/structures.svg",
        training="<results>/figures/{dataset}/training.svg",
    log:
        "<logs>/plot_brass/{dataset}.log",
    wildcard_constraints:
        dataset=alternatives(of_kind("brass")),
    params:
        runs=models_of_runs,
        trained=models_of_trained,
        pictured=models_of_pictured,
        models=list(CONFIG.models),
    script:
        str(SOURCE / "workflow" / "scripts" / "plot_figures.py")
