"""Make cells of silicon and label them with another potential, or with the engine of the labels."""

from functools import partial
from pathlib import Path

from dismai import dft
from dismai.base.atomic import locked
from dismai.dft.cells import kept_label
from dismai.dft.settings import Dft
from dismai.pipeline.jobs import job, state_folder
from dismai.potentials import check_entry, load, with_file_at
from dismai.potentials.gap_fit import write_cells
from dismai.potentials.settings import GapFit
from dismai.potentials.training_cells import RATTLE_A, REPELLED_A, labelled_cells

files, params = snakemake.input.potential, snakemake.params
state = state_folder(snakemake)

with job(snakemake, saves=True), locked(state):
    settings, engine = GapFit(**params.settings), None
    if params.dft is not None:
        asked = Dft(**params.dft)
        dft.check(asked, ["Si"])
        engine = partial(kept_label, settings=asked, state=state / "cells")
    entry = with_file_at(check_entry(params.labels), Path(files) if files else None)
    labels = load(entry, ["Si"])
    for part, n_cells, rattle_A in (
        ("train", settings.n_train[-1], (RATTLE_A[0], REPELLED_A)),
        ("test", settings.n_test, RATTLE_A),
    ):
        names = (params.seed, "potential", snakemake.wildcards.potential, part)
        cells = labelled_cells(settings, labels, n_cells, *names, rattle_A=rattle_A, engine=engine)
        write_cells(cells, Path(snakemake.output[part]))
