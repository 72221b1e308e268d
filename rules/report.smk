"""Report: tables beside the published numbers, figures, ranking, what was run."""


rule write_tables:
    input:
        metrics=metrics_of_all,
        published=shipped("resources/published.csv"),
        cards=collect("<results>/datasets/{dataset}/card.json", dataset=DATASETS),
    output:
        table="<results>/tables/alloys.parquet",
        csv="<results>/tables/alloys.csv",
        markdown="<results>/tables/alloys.md",
        ranking="<results>/tables/ranking.parquet",
        ranking_csv="<results>/tables/ranking.csv",
        ranking_markdown="<results>/tables/ranking.md",
        page=report(
            "<results>/tables/alloys.html",
            caption="../docs/report/table.rst",
            category="1 Tables",
            labels={"table": "Alloys (Table 3)"},
        ),
        ranking_page=report(
            "<results>/tables/ranking.html",
            caption="../docs/report/ranking.rst",
            category="1 Tables",
            labels={"table": "Ranking"},
        ),
    log:
        "<logs>/write_tables.log",
    benchmark:
        "<benchmarks>/write_tables.tsv"
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        version=VERSIONS["report"],
        run=config["run"],
    script:
        "../workflow/scripts/write_tables.py"


rule plot_alloy:
    input:
        features=features_of,
        histories=histories_of,
        reference="<results>/datasets/{dataset}/features.parquet",
        train="<results>/datasets/{dataset}/train.extxyz",
        generated=pictured_of,
    output:
        sro=report(
            "<results>/figures/{dataset}/sro.svg",
            caption="../docs/report/sro.rst",
            category="2 Short-range order",
            labels={"dataset": "{dataset}"},
        ),
        energy=report(
            "<results>/figures/{dataset}/energy.svg",
            caption="../docs/report/energy.rst",
            category="3 Energy",
            labels={"dataset": "{dataset}"},
        ),
        structures=report(
            "<results>/figures/{dataset}/structures.svg",
            caption="../docs/report/structures.rst",
            category="4 Structures",
            labels={"dataset": "{dataset}"},
        ),
        training=report(
            "<results>/figures/{dataset}/training.svg",
            caption="../docs/report/training.rst",
            category="5 Training",
            labels={"dataset": "{dataset}"},
        ),
    log:
        "<logs>/plot_alloy/{dataset}.log",
    benchmark:
        "<benchmarks>/plot_alloy/{dataset}.tsv"
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        version=VERSIONS["report"],
        runs=names_of_runs,
        trained=names_of_trained,
    script:
        "../workflow/scripts/plot_alloy.py"


rule record_run:
    output:
        config="<results>/config.yaml",
        environment="<results>/environment.txt",
    log:
        "<logs>/record_run.log",
    benchmark:
        "<benchmarks>/record_run.tsv"
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        config=config,
    script:
        "../workflow/scripts/record_run.py"
