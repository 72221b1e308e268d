"""Train one model on one dataset, or go on from its last checkpoint."""

from pathlib import Path

from dismai import models
from dismai.base.atomic import locked
from dismai.base.card import read_card
from dismai.base.seeds import seed_for
from dismai.files.structures import read_structures
from dismai.pipeline.jobs import deterministic, device, devices, job, state_folder

names = (snakemake.wildcards.dataset, snakemake.wildcards.model, int(snakemake.wildcards.seed))
target = Path(snakemake.output.model)

with job(snakemake, saves=True), locked(state_folder(snakemake)):
    spec = read_card(Path(snakemake.input.card))
    model = models.create(snakemake.params.architecture, spec, **snakemake.params.hparams)
    model.device, model.deterministic = device(snakemake), deterministic(snakemake)
    model.devices = devices(snakemake)
    train = read_structures(Path(snakemake.input.train))
    val = read_structures(Path(snakemake.input.val))
    models.train(model, train, val, target, seed_for(snakemake.params.seed, "train", *names))
