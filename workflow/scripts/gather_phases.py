"""Join the energies of all phases, and rate the training crystals by their hulls."""

from pathlib import Path

from dismai.datasets.crystals.hull import HULL_SCHEMA, Hull, above_hull
from dismai.datasets.crystals.phases import PHASES_SCHEMA, training_phases
from dismai.files.structures import gather_tables, write_table
from dismai.pipeline.jobs import job, provenance

with job(snakemake):
    phases = gather_tables(snakemake.input.phases, key="name")
    rated = above_hull(training_phases(phases), Hull(phases))
    meta = provenance(snakemake)
    write_table(phases, Path(snakemake.output.phases), PHASES_SCHEMA, meta)
    write_table(rated, Path(snakemake.output.training), HULL_SCHEMA, meta)
