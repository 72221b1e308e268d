"""Langevin steps chosen by energies: an option of models that have such steps.

A few structures are drawn with each number of steps and relaxed; the number whose energies are
nearest to those of the training set draws the structures that are scored.
"""


rule match_langevin_steps:
    input:
        model="<results>/models/{dataset}/{model}/seed{seed}/model.safetensors",
        card="<results>/datasets/{dataset}/card.json",
        features="<results>/datasets/{dataset}/features.parquet",
        potential=potential_file_of,
    output:
        table="<results>/models/{dataset}/{model}/seed{seed}/langevin_steps.csv",
    log:
        "<logs>/match_langevin_steps/{dataset}/{model}/seed{seed}.log",
    benchmark:
        "<benchmarks>/match_langevin_steps/{dataset}/{model}/seed{seed}.tsv"
    wildcard_constraints:
        model=alternatives(TRAINED),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=minutes_of_generation,
    params:
        version=(VERSIONS["generate"], VERSIONS["process"], VERSIONS["relax"]),
        match=match_of,
        potential=potential_of,
        relaxation=relaxation_settings_of,
        seed=config["seed"],
    script:
        "../workflow/scripts/match_langevin_steps.py"
