"""Figures of one interface dataset: energies, motifs, profile, structures, training curves."""

from pathlib import Path

import pandas as pd

from dismai.datasets.spec import read_card
from dismai.io import read_frames, read_structures, read_table
from dismai.jobs import job
from dismai.report.curves import plot_cation_motifs, plot_gamma, plot_profile
from dismai.report.figures import plot_structures, plot_training, save_figure

params, output = snakemake.params, snakemake.output
SIDE = "-90x"

with job(snakemake):
    reference = read_table(snakemake.input.reference)
    tables = [read_table(path) for path in snakemake.input.features]
    features = dict(zip(params.runs, tables, strict=True))
    histories = {
        name: pd.read_csv(path)
        for name, path in zip(params.trained, snakemake.input.histories, strict=True)
    }
    train = read_structures(Path(snakemake.input.train))[0]
    generated = read_frames(Path(snakemake.input.generated[0]), range(1))[0]
    pictures = {"training": train, params.runs[0]: generated}
    spec = read_card(Path(snakemake.input.card))
    save_figure(plot_gamma(reference, features, spec), output.gamma)
    save_figure(plot_cation_motifs(reference, features), output.motifs)
    save_figure(plot_profile(reference, features), output.profile)
    save_figure(plot_structures(pictures, SIDE), output.structures)
    save_figure(plot_training(histories), output.training)
