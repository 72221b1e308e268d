"""Minima of the potential continued under the engine of `dft`: sets with an `engine_stage`.

The random interfaces of such a set, and what models of a study generate. Scattered over jobs of a
few structures each; finished ones outlive a killed job. Under VASP rules of their own, as for
labels (dft.smk).
"""


rule continue_interfaces:
    input:
        structures=relaxed_shards_of,
        tables=tables_of_relaxed_shards,
    output:
        structures=temp("<results>/datasets/{dataset}/engine/{scatteritem}.extxyz"),
        table=temp("<results>/datasets/{dataset}/engine/{scatteritem}.parquet"),
    log:
        "<logs>/continue_interfaces/{dataset}/{scatteritem}.log",
    benchmark:
        "<benchmarks>/continue_interfaces/{dataset}/{scatteritem}.tsv"
    wildcard_constraints:
        dataset=alternatives(CONTINUED if ENGINE_IN_PYTHON else []),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 1440 * attempt,
    params:
        version=VERSIONS["continue"],
        dft=dft_of_stage,
        n_structures=lookup(dpath="datasets/{dataset}/n_random", within=config),
    script:
        "../workflow/scripts/continue_interfaces.py"


use rule continue_interfaces as continue_interfaces_vasp with:
    log:
        "<logs>/continue_interfaces_vasp/{dataset}/{scatteritem}.log",
    benchmark:
        "<benchmarks>/continue_interfaces_vasp/{dataset}/{scatteritem}.tsv"
    wildcard_constraints:
        dataset=alternatives([] if ENGINE_IN_PYTHON else CONTINUED),
    resources:
        mem_mb=lambda wildcards, attempt: 32000 * attempt,
        runtime=lambda wildcards, attempt: 1440 * attempt,


rule gather_interfaces:
    input:
        structures=relaxed_shards_of,
        tables=tables_of_relaxed_shards,
        continued=continued_of,
        continued_tables=tables_of_continued,
    output:
        structures="<results>/datasets/{dataset}/tried.extxyz",
        table="<results>/datasets/{dataset}/tried.parquet",
    log:
        "<logs>/gather_interfaces/{dataset}.log",
    benchmark:
        "<benchmarks>/gather_interfaces/{dataset}.tsv"
    wildcard_constraints:
        dataset=alternatives(CONTINUED),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        version=VERSIONS["continue"],
    script:
        "../workflow/scripts/gather_interfaces.py"


use rule continue_interfaces as continue_generated with:
    input:
        structures=["<results>/generated/{dataset}/{model}/seed{seed}/relaxed.extxyz"],
        tables=["<results>/generated/{dataset}/{model}/seed{seed}/features.parquet"],
    output:
        structures=temp(
            "<results>/generated/{dataset}/{model}/seed{seed}/engine/{scatteritem}.extxyz"
        ),
        table=temp(
            "<results>/generated/{dataset}/{model}/seed{seed}/engine/{scatteritem}.parquet"
        ),
    log:
        "<logs>/continue_generated/{dataset}/{model}/seed{seed}/{scatteritem}.log",
    benchmark:
        "<benchmarks>/continue_generated/{dataset}/{model}/seed{seed}/{scatteritem}.tsv"
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 1440 * attempt,
    params:
        version=VERSIONS["continue"],
        dft=dft_of_stage,
        n_structures=n_generated_of,


use rule continue_generated as continue_generated_vasp with:
    log:
        "<logs>/continue_generated_vasp/{dataset}/{model}/seed{seed}/{scatteritem}.log",
    benchmark:
        "<benchmarks>/continue_generated_vasp/{dataset}/{model}/seed{seed}/{scatteritem}.tsv"
    wildcard_constraints:
        dataset=alternatives([] if ENGINE_IN_PYTHON else CONTINUED),
    resources:
        mem_mb=lambda wildcards, attempt: 32000 * attempt,
        runtime=lambda wildcards, attempt: 1440 * attempt,


use rule gather_interfaces as gather_generated with:
    input:
        structures=["<results>/generated/{dataset}/{model}/seed{seed}/relaxed.extxyz"],
        tables=["<results>/generated/{dataset}/{model}/seed{seed}/features.parquet"],
        continued=continued_of_generated,
        continued_tables=tables_of_continued_generated,
    output:
        structures="<results>/generated/{dataset}/{model}/seed{seed}/engine.extxyz",
        table="<results>/generated/{dataset}/{model}/seed{seed}/engine.parquet",
    log:
        "<logs>/gather_generated/{dataset}/{model}/seed{seed}.log",
    benchmark:
        "<benchmarks>/gather_generated/{dataset}/{model}/seed{seed}.tsv"
    resources:
        mem_mb=4000,
        runtime=30,
