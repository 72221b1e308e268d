"""M3GNet: trained on labels of the engine, its errors beside the published ones, figures."""


rule train_m3gnet:
    input:
        labels=labels_of,
        published=located("resources/published.csv"),
    output:
        model="<results>/potentials/{potential}/model.safetensors",
        hparams="<results>/potentials/{potential}/hparams.yaml",
        history="<results>/potentials/{potential}/history.csv",
        errors="<results>/potentials/{potential}/errors.parquet",
        predictions="<results>/potentials/{potential}/predictions.parquet",
    log:
        "<logs>/train_m3gnet/{potential}.log",
    benchmark:
        "<benchmarks>/train_m3gnet/{potential}.tsv"
    wildcard_constraints:
        potential=alternatives(M3GNETS),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 16000 * attempt,
        runtime=lambda wildcards, attempt: 1440 * attempt,
    params:
        version=VERSIONS["train_m3gnet"],
        settings=lookup(dpath="potentials/{potential}/train", within=config),
        seed=config["seed"],
    script:
        "../workflow/scripts/train_m3gnet.py"


rule scan_m3gnet:
    input:
        table="<results>/tables/m3gnet_scan.csv",
    localrule: True


rule tabulate_m3gnets:
    input:
        errors=collect(
            "<results>/potentials/{potential}/errors.parquet", potential=M3GNETS
        ),
    output:
        table="<results>/tables/m3gnet_scan.csv",
    log:
        "<logs>/tabulate_m3gnets.log",
    benchmark:
        "<benchmarks>/tabulate_m3gnets.tsv"
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        version=VERSIONS["report"],
        trainings={name: config["potentials"][name]["train"] for name in M3GNETS},
    script:
        "../workflow/scripts/tabulate_m3gnets.py"


rule plot_m3gnet:
    input:
        history="<results>/potentials/{potential}/history.csv",
        errors="<results>/potentials/{potential}/errors.parquet",
        predictions="<results>/potentials/{potential}/predictions.parquet",
    output:
        parity=report(
            "<results>/figures/potentials/{potential}/parity.svg",
            caption="../docs/report/parity.rst",
            category="7 Potentials",
            labels={"potential": "{potential}", "figure": "parity"},
        ),
        learning=report(
            "<results>/figures/potentials/{potential}/training.svg",
            caption="../docs/report/m3gnet_losses.rst",
            category="7 Potentials",
            labels={"potential": "{potential}", "figure": "losses"},
        ),
        errors="<results>/potentials/{potential}/errors.csv",
    log:
        "<logs>/plot_m3gnet/{potential}.log",
    benchmark:
        "<benchmarks>/plot_m3gnet/{potential}.tsv"
    wildcard_constraints:
        potential=alternatives(M3GNETS),
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
