"""Join the labels of all shards."""

from pathlib import Path

from dismai.dft.labels import read_labels
from dismai.dft.sampling import RELAXATIONS_SCHEMA
from dismai.io import concatenate_files, gather_tables, write_table
from dismai.jobs import job, provenance

with job(snakemake):
    labels = Path(snakemake.output.labels)
    concatenate_files(snakemake.input.labels, labels)
    read_labels(labels)
    table = gather_tables(snakemake.input.relaxations, "relaxation")
    meta = provenance(snakemake)
    write_table(table, Path(snakemake.output.relaxations), RELAXATIONS_SCHEMA, meta)
