"""Read one part of the files of crystals, and bring them to standard cells."""

from pathlib import Path

from dismai.datasets.crystals.filter import CIF_FATES_SCHEMA, crystal, fates
from dismai.datasets.crystals.read import read
from dismai.datasets.crystals.settings import CrystalsDataset
from dismai.files.structures import write_structures, write_table
from dismai.pipeline.jobs import job, part_of, provenance

shard, n_shards = part_of(snakemake)

with job(snakemake):
    settings = CrystalsDataset(**snakemake.params.settings)
    frames = read(Path(snakemake.input.source), shard - 1, n_shards)
    crystals = [crystal(frame, settings) for frame in frames]
    accepted = [one for one in crystals if not isinstance(one, Exception)]
    write_structures(accepted, Path(snakemake.output.crystals))
    write_table(
        fates(crystals), Path(snakemake.output.fates), CIF_FATES_SCHEMA, provenance(snakemake)
    )
