"""Quench amorphous cells one by one, or go on with those of an earlier try."""

from pathlib import Path

from dismai.base.atomic import locked
from dismai.base.card import read_card
from dismai.base.seeds import seed_for
from dismai.datasets.amorphous_si.settings import Stage
from dismai.datasets.baselines import fresh_quenches
from dismai.files.structures import write_structures
from dismai.pipeline.jobs import job, state_folder

target = Path(snakemake.output.structures)
state = state_folder(snakemake)

with job(snakemake), locked(state):
    structures = fresh_quenches(
        read_card(Path(snakemake.input.card)),
        [Stage(**stage) for stage in snakemake.params.stages],
        snakemake.params.n_structures,
        seed_for(snakemake.params.seed, "baseline", int(snakemake.wildcards.seed)),
        state,
        snakemake.threads,
    )
    write_structures(structures, target)
