"""Potentials: cells with labels of a potential or an engine -> SOAP-GAP fits -> their errors.

Fits potentials of the configuration that are given by `fit`, in `all` those that a dataset of the run
relaxes in; those given by files need nothing, and M3GNet stands in m3gnet.smk.
"""


rule label_cells:
    input:
        potential=file_of_cells,
    output:
        train="<results>/potentials/{potential}/train.extxyz",
        test="<results>/potentials/{potential}/test.extxyz",
    log:
        "<logs>/label_cells/{potential}.log",
    benchmark:
        "<benchmarks>/label_cells/{potential}.tsv"
    wildcard_constraints:
        potential=alternatives([name for name in FITTED if name not in CELLS_BY_VASP]),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 1440 * attempt,
    params:
        version=VERSIONS["fit_potential"],
        seed=config["seed"],
        labels=entry_of_cells,
        dft=engine_of_cells,
        settings=lookup(dpath="potentials/{potential}/fit", within=config),
    script:
        "../workflow/scripts/label_cells.py"


use rule label_cells as label_cells_vasp with:
    wildcard_constraints:
        potential=alternatives(CELLS_BY_VASP),
    resources:
        mem_mb=lambda wildcards, attempt: 32000 * attempt,
        runtime=lambda wildcards, attempt: 1440 * attempt,


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
