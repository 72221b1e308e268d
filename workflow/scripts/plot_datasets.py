"""Draw a training structure of every dataset."""

from pathlib import Path

from dismai.pipeline.jobs import job
from dismai.report.figures import plot_datasets, save_figure

with job(snakemake):
    figure = plot_datasets([Path(card) for card in snakemake.input.cards])
    save_figure(figure, snakemake.output.figure)
