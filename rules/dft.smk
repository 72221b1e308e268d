"""Labels: random interfaces relaxed under the engine of `dft`, every k-th ionic step kept; crystals.

Needs the geometry of an interface dataset, ready-made or not. Scattered over `labels.shards` jobs,
which profiles send to the partition vasp whatever the engine; finished relaxations outlive a killed
job. VASP has a rule of its own, label_interfaces_vasp, which asks for more and to which profiles
give ranks, for which an engine inside Python has no use.
"""


rule relax_crystal:
    input:
        crystal=given_crystal,
    output:
        crystal="<results>/datasets/{dataset}/crystals/{crystal}.extxyz",
    log:
        "<logs>/relax_crystal/{dataset}/{crystal}.log",
    benchmark:
        "<benchmarks>/relax_crystal/{dataset}/{crystal}.tsv"
    wildcard_constraints:
        dataset=alternatives(of_kind("interface") if ENGINE_IN_PYTHON else []),
        crystal="substrate|film",
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 480 * attempt,
    params:
        version=VERSIONS["relax_crystal"],
        dft=config["dft"],
    script:
        "../workflow/scripts/relax_crystal.py"


use rule relax_crystal as relax_crystal_vasp with:
    wildcard_constraints:
        dataset=alternatives([] if ENGINE_IN_PYTHON else of_kind("interface")),
        crystal="substrate|film",
    resources:
        mem_mb=lambda wildcards, attempt: 32000 * attempt,
        runtime=lambda wildcards, attempt: 480 * attempt,


rule label_interfaces:
    input:
        crystals=crystals_of,
    output:
        labels=temp("<results>/labels/{dataset}/shards/{scatteritem}.extxyz"),
        relaxations=temp("<results>/labels/{dataset}/shards/{scatteritem}.parquet"),
    log:
        "<logs>/label_interfaces/{dataset}/{scatteritem}.log",
    benchmark:
        "<benchmarks>/label_interfaces/{dataset}/{scatteritem}.tsv"
    wildcard_constraints:
        dataset=alternatives(of_kind("interface") if ENGINE_IN_PYTHON else []),
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
        geometry=lookup(dpath="datasets/{dataset}/geometry", within=config),
        seed=config["seed"],
    script:
        "../workflow/scripts/label_interfaces.py"


use rule label_interfaces as label_interfaces_vasp with:
    wildcard_constraints:
        dataset=alternatives([] if ENGINE_IN_PYTHON else of_kind("interface")),
    resources:
        mem_mb=lambda wildcards, attempt: 32000 * attempt,
        runtime=lambda wildcards, attempt: 1440 * attempt,


rule gather_labels:
    input:
        labels=gather.label("<results>/labels/{{dataset}}/shards/{scatteritem}.extxyz"),
        relaxations=gather.label(
            "<results>/labels/{{dataset}}/shards/{scatteritem}.parquet"
        ),
    output:
        labels="<results>/labels/{dataset}/labels.extxyz",
        relaxations="<results>/labels/{dataset}/relaxations.parquet",
    log:
        "<logs>/gather_labels/{dataset}.log",
    benchmark:
        "<benchmarks>/gather_labels/{dataset}.tsv"
    wildcard_constraints:
        dataset=alternatives(of_kind("interface")),
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
