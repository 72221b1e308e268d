"""The study of CryinGAN (Dismai-Bench paper, 2.4): lambda, poolings, critics, length of training.

Its variants are models of the configuration, its runs `studies.gan`. Not part of `all`: ask for
`study_gan`.
"""


rule study_gan:
    input:
        tables=collect(
            "<results>/tables/studies/{dataset}/gan.parquet",
            dataset=datasets_of_study("gan"),
        ),
        config="<results>/config.yaml",
    localrule: True


rule tabulate_gan:
    input:
        raw=of_study(
            "gan", "<results>/generated/{dataset}/{model}/seed{seed}/raw.extxyz"
        ),
        fates=of_study(
            "gan", "<results>/generated/{dataset}/{model}/seed{seed}/fates.parquet"
        ),
        features=of_study(
            "gan", "<results>/generated/{dataset}/{model}/seed{seed}/features.parquet"
        ),
        metrics=of_study(
            "gan", "<results>/metrics/{dataset}/{model}/seed{seed}.parquet"
        ),
        hparams=of_study(
            "gan", "<results>/models/{dataset}/{model}/seed{seed}/hparams.yaml"
        ),
        histories=of_study(
            "gan", "<results>/models/{dataset}/{model}/seed{seed}/history.csv"
        ),
        card="<results>/datasets/{dataset}/card.json",
        published=located("resources/published.csv"),
    output:
        table="<results>/tables/studies/{dataset}/gan.parquet",
        csv="<results>/tables/studies/{dataset}/gan.csv",
        statements="<results>/tables/studies/{dataset}/gan_statements.csv",
        markdown="<results>/tables/studies/{dataset}/gan.md",
        page=report(
            "<results>/tables/studies/{dataset}/gan.html",
            caption="../docs/report/gan.rst",
            category="8 Studies",
            labels={"dataset": "{dataset}", "figure": "CryinGAN: table"},
        ),
        energies=report(
            "<results>/figures/studies/{dataset}/gan_energies.svg",
            caption="../docs/report/gan_energies.rst",
            category="8 Studies",
            labels={"dataset": "{dataset}", "figure": "CryinGAN: energies"},
        ),
        weight=report(
            "<results>/figures/studies/{dataset}/gan_lambda.svg",
            caption="../docs/report/gan_lambda.rst",
            category="8 Studies",
            labels={"dataset": "{dataset}", "figure": "CryinGAN: lambda"},
        ),
        training=report(
            "<results>/figures/studies/{dataset}/gan_training.svg",
            caption="../docs/report/gan_training.rst",
            category="8 Studies",
            labels={"dataset": "{dataset}", "figure": "CryinGAN: training"},
        ),
        critics=report(
            "<results>/figures/studies/{dataset}/gan_critics.svg",
            caption="../docs/report/gan_critics.rst",
            category="8 Studies",
            labels={"dataset": "{dataset}", "figure": "CryinGAN: critics"},
        ),
        losses=report(
            "<results>/figures/studies/{dataset}/gan_losses.svg",
            caption="../docs/report/gan_losses.rst",
            category="8 Studies",
            labels={"dataset": "{dataset}", "figure": "CryinGAN: losses"},
        ),
    log:
        "<logs>/tabulate_gan/{dataset}.log",
    benchmark:
        "<benchmarks>/tabulate_gan/{dataset}.tsv"
    wildcard_constraints:
        dataset=alternatives(datasets_of_study("gan")),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=60,
    params:
        version=VERSIONS["study"],
        runs=described_runs("gan"),
    script:
        "../workflow/scripts/tabulate_gan.py"
