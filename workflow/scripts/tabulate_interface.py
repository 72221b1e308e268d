"""The tables and figures of the study of generated interfaces."""

from pathlib import Path

import pandas as pd

from dismai.base.card import read_card
from dismai.evaluation.study_interface import (
    RANDOM,
    energies_of,
    interface_statements,
    interface_table,
    pooled,
    regions_of,
)
from dismai.files.structures import read_structures, read_table
from dismai.pipeline.jobs import job, provenance
from dismai.pipeline.relaxed_set import read_shards
from dismai.report.study import write_study
from dismai.report.study_interface import HEADINGS, NOTES, draw_all

files, output = snakemake.input, snakemake.output

with job(snakemake):
    spec = read_card(Path(files.card))
    tried = read_structures(Path(files.tried)), read_table(files.tried_table)
    models, _, n_structures = zip(*snakemake.params.runs, strict=True)
    generated = pooled(
        models,
        [
            (read_shards([path]), read_table(table))
            for path, table in zip(files.generated, files.tables, strict=True)
        ],
        n_structures,
    )
    energies = {RANDOM: energies_of(tried[1], spec, len(tried[1]))}
    energies |= {name: energies_of(table, spec, n) for name, (_, table, n) in generated.items()}
    parts = [read_structures(Path(path)) for path in (files.train, files.val)]
    regions = regions_of(
        *parts, tried, {n: one[:2] for n, one in generated.items()}, energies, spec
    )
    table = interface_table(energies, regions, pd.read_csv(files.published))
    statements = interface_statements(table, list(generated))
    write_study(table, statements, HEADINGS, output, provenance(snakemake), NOTES)
    draw_all(energies, regions, table, output)
