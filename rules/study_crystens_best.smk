"""The best generated crystals under the engine of dft: the CrysTens paper's section 6."""


rule select_best:
    input:
        tables=lambda wildcards: all_of(
            "<results>/stability/{dataset}/{model}/seed{seed}.parquet",
            pictured_on(wildcards.dataset),
        ),
        clean=pictured_of,
    output:
        best="<results>/stability/{dataset}/best.extxyz",
    log:
        "<logs>/select_best/{dataset}.log",
    benchmark:
        "<benchmarks>/select_best/{dataset}.tsv"
    wildcard_constraints:
        dataset=alternatives(of_kind("crystals")),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        version=VERSIONS["best"],
        study=config["study_crystens"],
        sets=models_of_pictured,
    script:
        "../workflow/scripts/select_best.py"


rule relax_best:
    input:
        best="<results>/stability/{dataset}/best.extxyz",
    output:
        row=temp("<results>/stability/{dataset}/best/{place}.parquet"),
    log:
        "<logs>/relax_best/{dataset}/{place}.log",
    benchmark:
        "<benchmarks>/relax_best/{dataset}/{place}.tsv"
    wildcard_constraints:
        dataset=alternatives(of_kind("crystals") if ENGINE_IN_PYTHON else []),
        place=r"\d+",
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 480 * attempt,
    params:
        version=VERSIONS["best"],
        dft=config["dft"],
        study=config["study_crystens"],
    script:
        "../workflow/scripts/relax_best.py"


use rule relax_best as relax_best_vasp with:
    wildcard_constraints:
        dataset=alternatives([] if ENGINE_IN_PYTHON else of_kind("crystals")),
        place=r"\d+",
    resources:
        mem_mb=lambda wildcards, attempt: 32000 * attempt,
        runtime=lambda wildcards, attempt: 1440 * attempt,


rule table_best:
    input:
        rows=lambda wildcards: [
            f"<results>/stability/{{dataset}}/best/{place + 1}.parquet"
            for place in range(CONFIG.study_crystens.n_selected)
        ],
        best="<results>/stability/{dataset}/best.extxyz",
        published=located("resources/crystals/fig13.csv"),
    output:
        csv="<results>/tables/best_{dataset}.csv",
        page=report(
            "<results>/tables/best_{dataset}.html",
            caption="../docs/report/best.rst",
            category="1 Tables",
            labels={"table": "best crystals of {dataset}"},
        ),
        figure=report(
            "<results>/figures/{dataset}/best.svg",
            caption="../docs/report/best.rst",
            category="4 Pictures",
            labels={"dataset": "{dataset}", "figure": "best crystals"},
        ),
    log:
        "<logs>/table_best/{dataset}.log",
    benchmark:
        "<benchmarks>/table_best/{dataset}.tsv"
    wildcard_constraints:
        dataset=alternatives(of_kind("crystals")),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        version=(VERSIONS["best"], VERSIONS["report"]),
    script:
        "../workflow/scripts/table_best.py"
