"""Evaluation: every generated structure is checked, cleaned, relaxed, described; the set is scored.

Shards are processed on their own; no result depends on their number. Finished relaxations stay in
`state/`, so that a killed shard goes on with the next structure. Alloys are not relaxed.
"""


rule process_structures:
    input:
        structures="<results>/generated/{dataset}/{model}/seed{seed}/raw.extxyz",
        card="<results>/datasets/{dataset}/card.json",
        ecis=ecis_of,
        potential=potential_file_of,
    output:
        clean=temp(
            "<results>/generated/{dataset}/{model}/seed{seed}/{scatteritem}/clean.extxyz"
        ),
        relaxed=temp(
            "<results>/generated/{dataset}/{model}/seed{seed}/{scatteritem}/relaxed.extxyz"
        ),
        fates=temp(
            "<results>/generated/{dataset}/{model}/seed{seed}/{scatteritem}/fates.parquet"
        ),
        features=temp(
            "<results>/generated/{dataset}/{model}/seed{seed}/{scatteritem}/features.parquet"
        ),
    log:
        "<logs>/process_structures/{dataset}/{model}/seed{seed}/{scatteritem}.log",
    benchmark:
        "<benchmarks>/process_structures/{dataset}/{model}/seed{seed}/{scatteritem}.tsv"
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=minutes_of_processing,
        gpu=gpus_of_processing,
    params:
        version=versions_of_processing,
        n_structures=n_generated_of,
        align=align_of,
        potential=potential_of,
        relaxation=relaxation_of,
    script:
        "../workflow/scripts/process_structures.py"


rule score_structures:
    input:
        raw="<results>/generated/{dataset}/{model}/seed{seed}/raw.extxyz",
        clean=gather.shard(
            "<results>/generated/{{dataset}}/{{model}}/seed{{seed}}/{scatteritem}/clean.extxyz"
        ),
        relaxed=gather.shard(
            "<results>/generated/{{dataset}}/{{model}}/seed{{seed}}/{scatteritem}/relaxed.extxyz"
        ),
        fates=gather.shard(
            "<results>/generated/{{dataset}}/{{model}}/seed{{seed}}/{scatteritem}/fates.parquet"
        ),
        features=gather.shard(
            "<results>/generated/{{dataset}}/{{model}}/seed{{seed}}/{scatteritem}/features.parquet"
        ),
        reference="<results>/datasets/{dataset}/features.parquet",
        held_out="<results>/datasets/{dataset}/features_val.parquet",
        card="<results>/datasets/{dataset}/card.json",
    output:
        clean="<results>/generated/{dataset}/{model}/seed{seed}/clean.extxyz",
        relaxed="<results>/generated/{dataset}/{model}/seed{seed}/relaxed.extxyz",
        fates="<results>/generated/{dataset}/{model}/seed{seed}/fates.parquet",
        features="<results>/generated/{dataset}/{model}/seed{seed}/features.parquet",
        metrics="<results>/metrics/{dataset}/{model}/seed{seed}.parquet",
    log:
        "<logs>/score_structures/{dataset}/{model}/seed{seed}.log",
    benchmark:
        "<benchmarks>/score_structures/{dataset}/{model}/seed{seed}.tsv"
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        version=VERSIONS["score"],
        kind=kind_of,
    script:
        "../workflow/scripts/score_structures.py"
