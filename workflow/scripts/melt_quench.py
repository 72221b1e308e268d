"""Make a large cell of amorphous silicon by molecular dynamics, or go on from its last state."""

from pathlib import Path

from dismai.base.atomic import locked
from dismai.base.seeds import seed_for
from dismai.datasets.amorphous_si.melt_quench import melt_quench
from dismai.datasets.amorphous_si.settings import MeltQuench
from dismai.files.structures import write_cell
from dismai.pipeline.jobs import job, state_folder

settings = MeltQuench(**snakemake.params.settings)
state = state_folder(snakemake) / "melt_quench"

with job(snakemake), locked(state):
    atoms = melt_quench(
        settings.n_atoms,
        settings.stages,
        state,
        seed_for(snakemake.params.seed, "melt_quench"),
        snakemake.threads,
        settings.state_every,
    )
    write_cell(atoms, Path(snakemake.output.bulk))
