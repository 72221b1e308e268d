"""Pack the structures of an alloy into the small reference set that ships with the package."""

from pathlib import Path

from dismai.datasets.spec import read_card
from dismai.io import read_structures
from dismai.jobs import job
from dismai.reference import pack_clusters

with job(snakemake):
    pack_clusters(
        read_structures(Path(snakemake.input.train)),
        read_structures(Path(snakemake.input.val)),
        read_card(Path(snakemake.input.card)),
        Path(snakemake.output.reference),
    )
