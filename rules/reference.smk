"""Reference sets small enough to ship with the package: `make reference`."""


rule pack_alloy_reference:
    input:
        card="<results>/datasets/{dataset}/card.json",
        train="<results>/datasets/{dataset}/train.extxyz",
        val="<results>/datasets/{dataset}/val.extxyz",
    output:
        reference="<results>/reference/{dataset}.parquet",
    log:
        "<logs>/pack_alloy_reference/{dataset}.log",
    benchmark:
        "<benchmarks>/pack_alloy_reference/{dataset}.tsv"
    wildcard_constraints:
        dataset=alternatives(of_kind("alloy")),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        version=VERSIONS["build_dataset"],
    script:
        "../workflow/scripts/pack_alloy_reference.py"


rule pack_relaxed_reference:
    input:
        card="<results>/datasets/{dataset}/card.json",
        train="<results>/datasets/{dataset}/features.parquet",
        val="<results>/datasets/{dataset}/features_val.parquet",
        potential=potential_file_of,
    output:
        reference="<results>/reference/{dataset}.parquet",
    log:
        "<logs>/pack_relaxed_reference/{dataset}.log",
    benchmark:
        "<benchmarks>/pack_relaxed_reference/{dataset}.tsv"
    wildcard_constraints:
        dataset=alternatives(RELAXED),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        version=VERSIONS["build_dataset"],
        potential=potential_of,
    script:
        "../workflow/scripts/pack_relaxed_reference.py"


rule pack_crystals_reference:
    input:
        card="<results>/datasets/{dataset}/card.json",
        train="<results>/datasets/{dataset}/features.parquet",
        val="<results>/datasets/{dataset}/features_val.parquet",
    output:
        reference="<results>/reference/{dataset}.parquet",
    log:
        "<logs>/pack_crystals_reference/{dataset}.log",
    benchmark:
        "<benchmarks>/pack_crystals_reference/{dataset}.tsv"
    wildcard_constraints:
        dataset=alternatives(of_kind("crystals")),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        version=VERSIONS["build_crystals"],
    script:
        "../workflow/scripts/pack_crystals_reference.py"
