"""Fit the ECIs of the alloys to energies: cross-validation, order energies, figure."""

from pathlib import Path

from dismai.base.atomic import sha256
from dismai.datasets.alloy.expansion_fit import count_all, fit_expansion, order_table, read_energies
from dismai.datasets.alloy.settings import ExpansionFit
from dismai.files.structures import write_csv
from dismai.geometry.cluster_expansion import write_cluster_expansion
from dismai.pipeline.jobs import job
from dismai.report.expansion import plot_expansion_fit
from dismai.report.figures import save_figure

output = snakemake.output
labels = Path(snakemake.input.labels)

with job(snakemake):
    settings = ExpansionFit(**snakemake.params.settings)
    alloys, energies = read_energies(labels)
    counted = count_all(alloys, settings.a_A, labels)
    fit = fit_expansion(counted, energies, settings.a_A, settings.n_folds)
    order = order_table(fit)
    source = f"fitted to {len(alloys)} alloys, SHA-256 of their file {sha256(labels)}"
    write_cluster_expansion(fit.expansion, Path(output.ecis), source)
    write_csv(fit.validation, Path(output.validation), digits=6)
    write_csv(order, Path(output.order), digits=6)
    save_figure(plot_expansion_fit(fit.validation, order), output.figure)
