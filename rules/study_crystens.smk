"""The CrysTens paper's study of crystals: phases, hulls, what is new, the best ones under dft.

Energies are those of the potential `study_crystens.potential`, crystals as they stand; phases are
the training crystals and the elements. Not part of `all`: ask for `study_crystens`.
"""


rule study_crystens:
    input:
        lambda wildcards: study_of_crystals(),
    localrule: True


rule phase_energies:
    input:
        train="<results>/datasets/{dataset}/train.extxyz",
        potential=lambda wildcards: potential_file(CONFIG.study_crystens.potential),
    output:
        phases=temp("<results>/stability/{dataset}/phases/{scatteritem}.parquet"),
    log:
        "<logs>/phase_energies/{dataset}/{scatteritem}.log",
    benchmark:
        "<benchmarks>/phase_energies/{dataset}/{scatteritem}.tsv"
    wildcard_constraints:
        dataset=alternatives(of_kind("crystals")),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        version=VERSIONS["stability"],
        potential=lambda wildcards: config["potentials"][
            CONFIG.study_crystens.potential
        ],
    script:
        "../workflow/scripts/phase_energies.py"


rule gather_phases:
    input:
        phases=gather.shard(
            "<results>/stability/{{dataset}}/phases/{scatteritem}.parquet"
        ),
    output:
        phases="<results>/stability/{dataset}/phases.parquet",
        training="<results>/stability/{dataset}/training.parquet",
    log:
        "<logs>/gather_phases/{dataset}.log",
    benchmark:
        "<benchmarks>/gather_phases/{dataset}.tsv"
    wildcard_constraints:
        dataset=alternatives(of_kind("crystals")),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        version=VERSIONS["stability"],
    script:
        "../workflow/scripts/gather_phases.py"


rule rate_crystals:
    input:
        clean="<results>/generated/{dataset}/{model}/seed{seed}/clean.extxyz",
        train="<results>/datasets/{dataset}/train.extxyz",
        phases="<results>/stability/{dataset}/phases.parquet",
        potential=lambda wildcards: potential_file(CONFIG.study_crystens.potential),
    output:
        table="<results>/stability/{dataset}/{model}/seed{seed}.parquet",
    log:
        "<logs>/rate_crystals/{dataset}/{model}/seed{seed}.log",
    benchmark:
        "<benchmarks>/rate_crystals/{dataset}/{model}/seed{seed}.tsv"
    wildcard_constraints:
        dataset=alternatives(of_kind("crystals")),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        version=VERSIONS["stability"],
        potential=lambda wildcards: config["potentials"][
            CONFIG.study_crystens.potential
        ],
    script:
        "../workflow/scripts/rate_crystals.py"


rule tabulate_stability:
    input:
        tables=lambda wildcards: all_of(
            "<results>/stability/{dataset}/{model}/seed{seed}.parquet",
            runs_of(wildcards.dataset),
        ),
        training="<results>/stability/{dataset}/training.parquet",
        histories=histories_of,
    output:
        csv="<results>/tables/stability_{dataset}.csv",
        page=report(
            "<results>/tables/stability_{dataset}.html",
            caption="../docs/report/stability.rst",
            category="1 Tables",
            labels={"table": "stability of {dataset}"},
        ),
        hull=report(
            "<results>/figures/{dataset}/hull.svg",
            caption="../docs/report/hull.rst",
            category="3 Energy",
            labels={"dataset": "{dataset}", "figure": "energy above the hull"},
        ),
        formation=report(
            "<results>/figures/{dataset}/formation.svg",
            caption="../docs/report/hull.rst",
            category="3 Energy",
            labels={"dataset": "{dataset}", "figure": "formation energy"},
        ),
    log:
        "<logs>/tabulate_stability/{dataset}.log",
    benchmark:
        "<benchmarks>/tabulate_stability/{dataset}.tsv"
    wildcard_constraints:
        dataset=alternatives(of_kind("crystals")),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        version=(VERSIONS["stability"], VERSIONS["report"]),
        runs=lambda wildcards: [
            (run.model, run.kind, run.seed, n_generated(CONFIG, run))
            for run in runs_of(wildcards.dataset)
        ],
        trained=lambda wildcards: [
            (run.model, run.seed) for run in trained_on(wildcards.dataset)
        ],
        models=MODELS,
    script:
        "../workflow/scripts/tabulate_stability.py"


rule plot_gallery:
    input:
        generated="<results>/generated/{dataset}/{model}/seed{seed}/clean.extxyz",
        train="<results>/datasets/{dataset}/train.extxyz",
    output:
        figure=report(
            "<results>/figures/{dataset}/gallery/{model}_seed{seed}.png",
            caption="../docs/report/gallery.rst",
            category="4 Pictures",
            labels={"dataset": "{dataset}", "figure": "crystals of {model}"},
        ),
    log:
        "<logs>/plot_gallery/{dataset}/{model}/seed{seed}.log",
    benchmark:
        "<benchmarks>/plot_gallery/{dataset}/{model}/seed{seed}.tsv"
    wildcard_constraints:
        dataset=alternatives(of_kind("crystals")),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        version=VERSIONS["report"],
    script:
        "../workflow/scripts/plot_gallery.py"
