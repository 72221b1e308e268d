"""Relax one shard of the structures of a dataset; a killed job goes on with the next one."""

from pathlib import Path

from dismai.datasets.amorphous_si.build import RELAXED_SCHEMA
from dismai.evaluation.process import shard_range
from dismai.files.structures import read_structures, write_structures, write_table
from dismai.pipeline.jobs import job, part_of, provenance
from dismai.pipeline.relaxation import relaxation_plan
from dismai.potentials.resumable import relax_resumably

shard, n_shards = part_of(snakemake)

with job(snakemake, saves=True):
    blocks = read_structures(Path(snakemake.input.blocks))
    own = shard_range(len(blocks), shard - 1, n_shards)
    relaxation = relaxation_plan(snakemake)
    relaxed, table = relax_resumably(
        [blocks[i] for i in own],
        relaxation.potential,
        relaxation.settings,
        relaxation.state,
        sorted({symbol for atoms in blocks for symbol in atoms.symbols}),
        relaxation.device,
        relaxation.n_threads,
        relaxation.together,
    )
    table["structure"] += own.start
    write_structures(relaxed, Path(snakemake.output.relaxed))
    write_table(table, Path(snakemake.output.table), RELAXED_SCHEMA, provenance(snakemake))
