"""Relax one shard of the structures of a dataset; a killed job goes on with the next one."""

from pathlib import Path

from dismai.datasets.silicon_set import RELAXED_SCHEMA
from dismai.evaluation.process import shard_range
from dismai.io import read_structures, write_structures, write_table
from dismai.jobs import job, provenance
from dismai.potentials import check_entry
from dismai.potentials.resumable import relax_resumable
from dismai.potentials.settings import Relaxation

shard, n_shards = (int(number) for number in snakemake.wildcards.scatteritem.split("-of-"))
state = Path(snakemake.output.relaxed).parents[1] / "state" / "relax"

with job(snakemake):
    blocks = read_structures(Path(snakemake.input.blocks))
    own = shard_range(len(blocks), shard - 1, n_shards)
    relaxed, table = relax_resumable(
        [blocks[i] for i in own],
        check_entry(snakemake.params.potential),
        Relaxation(**snakemake.params.relaxation),
        state,
        sorted({symbol for atoms in blocks for symbol in atoms.symbols}),
        n_threads=snakemake.threads,
    )
    table["structure"] += own.start
    write_structures(relaxed, Path(snakemake.output.relaxed))
    write_table(table, Path(snakemake.output.table), RELAXED_SCHEMA, provenance(snakemake))
