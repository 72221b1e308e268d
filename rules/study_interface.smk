"""Generated interfaces looked at closely (Dismai-Bench paper, 2.5): energies, motifs, bonds, RDFs.

Its runs are `studies.interface`; their structures and the random ones of the dataset are relaxed by
the engine, too (engine_stage.smk). Not part of `all`: ask for `study_interface`.
"""


rule study_interface:
    input:
        tables=collect(
            "<results>/tables/studies/{dataset}/interface.parquet",
            dataset=datasets_of_study("interface"),
        ),
        config="<results>/config.yaml",
    localrule: True


rule tabulate_interface:
    input:
        generated=of_study(
            "interface",
            "<results>/generated/{dataset}/{model}/seed{seed}/engine.extxyz",
        ),
        tables=of_study(
            "interface",
            "<results>/generated/{dataset}/{model}/seed{seed}/engine.parquet",
        ),
        tried="<results>/datasets/{dataset}/tried.extxyz",
        tried_table="<results>/datasets/{dataset}/tried.parquet",
        train="<results>/datasets/{dataset}/train.extxyz",
        val="<results>/datasets/{dataset}/val.extxyz",
        card="<results>/datasets/{dataset}/card.json",
        published=located("resources/published.csv"),
    output:
        table="<results>/tables/studies/{dataset}/interface.parquet",
        csv="<results>/tables/studies/{dataset}/interface.csv",
        statements="<results>/tables/studies/{dataset}/interface_statements.csv",
        markdown="<results>/tables/studies/{dataset}/interface.md",
        page=report(
            "<results>/tables/studies/{dataset}/interface.html",
            caption="../docs/report/interface_study.rst",
            category="8 Studies",
            labels={"dataset": "{dataset}", "figure": "Interfaces: table"},
        ),
        energies=report(
            "<results>/figures/studies/{dataset}/interface_energies.svg",
            caption="../docs/report/interface_energies.rst",
            category="8 Studies",
            labels={"dataset": "{dataset}", "figure": "Interfaces: energies"},
        ),
        motifs_Sc=report(
            "<results>/figures/studies/{dataset}/interface_motifs_Sc.svg",
            caption="../docs/report/interface_motifs_Sc.rst",
            category="8 Studies",
            labels={"dataset": "{dataset}", "figure": "Interfaces: motifs of Sc"},
        ),
        motifs_Li=report(
            "<results>/figures/studies/{dataset}/interface_motifs_Li.svg",
            caption="../docs/report/interface_motifs_Li.rst",
            category="8 Studies",
            labels={"dataset": "{dataset}", "figure": "Interfaces: motifs of Li"},
        ),
        bonds=report(
            "<results>/figures/studies/{dataset}/interface_bonds.svg",
            caption="../docs/report/interface_bonds.rst",
            category="8 Studies",
            labels={"dataset": "{dataset}", "figure": "Interfaces: bonds"},
        ),
        rdf=report(
            "<results>/figures/studies/{dataset}/interface_rdf.svg",
            caption="../docs/report/interface_rdf.rst",
            category="8 Studies",
            labels={"dataset": "{dataset}", "figure": "Interfaces: RDF"},
        ),
    log:
        "<logs>/tabulate_interface/{dataset}.log",
    benchmark:
        "<benchmarks>/tabulate_interface/{dataset}.tsv"
    wildcard_constraints:
        dataset=alternatives(datasets_of_study("interface")),
    conda:
        "../envs/main.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=120,
    params:
        version=VERSIONS["study"],
        runs=described_runs("interface"),
    script:
        "../workflow/scripts/tabulate_interface.py"
