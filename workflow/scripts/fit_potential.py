"""Fit one SOAP-GAP to the first labelled cells and predict the held-out ones."""

from pathlib import Path

from dismai.files.structures import write_table
from dismai.pipeline.jobs import job, provenance
from dismai.potentials import load
from dismai.potentials.gap_fit import fit, predictions, read_cells
from dismai.potentials.predictions import PREDICTIONS_SCHEMA
from dismai.potentials.settings import GapFit

n_train = int(snakemake.wildcards.n_train)
target = Path(snakemake.output.potential)

with job(snakemake):
    cells = read_cells(Path(snakemake.input.train))[:n_train]
    fit(cells, GapFit(**snakemake.params.settings), target)
    potential = load({"kind": "gap", "file": str(target)}, ["Si"])
    table = predictions(potential, read_cells(Path(snakemake.input.test)), n_train)
    meta = provenance(snakemake)
    write_table(table, Path(snakemake.output.predictions), PREDICTIONS_SCHEMA, meta)
