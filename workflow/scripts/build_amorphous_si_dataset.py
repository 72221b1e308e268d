"""Take relaxed blocks, split and describe them: one dataset of amorphous silicon."""

from pathlib import Path

from dismai.datasets.amorphous_si.build import build
from dismai.datasets.amorphous_si.bulk import read_bulk
from dismai.datasets.amorphous_si.settings import AmorphousSiDataset
from dismai.files.structures import gather_tables
from dismai.pipeline.jobs import job, origin
from dismai.pipeline.relaxed_set import read_shards, write_dataset

with job(snakemake):
    train, val, spec = build(
        read_shards(snakemake.input.relaxed),
        gather_tables(snakemake.input.tables),
        snakemake.wildcards.dataset,
        AmorphousSiDataset(**snakemake.params.settings),
        read_bulk(Path(snakemake.input.bulk)),
        origin(snakemake),
    )
    write_dataset(snakemake, train, val, spec)
