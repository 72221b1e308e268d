"""Table 5: minima of M3GNet continued under the engine of the labels.

Needs a trained M3GNet. Not part of `all`: ask for `study_potential`.
"""


rule study_potential:
    input:
        collect("<results>/tables/minima/{potential}/table5.csv", potential=M3GNETS),
    localrule: True


rule compare_minima:
    input:
        potential="<results>/potentials/{potential}/model.safetensors",
        crystals=crystals_of_training,
        published=located("resources/published.csv"),
    output:
        minima="<results>/tables/minima/{potential}/minima.parquet",
        table="<results>/tables/minima/{potential}/table5.csv",
        figure=report(
            "<results>/figures/potentials/{potential}/table5.svg",
            caption="../docs/report/table5.rst",
            category="7 Potentials",
            labels={"potential": "{potential}", "figure": "Table 5"},
        ),
    log:
        "<logs>/compare_minima/{potential}.log",
    benchmark:
        "<benchmarks>/compare_minima/{potential}.tsv"
    wildcard_constraints:
        potential=alternatives(M3GNETS),
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
        geometry=geometry_of,
        seed=config["seed"],
    script:
        "../workflow/scripts/compare_minima.py"
