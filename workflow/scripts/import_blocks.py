"""Take over a ready-made set of amorphous silicon: fetched, checked, split."""

import tempfile
from pathlib import Path

from dismai.base.seeds import seed_for
from dismai.datasets.amorphous_si.build import mark_parts
from dismai.files.archive import extract, fetch, read_ready_made
from dismai.files.structures import write_structures
from dismai.pipeline.jobs import job

settings = snakemake.params.settings

with job(snakemake), tempfile.TemporaryDirectory() as folder:
    archive, content = Path(folder) / "archive", Path(folder) / "structures.extxyz"
    fetch(snakemake.input.source or settings["source"], settings["sha256"], archive)
    extract(archive, settings["member"], content)
    structures = read_ready_made(content, {"Si": settings["n_atoms"]}, settings["n_structures"])
    seed = seed_for(snakemake.params.seed, "slice_blocks", snakemake.wildcards.dataset)
    mark_parts(structures, settings["validation_share"], seed)
    write_structures(structures, Path(snakemake.output.blocks))
