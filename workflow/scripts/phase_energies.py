"""Energies of one part of the phases: training crystals and elements."""

from pathlib import Path

from dismai.datasets.crystals.phases import PHASES_SCHEMA, energies, phases_of
from dismai.files.structures import read_structures, write_table
from dismai.pipeline.jobs import job, part_of, provenance
from dismai.pipeline.relaxation import calculator

shard, n_shards = part_of(snakemake)

with job(snakemake):
    phases = phases_of(read_structures(Path(snakemake.input.train)))[shard - 1 :: n_shards]
    names, crystals = zip(*phases, strict=True) if phases else ((), ())
    table = energies(crystals, names, calculator(snakemake))
    write_table(table, Path(snakemake.output.phases), PHASES_SCHEMA, provenance(snakemake))
