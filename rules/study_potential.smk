"""Table 5: minima of M3GNet continued under the engine of the labels.

Needs a trained M3GNet. Not part of `all`: ask for `study_potential`.
"""


rule study_potential:
    input:
        "<results>/tables/potential/table5.csv",
    localrule: True


rule compare_minima:
    input:
        potential="<results>/potentials/m3gnet/model.safetensors",
        published=shipped("resources/published.csv"),
    output:
        minima="<results>/tables/potential/minima.parquet",
        table="<results>/tables/potential/table5.csv",
        figure=report(
            "<results>/figures/potentials/table5.svg",
            caption="../docs/report/table5.rst",
            category="5 Potential",
        ),
    log:
        "<logs>/compare_minima.log",
    benchmark:
        "<benchmarks>/compare_minima.tsv"
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 2880 * attempt,
    params:
        version=VERSIONS["compare_minima"],
        dft=config["dft"],
        study=config["study_potential"],
        relaxation=config["relaxation"],
        geometry=config["interface"],
        seed=config["seed"],
    script:
        "../workflow/scripts/compare_minima.py"
