"""Make the structures of one baseline."""

from pathlib import Path

from dismai.baselines import make
from dismai.datasets.spec import read_card
from dismai.io import read_structures, write_structures
from dismai.jobs import job
from dismai.seeds import seed_for

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
