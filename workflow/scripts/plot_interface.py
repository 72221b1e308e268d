"""Figures of one interface dataset: energies, motifs, profile, structures, training curves."""

from pathlib import Path

from dismai.base.card import read_card
from dismai.pipeline.figure_inputs import figure_inputs
from dismai.pipeline.jobs import job
from dismai.report.curves import plot_cation_motifs, plot_gamma, plot_profile
from dismai.report.figures import plot_structures, plot_training, save_figure

output = snakemake.output
SIDE = "-90x"

with job(snakemake):
    inputs = figure_inputs(snakemake)
    reference, features, models = inputs.reference, inputs.features, inputs.models
    spec = read_card(Path(snakemake.input.card))
    save_figure(plot_gamma(reference, features, spec, models), output.gamma)
    save_figure(plot_cation_motifs(reference, features, models), output.motifs)
    save_figure(plot_profile(reference, features, models), output.profile)
    save_figure(plot_structures(inputs.pictured, SIDE), output.structures)
    save_figure(plot_training(inputs.histories), output.training)
