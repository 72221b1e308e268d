"""Amorphous silicon: a large cell -> blocks -> relaxed blocks -> training set, card.

The large cell ships with the project, is a file of the user, or is made here by LAMMPS.
"""


rule melt_quench:
    output:
        bulk="<results>/datasets/amorphous_si_bulk.npz",
    log:
        "<logs>/melt_quench.log",
    benchmark:
        "<benchmarks>/melt_quench.tsv"
    conda:
        "../envs/main.yaml"
    threads: 8
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        version=VERSIONS["melt_quench"],
        seed=config["seed"],
        settings=config["amorphous_si"]["melt_quench"],
    script:
        "../workflow/scripts/melt_quench.py"


rule slice_blocks:
    input:
        bulk=bulk_cell,
    output:
        blocks="<results>/datasets/{dataset}/blocks.extxyz",
    log:
        "<logs>/slice_blocks/{dataset}.log",
    benchmark:
        "<benchmarks>/slice_blocks/{dataset}.tsv"
    wildcard_constraints:
        dataset=alternatives(made_here("amorphous_si")),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        version=VERSIONS["slice_blocks"],
        seed=config["seed"],
        sha256=config["amorphous_si"]["sha256"],
        settings=lookup(dpath="datasets/{dataset}", within=config),
    script:
        "../workflow/scripts/slice_blocks.py"


rule relax_training_blocks:
    input:
        blocks="<results>/datasets/{dataset}/blocks.extxyz",
        potential=potential_file_of,
    output:
        relaxed=temp("<results>/datasets/{dataset}/relaxed/{scatteritem}.extxyz"),
        table=temp("<results>/datasets/{dataset}/relaxed/{scatteritem}.parquet"),
    log:
        "<logs>/relax_training_blocks/{dataset}/{scatteritem}.log",
    benchmark:
        "<benchmarks>/relax_training_blocks/{dataset}/{scatteritem}.tsv"
    wildcard_constraints:
        dataset=alternatives(made_here("amorphous_si")),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 720 * attempt,
    params:
        version=versions_of_relaxing,
        potential=potential_of,
        relaxation=relaxation_settings_of,
    script:
        "../workflow/scripts/relax_training_blocks.py"


rule build_amorphous_si_dataset:
    input:
        relaxed=gather.shard(
            "<results>/datasets/{{dataset}}/relaxed/{scatteritem}.extxyz"
        ),
        tables=gather.shard(
            "<results>/datasets/{{dataset}}/relaxed/{scatteritem}.parquet"
        ),
        bulk=bulk_cell,
    output:
        train="<results>/datasets/{dataset}/train.extxyz",
        val="<results>/datasets/{dataset}/val.extxyz",
        card="<results>/datasets/{dataset}/card.json",
        features="<results>/datasets/{dataset}/features.parquet",
        held_out="<results>/datasets/{dataset}/features_val.parquet",
    log:
        "<logs>/build_amorphous_si_dataset/{dataset}.log",
    benchmark:
        "<benchmarks>/build_amorphous_si_dataset/{dataset}.tsv"
    wildcard_constraints:
        dataset=alternatives(made_here("amorphous_si")),
    conda:
        "../envs/main.yaml"
    threads: 4
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        version=VERSIONS["build_dataset"],
        settings=lookup(dpath="datasets/{dataset}", within=config),
        potential=potential_of,
        labelled_by=labelled_by,
        relaxation=config["relaxation"],
    script:
        "../workflow/scripts/build_amorphous_si_dataset.py"


use rule plot_alloy as plot_amorphous_si with:
    output:
        rdf=report(
            "<results>/figures/{dataset}/rdf.svg",
            caption="../docs/report/rdf.rst",
            category="2 Disorder",
            labels={"dataset": "{dataset}", "figure": "g(r) and bond angles"},
        ),
        factor=report(
            "<results>/figures/{dataset}/factor.svg",
            caption="../docs/report/factor.rst",
            category="2 Disorder",
            labels={"dataset": "{dataset}", "figure": "S(q) and dihedral angles"},
        ),
        rings=report(
            "<results>/figures/{dataset}/rings.svg",
            caption="../docs/report/rings.rst",
            category="2 Disorder",
            labels={"dataset": "{dataset}", "figure": "rings and neighbours"},
        ),
        motifs=report(
            "<results>/figures/{dataset}/motifs.svg",
            caption="../docs/report/motifs.rst",
            category="2 Disorder",
            labels={"dataset": "{dataset}", "figure": "coordination motifs"},
        ),
        energy=report(
            "<results>/figures/{dataset}/energy.svg",
            caption="../docs/report/energy.rst",
            category="3 Energy",
            labels={"dataset": "{dataset}", "figure": "energies"},
        ),
        structures=report(
            "<results>/figures/{dataset}/structures.svg",
            caption="../docs/report/structures.rst",
            category="4 Pictures",
            labels={"dataset": "{dataset}", "figure": "pictures"},
        ),
        training=report(
            "<results>/figures/{dataset}/training.svg",
            caption="../docs/report/training.rst",
            category="5 Training",
            labels={"dataset": "{dataset}", "figure": "losses"},
        ),
    log:
        "<logs>/plot_amorphous_si/{dataset}.log",
    benchmark:
        "<benchmarks>/plot_amorphous_si/{dataset}.tsv"
    wildcard_constraints:
        dataset=alternatives(of_kind("amorphous_si")),
    resources:
        mem_mb=4000,
        runtime=30,
