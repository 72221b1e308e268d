"""Figures of one dataset of amorphous silicon: network, energies, structures, training curves."""

from dismai.pipeline.figure_inputs import figure_inputs
from dismai.pipeline.jobs import job
from dismai.report.curves import (
    plot_factor_and_dihedral,
    plot_pair_and_angle,
    plot_rings_and_coordination,
    plot_si_motifs,
)
from dismai.report.figures import plot_energies, plot_structures, plot_training, save_figure

output = snakemake.output

with job(snakemake):
    inputs = figure_inputs(snakemake)
    reference, features, models = inputs.reference, inputs.features, inputs.models
    save_figure(plot_pair_and_angle(reference, features, models), output.rdf)
    save_figure(plot_factor_and_dihedral(reference, features, models), output.factor)
    save_figure(plot_rings_and_coordination(reference, features, models), output.rings)
    save_figure(plot_si_motifs(reference, features, models), output.motifs)
    energies = plot_energies(reference, features, inputs.n_atoms, "amorphous_si", models)
    save_figure(energies, output.energy)
    save_figure(plot_structures(inputs.pictured), output.structures)
    save_figure(plot_training(inputs.histories), output.training)
