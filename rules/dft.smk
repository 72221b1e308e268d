"""Labels: random interfaces relaxed under the engine of `dft`, every k-th ionic step kept.

Needs the interface geometry. Scattered over `labels.shards` jobs, which profiles send to the
partition vasp whatever the engine; finished relaxations outlive a killed job.
"""


rule label_interfaces:
    output:
        labels=temp("<results>/labels/interface/shards/{scatteritem}.extxyz"),
        relaxations=temp("<results>/labels/interface/shards/{scatteritem}.parquet"),
    log:
        "<logs>/label_interfaces/{scatteritem}.log",
    benchmark:
        "<benchmarks>/label_interfaces/{scatteritem}.tsv"
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 1440 * attempt,
    params:
        version=VERSIONS["label"],
        dft=config["dft"],
        labels=config["labels"],
        geometry=config["interface"],
        seed=config["seed"],
    script:
        "../workflow/scripts/label_interfaces.py"


rule gather_labels:
    input:
        labels=gather.label("<results>/labels/interface/shards/{scatteritem}.extxyz"),
        relaxations=gather.label(
            "<results>/labels/interface/shards/{scatteritem}.parquet"
        ),
    output:
        labels="<results>/labels/interface/labels.extxyz",
        relaxations="<results>/labels/interface/relaxations.parquet",
    log:
        "<logs>/gather_labels.log",
    benchmark:
        "<benchmarks>/gather_labels.tsv"
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        version=VERSIONS["label"],
    script:
        "../workflow/scripts/gather_labels.py"
