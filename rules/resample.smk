"""Structures drawn with weights that are there: of another model, or trained before the run."""


use rule generate_structures as resample_structures with:
    input:
        model=weights_of,
        steps=[],
        card=[],
    log:
        "<logs>/resample_structures/{dataset}/{model}/seed{seed}.log",
    benchmark:
        "<benchmarks>/resample_structures/{dataset}/{model}/seed{seed}.tsv"
    wildcard_constraints:
        model=alternatives(RESAMPLED),
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=minutes_of_generation,
    params:
        version=VERSIONS["generate"],
        n_structures=n_generated_of,
        seed=config["seed"],
        sampling=sampling_of,


use rule generate_structures as generate_pretrained with:
    input:
        model=pretrained_of,
        steps=[],
        card="<results>/datasets/{dataset}/card.json",
    log:
        "<logs>/generate_pretrained/{dataset}/{model}/seed{seed}.log",
    benchmark:
        "<benchmarks>/generate_pretrained/{dataset}/{model}/seed{seed}.tsv"
    wildcard_constraints:
        model=alternatives(PRETRAINED),
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
