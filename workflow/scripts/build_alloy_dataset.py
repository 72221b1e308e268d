"""Select, split and describe the structures of one alloy dataset."""

from pathlib import Path

from dismai.base.card import FccLattice
from dismai.datasets.alloy.build import build, load_snapshots
from dismai.datasets.options import Options
from dismai.geometry.cluster_expansion import read_cluster_expansion
from dismai.pipeline.jobs import job, origin
from dismai.pipeline.relaxed_set import write_dataset

settings, sampling = snakemake.params.settings, snakemake.params.sampling

with job(snakemake):
    expansion = read_cluster_expansion(Path(snakemake.input.ecis))
    lattice = FccLattice(a_A=expansion.a_A, supercell=tuple(sampling["supercell"]))
    train, val, spec = build(
        load_snapshots(Path(snakemake.input.snapshots)),
        snakemake.wildcards.dataset,
        settings["temperature_K"],
        settings["selection"],
        lattice,
        settings["n_structures"],
        sampling["burn_in_passes"],
        settings["sro_tolerance"],
        settings["validation_share"],
        snakemake.params.seed,
        origin(snakemake),
    )
    write_dataset(snakemake, train, val, spec, Options(expansion=expansion))
