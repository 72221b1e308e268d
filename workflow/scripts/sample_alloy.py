"""Run the Monte Carlo simulations of one temperature."""

from pathlib import Path

from dismai.datasets.alloy.build import sample, save_snapshots
from dismai.geometry.cluster_expansion import read_cluster_expansion
from dismai.pipeline.jobs import job

settings = snakemake.params.settings

with job(snakemake):
    snapshots = sample(
        float(snakemake.wildcards.temperature),
        expansion=read_cluster_expansion(Path(snakemake.input.ecis)),
        supercell=tuple(settings["supercell"]),
        composition=settings["composition"],
        swaps=settings["swaps"],
        n_runs=settings["n_runs"],
        n_passes=settings["n_passes"],
        interval=settings["interval"],
        seed=snakemake.params.seed,
        engine=settings["engine"],
        n_threads=snakemake.threads,
    )
    save_snapshots(snapshots, Path(snakemake.output.snapshots))
