"""Make the structures of one baseline."""

from pathlib import Path

from dismai.base.card import read_card
from dismai.base.seeds import seed_for
from dismai.datasets.baselines import make
from dismai.files.structures import read_structures, write_structures
from dismai.pipeline.jobs import job

with job(snakemake):
    structures = make(
        snakemake.wildcards.model,
        read_structures(Path(snakemake.input.train)),
        read_structures(Path(snakemake.input.val)),
        read_card(Path(snakemake.input.card)),
        snakemake.params.n_structures,
        snakemake.params.settings["gaussian_displacement_A"],
        seed_for(snakemake.params.seed, "baseline", int(snakemake.wildcards.seed)),
    )
    write_structures(structures, Path(snakemake.output.structures))
