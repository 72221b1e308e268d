"""Cut blocks from the large cell of silicon."""

from pathlib import Path

from dismai.base.seeds import seed_for
from dismai.datasets.amorphous_si.blocks import slice_blocks
from dismai.datasets.amorphous_si.bulk import read_bulk
from dismai.files.structures import write_structures
from dismai.pipeline.jobs import job

settings = snakemake.params.settings

with job(snakemake):
    blocks = slice_blocks(
        read_bulk(Path(snakemake.input.bulk), snakemake.params.sha256),
        settings["n_atoms"],
        settings["n_structures"],
        settings["split"],
        settings["validation_share"],
        seed_for(snakemake.params.seed, "slice_blocks", snakemake.wildcards.dataset),
        settings["spare_share"],
        settings["candidates"],
    )
    write_structures(blocks, Path(snakemake.output.blocks))
