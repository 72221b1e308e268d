"""Gather the shards of one generated set and score it against the training set."""

from pathlib import Path

from dismai.datasets.spec import read_card
from dismai.evaluation.process import load_generated
from dismai.evaluation.said import said_scores
from dismai.evaluation.score import score
from dismai.io import (
    FATES_SCHEMA,
    METRICS_SCHEMA,
    concatenate_files,
    features_schema,
    gather_tables,
    read_table,
    write_table,
)
from dismai.jobs import job, provenance

wildcards, output = snakemake.wildcards, snakemake.output

with job(snakemake):
    fates = gather_tables(snakemake.input.fates)
    features = gather_tables(snakemake.input.features)
    reference = read_table(snakemake.input.reference)
    held_out = read_table(snakemake.input.held_out)
    names = (wildcards.model, snakemake.params.kind, int(wildcards.seed))
    spec = read_card(Path(snakemake.input.card))
    said = said_scores(load_generated(Path(snakemake.input.raw)))
    metrics = score(features, fates, reference, held_out, spec, *names, said)
    meta = provenance(snakemake)
    concatenate_files(snakemake.input.clean, output.clean)
    concatenate_files(snakemake.input.relaxed, output.relaxed)
    write_table(fates, output.fates, FATES_SCHEMA, meta)
    write_table(features, output.features, features_schema(features.columns), meta)
    write_table(metrics, output.metrics, METRICS_SCHEMA, meta)
