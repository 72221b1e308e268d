"""Evaluation: every generated structure is checked, cleaned, relaxed, described; the set is scored.

A set that is relaxed is scattered over `shards` jobs, at most one per structure; others take seconds and
are one shard. No result depends on the number. Finished relaxations stay in `state/`, so that a killed shard goes
on with the next structure.
"""


rule process_structures:
    input:
        unpack(networks_of),
        structures="<results>/generated/{dataset}/{model}/seed{seed}/raw.extxyz",
        card="<results>/datasets/{dataset}/card.json",
        ecis=ecis_of,
        potential=potential_file_of,
    output:
        shard=temp(
            directory(
                "<results>/generated/{dataset}/{model}/seed{seed}/shards/{scatteritem}"
            )
        ),
    log:
        "<logs>/process_structures/{dataset}/{model}/seed{seed}/{scatteritem}.log",
    benchmark:
        "<benchmarks>/process_structures/{dataset}/{model}/seed{seed}/{scatteritem}.tsv"
    wildcard_constraints:
        dataset=alternatives(
            [name for name in EVERY_DATASET if name not in IN_NETWORKS]
        ),
        model=alternatives([name for name in ALL_MODELS if name not in CLEANED]),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=minutes_of_processing,
    params:
        version=versions_of_processing,
        n_structures=n_generated_of,
        align=align_of,
        potential=potential_of,
        relaxation=relaxation_settings_of,
    script:
        "../workflow/scripts/process_structures.py"


# The same for datasets that relax in a network: profiles send it to GPUs.
use rule process_structures as process_in_network with:
    log:
        "<logs>/process_in_network/{dataset}/{model}/seed{seed}/{scatteritem}.log",
    benchmark:
        "<benchmarks>/process_in_network/{dataset}/{model}/seed{seed}/{scatteritem}.tsv"
    wildcard_constraints:
        dataset=alternatives(IN_NETWORKS),
        model=alternatives([name for name in ALL_MODELS if name not in CLEANED]),
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 6000 * attempt,
        runtime=minutes_of_processing,


# The same for structures that were cleaned and relaxed elsewhere.
use rule process_structures as process_cleaned with:
    log:
        "<logs>/process_cleaned/{dataset}/{model}/seed{seed}/{scatteritem}.log",
    benchmark:
        "<benchmarks>/process_cleaned/{dataset}/{model}/seed{seed}/{scatteritem}.tsv"
    wildcard_constraints:
        dataset=alternatives(EVERY_DATASET),
        model=alternatives(CLEANED),
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        version=versions_of_processing,
        n_structures=n_generated_of,
        align=align_of,
        potential=None,
        cleaned=True,


rule score_structures:
    input:
        raw="<results>/generated/{dataset}/{model}/seed{seed}/raw.extxyz",
        shards=shards_of,
        reference="<results>/datasets/{dataset}/features.parquet",
        held_out="<results>/datasets/{dataset}/features_val.parquet",
        card="<results>/datasets/{dataset}/card.json",
    output:
        clean="<results>/generated/{dataset}/{model}/seed{seed}/clean.extxyz",
        relaxed="<results>/generated/{dataset}/{model}/seed{seed}/relaxed.extxyz",
        fates="<results>/generated/{dataset}/{model}/seed{seed}/fates.parquet",
        features="<results>/generated/{dataset}/{model}/seed{seed}/features.parquet",
        unrelaxed="<results>/generated/{dataset}/{model}/seed{seed}/unrelaxed.parquet",
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
