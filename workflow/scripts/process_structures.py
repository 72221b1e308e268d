"""Check, clean, relax and describe one shard of generated structures."""

from pathlib import Path

from dismai.base.card import read_card
from dismai.datasets.options import Options
from dismai.evaluation.process import load_generated, process, shard_range
from dismai.files.structures import FATES_SCHEMA, features_schema, write_structures, write_table
from dismai.geometry.cluster_expansion import read_cluster_expansion
from dismai.metrics.clusters import published_expansion
from dismai.pipeline.jobs import job, networks, part_of, provenance
from dismai.pipeline.relaxation import relaxation_plan

shard, n_shards = part_of(snakemake)

with job(snakemake, saves=True):
    n_structures = snakemake.params.n_structures
    only = shard_range(n_structures, shard - 1, n_shards)
    structures = load_generated(Path(snakemake.input.structures), n_structures, only)
    ecis = snakemake.input.ecis
    expansion = read_cluster_expansion(Path(ecis)) if ecis else published_expansion()
    cleaned = snakemake.params.get("cleaned", False)
    options = Options(
        snakemake.params.align,
        expansion,
        relaxation_plan(snakemake),
        cleaned,
        networks(snakemake),
    )
    result = process(structures, read_card(Path(snakemake.input.card)), options)
    folder = Path(snakemake.output.shard)
    write_structures(result.clean, folder / "clean.extxyz")
    write_structures(result.relaxed, folder / "relaxed.extxyz")
    meta = provenance(snakemake)
    write_table(result.fates, folder / "fates.parquet", FATES_SCHEMA, meta)
    tables = {"features": result.features, "unrelaxed": result.unrelaxed}
    for name, table in tables.items():
        if table is not None:  # without relaxation there is no state before it
            write_table(table, folder / f"{name}.parquet", features_schema(table.columns), meta)
