"""Potentials: cells with labels of another potential -> SOAP-GAP fits -> their errors.

Fits every potential of the configuration that is given by `fit`; those given by files need nothing, and M3GNet stands in m3gnet.smk.
"""


rule label_cells:
    input:
        potential=files_of_labels,
    output:
        train="<results>/potentials/{potential}/train.extxyz",
        test="<results>/potentials/{potential}/test.extxyz",
    log:
        "<logs>/label_cells/{potential}.log",
    benchmark:
        "<benchmarks>/label_cells/{potential}.tsv"
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        version=VERSIONS["fit_potential"],
        seed=config["seed"],
        labels=entry_of_labels,
        settings=lookup(dpath="potentials/{potential}/fit", within=config),
    script:
        "../workflow/scripts/label_cells.py"


rule fit_potential:
    input:
        train="<results>/potentials/{potential}/train.extxyz",
        test="<results>/potentials/{potential}/test.extxyz",
    output:
        potential="<results>/potentials/{potential}/train{n_train}/gap.xml",
        predictions="<results>/potentials/{potential}/train{n_train}/predictions.parquet",
    log:
        "<logs>/fit_potential/{potential}/train{n_train}.log",
    benchmark:
        "<benchmarks>/fit_potential/{potential}/train{n_train}.tsv"
    conda:
        "../envs/main.yaml"
    threads: 4
    resources:
        mem_mb=lambda wildcards, attempt: 16000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        version=VERSIONS["fit_potential"],
        settings=lookup(dpath="potentials/{potential}/fit", within=config),
    script:
        "../workflow/scripts/fit_potential.py"


rule plot_potential:
    input:
        predictions=fits_of,
    output:
        curve="<results>/potentials/{potential}/learning_curve.parquet",
        parity=report(
            "<results>/figures/potentials/{potential}/parity.svg",
            caption="../docs/report/parity.rst",
            category="7 Potentials",
            labels={"potential": "{potential}", "figure": "parity"},
        ),
        learning=report(
            "<results>/figures/potentials/{potential}/learning_curve.svg",
            caption="../docs/report/learning_curve.rst",
            category="7 Potentials",
            labels={"potential": "{potential}", "figure": "learning curve"},
        ),
    log:
        "<logs>/plot_potential/{potential}.log",
    benchmark:
        "<benchmarks>/plot_potential/{potential}.tsv"
    wildcard_constraints:
        potential=alternatives(FITTED),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        version=VERSIONS["report"],
    script:
        "../workflow/scripts/plot_potential.py"


rule potentials:
    input:
        figures=collect(
            "<results>/figures/potentials/{potential}/parity.svg",
            potential=[*FITTED, *M3GNETS],
        ),
    localrule: True
