"""Relax one shard of the structures of a dataset; a killed job goes on with the next one."""

from pathlib import Path

from dismai.datasets.amorphous_si.build import RELAXED_SCHEMA
from dismai.evaluation.process import shard_range
from dismai.files.structures import read_structures, write_structures, write_table
from dismai.pipeline.jobs import job, provenance
from dismai.pipeline.relaxing import relaxing_of
from dismai.potentials.resumable import relax_resumable

shard, n_shards = (int(number) for number in snakemake.wildcards.scatteritem.split("-of-"))

with job(snakemake, saves=True):
    blocks = read_structures(Path(snakemake.input.blocks))
    own = shard_range(len(blocks), shard - 1, n_shards)
    relaxing = relaxing_of(snakemake)
    relaxed, table = relax_resumable(
        [blocks[i] for i in own],
        relaxing.potential,
        relaxing.settings,
        relaxing.state,
        sorted({symbol for atoms in blocks for symbol in atoms.symbols}),
        relaxing.device,
        relaxing.n_threads,
    )
    table["structure"] += own.start
    write_structures(relaxed, Path(snakemake.output.relaxed))
    write_table(table, Path(snakemake.output.table), RELAXED_SCHEMA, provenance(snakemake))
