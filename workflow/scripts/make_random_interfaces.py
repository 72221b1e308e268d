"""Make the random interfaces of a dataset, unrelaxed."""

from pathlib import Path

from dismai.datasets.interface.build import random_interfaces
from dismai.datasets.interface.settings import InterfaceGeometry
from dismai.files.structures import write_structures
from dismai.pipeline.jobs import job

with job(snakemake):
    structures = random_interfaces(
        InterfaceGeometry(**snakemake.params.geometry).reading(snakemake.input.crystals),
        snakemake.params.n_structures,
        snakemake.params.seed,
        snakemake.params.purpose,
        snakemake.wildcards.dataset,
    )
    write_structures(structures, Path(snakemake.output.structures))
