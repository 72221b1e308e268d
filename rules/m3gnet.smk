"""M3GNet: trained on the labels of this run, its errors beside the published ones, figures."""


rule train_m3gnet:
    input:
        labels="<results>/labels/interface/labels.extxyz",
    output:
        model="<results>/potentials/m3gnet/model.safetensors",
        hparams="<results>/potentials/m3gnet/hparams.yaml",
        history="<results>/potentials/m3gnet/history.csv",
        errors="<results>/potentials/m3gnet/errors.parquet",
        predictions="<results>/potentials/m3gnet/predictions.parquet",
    log:
        "<logs>/train_m3gnet.log",
    benchmark:
        "<benchmarks>/train_m3gnet.tsv"
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 16000 * attempt,
        runtime=lambda wildcards, attempt: 1440 * attempt,
    params:
        version=VERSIONS["train_m3gnet"],
        settings=config["m3gnet"],
        seed=config["seed"],
    script:
        "../workflow/scripts/train_m3gnet.py"


rule plot_m3gnet:
    input:
        history="<results>/potentials/m3gnet/history.csv",
        errors="<results>/potentials/m3gnet/errors.parquet",
        predictions="<results>/potentials/m3gnet/predictions.parquet",
    output:
        parity=report(
            "<results>/figures/potentials/m3gnet_parity.svg",
            caption="../docs/report/m3gnet.rst",
            category="5 Potential",
        ),
        learning=report(
            "<results>/figures/potentials/m3gnet_learning.svg",
            caption="../docs/report/m3gnet.rst",
            category="5 Potential",
        ),
        errors="<results>/tables/m3gnet_errors.csv",
    log:
        "<logs>/plot_m3gnet.log",
    benchmark:
        "<benchmarks>/plot_m3gnet.tsv"
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        version=VERSIONS["report"],
    script:
        "../workflow/scripts/plot_m3gnet.py"
