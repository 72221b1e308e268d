"""Make cells of silicon and label them with another potential."""

from pathlib import Path

from dismai.pipeline.jobs import job
from dismai.potentials import check_entry, load, with_file_at
from dismai.potentials.gap_fit import write_cells
from dismai.potentials.settings import GapFit
from dismai.potentials.training_cells import RATTLE_A, REPELLED_A, labelled_cells

files = snakemake.input.potential

with job(snakemake):
    settings = GapFit(**snakemake.params.settings)
    entry = with_file_at(check_entry(snakemake.params.labels), Path(files) if files else None)
    labels = load(entry, ["Si"])
    for part, n_cells, rattle_A in (
        ("train", settings.n_train[-1], (RATTLE_A[0], REPELLED_A)),
        ("test", settings.n_test, RATTLE_A),
    ):
        names = (snakemake.params.seed, "potential", snakemake.wildcards.potential, part)
        cells = labelled_cells(settings, labels, n_cells, *names, rattle_A=rattle_A)
        write_cells(cells, Path(snakemake.output[part]))
