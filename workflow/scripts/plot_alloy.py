"""Figures of one alloy dataset: SRO, energies, structures, training curves."""

from dismai.jobs import job
from dismai.report.figures import (
    plot_energies,
    plot_sro,
    plot_structures,
    plot_training,
    save_figure,
)
from dismai.report.inputs import figure_inputs

output = snakemake.output

with job(snakemake):
    inputs = figure_inputs(snakemake)
    reference, features = inputs.reference, inputs.features
    n_atoms = len(inputs.pictured["training"])
    save_figure(plot_sro(reference, features), output.sro)
    save_figure(plot_energies(reference, features, n_atoms, "alloy"), output.energy)
    save_figure(plot_structures(inputs.pictured), output.structures)
    save_figure(plot_training(inputs.histories), output.training)
