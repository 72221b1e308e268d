"""Draw structures from one trained model, or go on after the last finished batch."""

from pathlib import Path

from dismai import models
from dismai.base.atomic import locked
from dismai.base.card import read_card
from dismai.base.seeds import seed_for
from dismai.evaluation.sampling_match import with_best_steps
from dismai.files.structures import write_structures
from dismai.models.pretrained import check_card
from dismai.pipeline.jobs import deterministic, device, job, state_folder

names = (snakemake.wildcards.dataset, snakemake.wildcards.model, int(snakemake.wildcards.seed))

target = Path(snakemake.output.structures)
state = state_folder(snakemake)

with job(snakemake, saves=True), locked(state):
    model = models.load(Path(snakemake.input.model))
    model.device, model.deterministic = device(snakemake), deterministic(snakemake)
    model.state_folder = state
    if snakemake.input.card:
        check_card(model.spec, read_card(Path(snakemake.input.card)), snakemake.input.model)
    if sampling := snakemake.params.get("sampling"):
        model = models.with_hparams(model, sampling)
    if snakemake.input.steps:
        model = with_best_steps(model, Path(snakemake.input.steps))
    seed = seed_for(snakemake.params.seed, "generate", *names)
    structures = models.sample(model, snakemake.params.n_structures, seed)
    write_structures(structures, target)
