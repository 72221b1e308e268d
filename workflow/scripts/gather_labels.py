"""Join the labels of all shards."""

from pathlib import Path

from dismai.datasets.interface.labelling import RELAXATIONS_SCHEMA
from dismai.files.structures import concatenate_files, gather_tables, write_table
from dismai.pipeline.jobs import job, provenance
from dismai.potentials.labels import read_labels

with job(snakemake):
    labels = Path(snakemake.output.labels)
    concatenate_files(snakemake.input.labels, labels)
    read_labels(labels)
    table = gather_tables(snakemake.input.relaxations, "relaxation")
    meta = provenance(snakemake)
    write_table(table, Path(snakemake.output.relaxations), RELAXATIONS_SCHEMA, meta)
