"""Take relaxed blocks, split and describe them: one dataset of amorphous silicon."""

from pathlib import Path

from dismai.datasets.amorphous_si.build import build
from dismai.datasets.amorphous_si.bulk import read_bulk
from dismai.datasets.amorphous_si.settings import AmorphousSiDataset
from dismai.files.structures import gather_tables, read_structures
from dismai.pipeline.jobs import job, origin
from dismai.pipeline.relaxed_set import read_shards, write_dataset

with job(snakemake):
    relaxed = read_shards(snakemake.input.relaxed)
    settings = AmorphousSiDataset(**snakemake.params.settings)
    ready_made = settings.source is not None
    train, val, spec = build(
        read_structures(Path(snakemake.input.blocks)) if ready_made else relaxed,
        gather_tables(snakemake.input.tables),
        snakemake.wildcards.dataset,
        settings,
        None if ready_made else read_bulk(Path(snakemake.input.bulk)),
        origin(snakemake),
    )
    write_dataset(snakemake, train, val, spec)
