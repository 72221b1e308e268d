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
