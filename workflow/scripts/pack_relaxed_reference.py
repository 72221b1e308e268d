"""Pack the features of relaxed structures into the small reference set that ships along."""

from pathlib import Path

from dismai.base.card import read_card
from dismai.evaluation.reference import pack_features
from dismai.files.structures import read_table
from dismai.pipeline.jobs import job
from dismai.potentials import check_entry, potential_digest, with_file_at

file = snakemake.input.potential

with job(snakemake):
    pack_features(
        read_table(Path(snakemake.input.train)),
        read_table(Path(snakemake.input.val)),
        read_card(Path(snakemake.input.card)),
        potential_digest(
            with_file_at(check_entry(snakemake.params.potential), Path(file) if file else None)
        ),
        Path(snakemake.output.reference),
    )
