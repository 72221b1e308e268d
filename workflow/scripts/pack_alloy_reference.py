"""Pack the structures of an alloy into the small reference set that ships with the package."""

from pathlib import Path

from dismai.base.card import read_card
from dismai.evaluation.reference import pack_clusters
from dismai.files.structures import read_structures
from dismai.pipeline.jobs import job

with job(snakemake):
    pack_clusters(
        read_structures(Path(snakemake.input.train)),
        read_structures(Path(snakemake.input.val)),
        read_card(Path(snakemake.input.card)),
        Path(snakemake.output.reference),
    )
