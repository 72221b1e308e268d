"""Quench amorphous cells one by one, or go on with those of an earlier try."""

from pathlib import Path

from dismai.baselines import fresh_quenches
from dismai.datasets.settings import Stage
from dismai.datasets.spec import read_card
from dismai.io import write_structures
from dismai.jobs import job, locked
from dismai.seeds import seed_for

target = Path(snakemake.output.structures)
state = target.parent / "state"

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
