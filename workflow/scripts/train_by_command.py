"""Train a third-party model by the command of the configuration."""

from dismai.base.atomic import locked
from dismai.base.seeds import seed_for
from dismai.pipeline.external import run_command
from dismai.pipeline.jobs import job, state_folder

names = (snakemake.wildcards.dataset, snakemake.wildcards.model, int(snakemake.wildcards.seed))
state = state_folder(snakemake)

with job(snakemake, saves=True), locked(state):
    values = {
        "train": snakemake.input.train,
        "val": snakemake.input.val,
        "card": snakemake.input.card,
        "model": snakemake.output.model,
        "state": state,
        "seed": seed_for(snakemake.params.seed, "train", *names) % 2**31,
    }
    run_command(snakemake.params.words, values, snakemake.params.timeout_minutes, makes="model")
