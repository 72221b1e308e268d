"""Continue some minima of M3GNet under the engine of the labels."""

from pathlib import Path

from dismai.base.atomic import locked, sha256
from dismai.base.seeds import seed_for
from dismai.datasets.interface import random_interface
from dismai.datasets.interface.settings import InterfaceGeometry
from dismai.dft.settings import Dft, PotentialStudy
from dismai.evaluation.process import shard_range
from dismai.evaluation.study_potential import MINIMA_SCHEMA, compare_minima
from dismai.files.structures import write_table
from dismai.pipeline.jobs import job, launcher, part_of, provenance, state_folder
from dismai.potentials.m3gnet import load
from dismai.potentials.settings import RelaxationSettings

params = snakemake.params
shard, n_shards = part_of(snakemake)
model, potential = Path(snakemake.input.potential), snakemake.wildcards.potential
state = state_folder(snakemake)

with job(snakemake, saves=True), locked(state / f"shard{shard}"):
    dft = Dft(**params.dft).launched_by(launcher(snakemake))
    relaxation = RelaxationSettings(**params.relaxation)
    geometry = InterfaceGeometry(**params.geometry).reading(snakemake.input.crystals).model_dump()
    numbers = shard_range(PotentialStudy(**params.study).n_structures, shard - 1, n_shards)
    structures = [
        random_interface(seed_for(params.seed, "study_potential", potential, index), **geometry)
        for index in numbers
    ]
    minima = compare_minima(
        structures, load(model), relaxation, dft, state, sha256(model), numbers.start
    )
    write_table(minima, Path(snakemake.output.minima), MINIMA_SCHEMA, provenance(snakemake))
