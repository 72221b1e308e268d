"""Relax one crystal of an interface, its cell too, under the engine of the labels."""

from pathlib import Path

from dismai.base.atomic import locked
from dismai.datasets.interface.crystals import relax_crystal
from dismai.dft.settings import Dft
from dismai.pipeline.jobs import job, launcher, state_folder

name = snakemake.wildcards.crystal
state = state_folder(snakemake) / name

with job(snakemake), locked(state):
    dft = Dft(**snakemake.params.dft).launched_by(launcher(snakemake))
    target = Path(snakemake.output.crystal)
    relax_crystal(name, Path(snakemake.input.crystal), dft, state, target)
