"""Take over a file of structures made elsewhere."""

from pathlib import Path

from dismai.evaluation.process import import_file
from dismai.pipeline.jobs import job

with job(snakemake):
    import_file(
        Path(snakemake.input.structures),
        snakemake.params.n_structures,
        Path(snakemake.output.structures),
    )
