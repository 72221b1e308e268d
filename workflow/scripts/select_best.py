"""Choose the best generated crystals of a dataset, and tidy them."""

from pathlib import Path

from dismai.datasets.crystals.best import choose
from dismai.datasets.crystals.settings import CrystensStudy
from dismai.files.structures import read_table, write_structures
from dismai.pipeline.jobs import job

with job(snakemake):
    tables = [read_table(path) for path in snakemake.input.tables]
    clean = [Path(path) for path in snakemake.input.clean]
    study = CrystensStudy(**snakemake.params.study)
    best = choose(snakemake.params.sets, tables, clean, study)
    write_structures(best, Path(snakemake.output.best))
