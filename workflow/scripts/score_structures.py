"""Gather the shards of one generated set and score it against the training set."""

from pathlib import Path

from dismai.base.card import read_card
from dismai.evaluation.process import load_generated
from dismai.evaluation.score import score
from dismai.evaluation.self_reports import self_report_scores
from dismai.files.structures import (
    FATES_SCHEMA,
    METRICS_SCHEMA,
    concatenate_files,
    features_schema,
    gather_tables,
    read_table,
    write_table,
)
from dismai.pipeline.jobs import job, provenance

wildcards, output = snakemake.wildcards, snakemake.output

with job(snakemake):
    shards = [Path(shard) for shard in snakemake.input.shards]
    fates = gather_tables(shard / "fates.parquet" for shard in shards)
    features = gather_tables(shard / "features.parquet" for shard in shards)
    reference = read_table(snakemake.input.reference)
    held_out = read_table(snakemake.input.held_out)
    spec = read_card(Path(snakemake.input.card))
    of_the_set = {
        "reference": reference,
        "held_out": held_out,
        "spec": spec,
        "model": wildcards.model,
        "kind": snakemake.params.kind,
        "seed": int(wildcards.seed),
    }
    self_reports = self_report_scores(load_generated(Path(snakemake.input.raw)))
    metrics = score(features, fates, **of_the_set, self_reports=self_reports)
    meta = provenance(snakemake)
    before = [file for shard in shards if (file := shard / "unrelaxed.parquet").exists()]
    unrelaxed = METRICS_SCHEMA.empty_table().to_pandas()
    if before:
        unrelaxed = score(gather_tables(before), fates, **of_the_set)
    concatenate_files((shard / "clean.extxyz" for shard in shards), output.clean)
    concatenate_files((shard / "relaxed.extxyz" for shard in shards), output.relaxed)
    write_table(fates, output.fates, FATES_SCHEMA, meta)
    write_table(features, output.features, features_schema(features.columns), meta)
    write_table(metrics, output.metrics, METRICS_SCHEMA, meta)
    write_table(unrelaxed, output.unrelaxed, METRICS_SCHEMA, meta)
