"""Generate structures with a third-party model by the command of the configuration."""

from dismai.base.seeds import seed_for
from dismai.pipeline.external import run_command
from dismai.pipeline.jobs import job

names = (snakemake.wildcards.dataset, snakemake.wildcards.model, int(snakemake.wildcards.seed))

with job(snakemake, saves=True):
    values = {
        "card": snakemake.input.card,
        "model": snakemake.input.model,
        "output": snakemake.output.structures,
        "n": snakemake.params.n_structures,
        "seed": seed_for(snakemake.params.seed, "generate", *names) % 2**31,
    }
    run_command(snakemake.params.words, values, snakemake.params.timeout_minutes, makes="output")
