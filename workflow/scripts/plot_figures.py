"""Draw the figures of one dataset, those that the outputs of the rule name."""

from dismai.pipeline.figure_inputs import figure_inputs
from dismai.pipeline.jobs import job
from dismai.report.figures import save_figure

with job(snakemake):
    inputs = figure_inputs(snakemake)
    for name, path in snakemake.output.items():
        save_figure(inputs.draw(name), path)
