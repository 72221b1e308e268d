"""Take the crystals that were read, leave out copies, split and describe them: one dataset."""

from pathlib import Path

from dismai.datasets.crystals.build import build
from dismai.datasets.crystals.filter import (
    CIF_FATES_SCHEMA,
    fates,
    flags,
    in_their_places,
    without_flagged_and_copies,
)
from dismai.datasets.crystals.settings import CrystalsDataset
from dismai.datasets.options import Options
from dismai.files.structures import gather_tables, write_table
from dismai.pipeline.jobs import job, networks, origin, provenance
from dismai.pipeline.relaxed_set import read_shards, write_dataset

with job(snakemake):
    read = in_their_places(
        read_shards(snakemake.input.crystals), gather_tables(snakemake.input.fates, key=None)
    )
    leave_out = snakemake.input.leave_out
    crystals = without_flagged_and_copies(read, flags(Path(leave_out) if leave_out else None))
    train, val, spec = build(
        crystals,
        snakemake.wildcards.dataset,
        CrystalsDataset(**snakemake.params.settings),
        origin(snakemake),
        snakemake.params.seed,
    )
    meta = provenance(snakemake)
    write_table(fates(crystals), Path(snakemake.output.fates), CIF_FATES_SCHEMA, meta)
    write_dataset(snakemake, train, val, spec, Options(networks=networks(snakemake)))
