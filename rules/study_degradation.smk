"""Degradation study: held-out structures made worse in known ways, and what each metric sees.

Needs a built dataset. Not part of `all`: ask for `study_degradation`.
"""


rule study_degradation:
    input:
        collect("<results>/figures/{dataset}/degradation.svg", dataset=DATASETS),
    localrule: True


rule degrade_structures:
    input:
        train="<results>/datasets/{dataset}/train.extxyz",
        val="<results>/datasets/{dataset}/val.extxyz",
        card="<results>/datasets/{dataset}/card.json",
        ecis=ECIS,
    output:
        table="<results>/tables/degradation/{dataset}.parquet",
        sensitivity="<results>/tables/degradation/{dataset}_sensitivity.csv",
        figure=report(
            "<results>/figures/{dataset}/degradation.svg",
            caption="../docs/report/degradation.rst",
            category="6 Degradation",
            labels={"dataset": "{dataset}", "figure": "what each metric sees"},
        ),
    log:
        "<logs>/degrade_structures/{dataset}.log",
    benchmark:
        "<benchmarks>/degrade_structures/{dataset}.tsv"
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        version=VERSIONS["degrade"],
        seed=config["seed"],
    script:
        "../workflow/scripts/degrade_structures.py"
