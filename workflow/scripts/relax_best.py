"""Relax one of the best crystals again and again, its cell too, under the engine of dft."""

from pathlib import Path

from dismai.base.atomic import locked
from dismai.datasets.crystals.best import relaxed_table, schema_of
from dismai.datasets.crystals.settings import CrystensStudy
from dismai.dft.settings import Dft
from dismai.files.structures import write_table
from dismai.pipeline.jobs import job, launcher, provenance, state_folder
from dismai.pipeline.relaxed_set import read_shards

place = int(snakemake.wildcards.place)
state = state_folder(snakemake) / f"{place}"

with job(snakemake, saves=True), locked(state):
    study = CrystensStudy(**snakemake.params.study)
    settings = Dft(**snakemake.params.dft).launched_by(launcher(snakemake))
    crystals = read_shards([snakemake.input.best])
    table = relaxed_table(crystals, place, settings, study, state)
    schema = schema_of(study.protocol.n_relaxations)
    write_table(table, Path(snakemake.output.row), schema, provenance(snakemake))
