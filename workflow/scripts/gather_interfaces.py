"""Join the minima that the engine of `dft` relaxed further with what the potential made of them."""

from pathlib import Path

from dismai.evaluation.engine_stage import joined, joined_schema
from dismai.files.structures import gather_tables, write_structures, write_table
from dismai.pipeline.jobs import job, provenance
from dismai.pipeline.relaxed_set import read_shards

output = snakemake.output

with job(snakemake):
    structures, table = joined(
        read_shards(snakemake.input.structures),
        gather_tables(snakemake.input.tables),
        read_shards(snakemake.input.continued),
        gather_tables(snakemake.input.continued_tables),
    )
    write_structures(structures, Path(output.structures))
    write_table(table, Path(output.table), joined_schema(table), provenance(snakemake))
