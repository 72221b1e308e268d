"""The ablations (Dismai-Bench paper, 2.2, 2.6, 4.2): switches of the models, sampling steps.

Their variants are models of the configuration, their runs `studies.ablation`. Not part of `all`:
ask for `study_ablation`.
"""


rule study_ablation:
    input:
        tables=collect(
            "<results>/tables/studies/{dataset}/ablation.parquet",
            dataset=datasets_of_study("ablation"),
        ),
        config="<results>/config.yaml",
    localrule: True


rule tabulate_ablation:
    input:
        raw=of_study(
            "ablation", "<results>/generated/{dataset}/{model}/seed{seed}/raw.extxyz"
        ),
        features=of_study(
            "ablation",
            "<results>/generated/{dataset}/{model}/seed{seed}/features.parquet",
        ),
        unrelaxed=of_study(
            "ablation",
            "<results>/generated/{dataset}/{model}/seed{seed}/unrelaxed.parquet",
        ),
        metrics=of_study(
            "ablation", "<results>/metrics/{dataset}/{model}/seed{seed}.parquet"
        ),
        hparams=hparams_of_study("ablation"),
        training="<results>/datasets/{dataset}/features.parquet",
        card="<results>/datasets/{dataset}/card.json",
        published=located("resources/published.csv"),
    output:
        table="<results>/tables/studies/{dataset}/ablation.parquet",
        csv="<results>/tables/studies/{dataset}/ablation.csv",
        statements="<results>/tables/studies/{dataset}/ablation_statements.csv",
        markdown="<results>/tables/studies/{dataset}/ablation.md",
        page=report(
            "<results>/tables/studies/{dataset}/ablation.html",
            caption="../docs/report/ablation.rst",
            category="8 Studies",
            labels={"dataset": "{dataset}", "figure": "Ablations: table"},
        ),
        switches=report(
            "<results>/figures/studies/{dataset}/ablation_switches.svg",
            caption="../docs/report/ablation_switches.rst",
            category="8 Studies",
            labels={"dataset": "{dataset}", "figure": "Ablations: switches"},
        ),
        steps=report(
            "<results>/figures/studies/{dataset}/ablation_steps.svg",
            caption="../docs/report/ablation_steps.rst",
            category="8 Studies",
            labels={"dataset": "{dataset}", "figure": "Ablations: sampling steps"},
        ),
        relaxation=report(
            "<results>/figures/studies/{dataset}/ablation_relaxation.svg",
            caption="../docs/report/ablation_relaxation.rst",
            category="8 Studies",
            labels={"dataset": "{dataset}", "figure": "Ablations: relaxation"},
        ),
        structures=report(
            "<results>/figures/studies/{dataset}/ablation_structures.svg",
            caption="../docs/report/ablation_structures.rst",
            category="8 Studies",
            labels={"dataset": "{dataset}", "figure": "Ablations: structures"},
        ),
    log:
        "<logs>/tabulate_ablation/{dataset}.log",
    benchmark:
        "<benchmarks>/tabulate_ablation/{dataset}.tsv"
    wildcard_constraints:
        dataset=alternatives(datasets_of_study("ablation")),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=60,
    params:
        version=VERSIONS["study"],
        runs=drawn_runs("ablation"),
    script:
        "../workflow/scripts/tabulate_ablation.py"
