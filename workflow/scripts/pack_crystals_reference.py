"""Pack the features of crystals into the reference set that ships with the package."""

from pathlib import Path

from dismai.base.card import read_card
from dismai.evaluation.reference import pack_table
from dismai.files.structures import read_table
from dismai.pipeline.jobs import job

with job(snakemake):
    pack_table(
        read_table(Path(snakemake.input.train)),
        read_table(Path(snakemake.input.val)),
        read_card(Path(snakemake.input.card)),
        Path(snakemake.output.reference),
    )
