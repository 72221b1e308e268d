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
        dataset=alternatives(of_kind("brass")),
    params:
        seed=config["seed"],
        settings=lookup(dpath="datasets/{dataset}", within=config),
    script:
        "build.py"
