"""Table 5: minima of M3GNet continued under the engine of the labels.

Needs a trained M3GNet. Scattered over jobs of a few structures each; under VASP a rule of its own,
as for labels (dft.smk). Not part of `all`: ask for `study_potential`.
"""


rule study_potential:
    input:
        collect("<results>/tables/minima/{potential}/table5.csv", potential=M3GNETS),
    localrule: True


rule compare_minima:
    input:
        potential="<results>/potentials/{potential}/model.safetensors",
        crystals=crystals_of_training,
    output:
        minima=temp("<results>/tables/minima/{potential}/shards/{scatteritem}.parquet"),
    log:
        "<logs>/compare_minima/{potential}/{scatteritem}.log",
    benchmark:
        "<benchmarks>/compare_minima/{potential}/{scatteritem}.tsv"
    wildcard_constraints:
        potential=alternatives(M3GNETS if ENGINE_IN_PYTHON else []),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 1440 * attempt,
    params:
        version=VERSIONS["compare_minima"],
        dft=config["dft"],
        study=config["study_potential"],
        relaxation=config["relaxation"],
        geometry=geometry_of,
        seed=config["seed"],
    script:
        "../workflow/scripts/compare_minima.py"


use rule compare_minima as compare_minima_vasp with:
    wildcard_constraints:
        potential=alternatives([] if ENGINE_IN_PYTHON else M3GNETS),
    resources:
        mem_mb=lambda wildcards, attempt: 32000 * attempt,
        runtime=lambda wildcards, attempt: 1440 * attempt,


rule gather_minima:
    input:
        minima=gather.minima(
            "<results>/tables/minima/{{potential}}/shards/{scatteritem}.parquet"
        ),
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
        "<logs>/gather_minima/{potential}.log",
    benchmark:
        "<benchmarks>/gather_minima/{potential}.tsv"
    wildcard_constraints:
        potential=alternatives(M3GNETS),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        version=(VERSIONS["compare_minima"], VERSIONS["report"]),
        study=config["study_potential"],
    script:
        "../workflow/scripts/gather_minima.py"
