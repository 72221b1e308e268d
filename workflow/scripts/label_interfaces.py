"""Relax one shard of random interfaces under the engine of the labels, or go on with it."""

from pathlib import Path

from dismai.base.atomic import locked
from dismai.datasets.interface.labelling import RELAXATIONS_SCHEMA, Task, label_interfaces
from dismai.datasets.interface.settings import InterfaceGeometry, Labels
from dismai.dft.settings import Dft
from dismai.evaluation.process import shard_range
from dismai.files.structures import write_table
from dismai.pipeline.jobs import job, launcher, part_of, provenance, state_folder
from dismai.potentials.labels import write_labels

params = snakemake.params
shard, n_shards = part_of(snakemake)
dataset = snakemake.wildcards.dataset
state = state_folder(snakemake)

with job(snakemake, saves=True), locked(state / f"shard{shard}"):
    labels = Labels(**params.labels)
    geometry = InterfaceGeometry(**params.geometry).reading(snakemake.input.crystals)
    dft = Dft(**params.dft).launched_by(launcher(snakemake))
    task = Task(dft, labels, geometry.model_dump(), dataset, params.seed)
    indices = shard_range(labels.n_plain + labels.n_exchanged, shard - 1, n_shards)
    found, table = label_interfaces(indices, task, state)
    write_labels(found, Path(snakemake.output.labels))
    write_table(
        table, Path(snakemake.output.relaxations), RELAXATIONS_SCHEMA, provenance(snakemake)
    )
