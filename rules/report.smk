"""Report: tables beside the published numbers, figures, ranking, what was run."""


rule write_table:
    input:
        metrics=metrics_of_table,
        unrelaxed=unrelaxed_of_table,
        published=located("resources/published.csv"),
        cards=cards_of_table,
    output:
        table="<results>/tables/{table}.parquet",
        csv="<results>/tables/{table}.csv",
        markdown="<results>/tables/{table}.md",
        page=report(
            "<results>/tables/{table}.html",
            caption="../docs/report/table.rst",
            category="1 Tables",
            labels={"table": "{table}"},
        ),
    log:
        "<logs>/write_table/{table}.log",
    benchmark:
        "<benchmarks>/write_table/{table}.tsv"
    wildcard_constraints:
        table="|".join(KIND_OF_TABLE),
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
        "../workflow/scripts/write_table.py"


rule plot_datasets:
    input:
        cards=collect("<results>/datasets/{dataset}/card.json", dataset=DATASETS),
        train=collect("<results>/datasets/{dataset}/train.extxyz", dataset=DATASETS),
    output:
        figure=report(
            "<results>/figures/datasets.svg",
            caption="../docs/report/datasets.rst",
            category="1 Tables",
            labels={"table": "Datasets, a structure of each"},
        ),
    log:
        "<logs>/plot_datasets.log",
    benchmark:
        "<benchmarks>/plot_datasets.tsv"
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        version=VERSIONS["report"],
    script:
        "../workflow/scripts/plot_datasets.py"


rule rank_models:
    input:
        metrics=metrics_of_all,
        features=features_of_all,
        training=collect(
            "<results>/datasets/{dataset}/features.parquet", dataset=DATASETS
        ),
        cards=collect("<results>/datasets/{dataset}/card.json", dataset=DATASETS),
    output:
        table="<results>/tables/ranking.parquet",
        csv="<results>/tables/ranking.csv",
        markdown="<results>/tables/ranking.md",
        page=report(
            "<results>/tables/ranking.html",
            caption="../docs/report/ranking.rst",
            category="1 Tables",
            labels={"table": "Ranking"},
        ),
        spider=report(
            "<results>/figures/ranking.svg",
            caption="../docs/report/spider.rst",
            category="1 Tables",
            labels={"table": "Ranking, spider chart"},
        ),
    log:
        "<logs>/rank_models.log",
    benchmark:
        "<benchmarks>/rank_models.tsv"
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        version=VERSIONS["rank"],
        run=config["run"],
    script:
        "../workflow/scripts/rank_models.py"


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
