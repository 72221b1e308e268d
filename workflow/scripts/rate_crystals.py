"""Rate one generated set: energies, hulls, what is valid, unique and new."""

from pathlib import Path

from dismai.datasets.crystals.hull import Hull
from dismai.datasets.crystals.stability import STABILITY_SCHEMA, rate
from dismai.files.structures import read_structures, read_table, write_table
from dismai.pipeline.jobs import job, provenance
from dismai.pipeline.relaxation import calculator
from dismai.pipeline.relaxed_set import read_shards

with job(snakemake):
    crystals = read_shards([snakemake.input.clean])
    numbers = [atoms.info["structure"] for atoms in crystals]
    training = read_structures(Path(snakemake.input.train))
    hull = Hull(read_table(snakemake.input.phases))
    table = rate(crystals, numbers, training, hull, calculator(snakemake))
    write_table(table, Path(snakemake.output.table), STABILITY_SCHEMA, provenance(snakemake))
