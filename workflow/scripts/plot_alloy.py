"""Figures of one alloy dataset: SRO, energies, structures, training curves."""

from dismai.pipeline.figure_inputs import figure_inputs
from dismai.pipeline.jobs import job
from dismai.report.figures import (
    plot_energies,
    plot_sro,
    plot_structures,
    plot_training,
    save_figure,
)

output = snakemake.output

with job(snakemake):
    inputs = figure_inputs(snakemake)
    reference, features, models = inputs.reference, inputs.features, inputs.models
    save_figure(plot_sro(reference, features, models), output.sro)
    save_figure(plot_energies(reference, features, inputs.n_atoms, "alloy", models), output.energy)
    save_figure(plot_structures(inputs.pictured), output.structures)
    save_figure(plot_training(inputs.histories), output.training)
