"""Relax some minima of a potential further under the engine of `dft`."""

from pathlib import Path

from dismai.base.atomic import locked
from dismai.dft.settings import Dft
from dismai.evaluation.engine_stage import CONTINUED_SCHEMA, continue_minima, minima_of
from dismai.evaluation.process import shard_range
from dismai.files.structures import gather_tables, write_structures, write_table
from dismai.pipeline.jobs import job, launcher, part_of, provenance, state_folder
from dismai.pipeline.relaxed_set import read_shards

params, output = snakemake.params, snakemake.output
shard, n_shards = part_of(snakemake)
state = state_folder(snakemake) / "engine"

with job(snakemake, saves=True), locked(state / f"shard{shard}"):
    tables = gather_tables(snakemake.input.tables)
    minima = minima_of(read_shards(snakemake.input.structures), tables)
    own = shard_range(params.n_structures, shard - 1, n_shards)
    ended, rows = continue_minima(
        {number: atoms for number, atoms in minima.items() if number in own},
        Dft(**params.dft).launched_by(launcher(snakemake)),
        state,
    )
    write_structures(ended, Path(output.structures))
    write_table(rows, Path(output.table), CONTINUED_SCHEMA, provenance(snakemake))
