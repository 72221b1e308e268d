"""Take relaxed interfaces of low energy, split and describe them: one dataset."""

from dismai.datasets.interface.build import build
from dismai.datasets.interface.settings import InterfaceDataset
from dismai.files.structures import gather_tables
from dismai.pipeline.jobs import job, origin
from dismai.pipeline.relaxed_set import read_shards, write_dataset

with job(snakemake):
    settings = InterfaceDataset(
        **{**snakemake.params.settings, "relaxation": snakemake.params.relaxation}
    )
    geometry = settings.geometry.reading(snakemake.input.crystals)
    settings = settings.model_copy(update={"geometry": geometry})
    train, val, spec = build(
        read_shards(snakemake.input.relaxed),
        gather_tables(snakemake.input.tables),
        snakemake.wildcards.dataset,
        settings,
        snakemake.params.seed,
        origin(snakemake),
    )
    write_dataset(snakemake, train, val, spec)
