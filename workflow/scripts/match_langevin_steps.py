"""Choose the Langevin steps of one trained model by energies of the structures that it draws."""

from pathlib import Path

from dismai import models
from dismai.base.atomic import locked
from dismai.base.card import read_card
from dismai.base.columns import ENERGY
from dismai.base.seeds import seed_for
from dismai.datasets.options import Options
from dismai.evaluation.sampling_match import match_energies
from dismai.files.structures import read_table, write_csv
from dismai.models.settings import LangevinMatch
from dismai.pipeline.jobs import deterministic, device, job, state_folder
from dismai.pipeline.relaxation import relaxation_plan

names = (snakemake.wildcards.dataset, snakemake.wildcards.model, int(snakemake.wildcards.seed))
state = state_folder(snakemake) / "langevin"

with job(snakemake, saves=True), locked(state):
    match = LangevinMatch(**snakemake.params.match)
    model = models.load(Path(snakemake.input.model))
    model.device, model.deterministic = device(snakemake), deterministic(snakemake)
    table = match_energies(
        model,
        match.steps,
        match.n_structures,
        seed_for(snakemake.params.seed, "match_langevin_steps", *names),
        read_card(Path(snakemake.input.card)),
        Options(relaxation=relaxation_plan(snakemake)),
        read_table(Path(snakemake.input.features))[ENERGY].to_numpy(),
        state,
    )
    write_csv(table, Path(snakemake.output.table), digits=6)
