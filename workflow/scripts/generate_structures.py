"""Draw structures from one trained model."""

from pathlib import Path

from dismai import models
from dismai.io import write_structures
from dismai.jobs import device, job
from dismai.seeds import seed_for

names = (snakemake.wildcards.dataset, snakemake.wildcards.model, int(snakemake.wildcards.seed))

with job(snakemake):
    model = models.load(Path(snakemake.input.model))
    model.device = device(snakemake)
    seed = seed_for(snakemake.params.seed, "generate", *names)
    structures = model.sample(snakemake.params.n_structures, seed)
    write_structures(structures, Path(snakemake.output.structures))
