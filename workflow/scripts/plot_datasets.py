"""Draw a training structure of every dataset."""

from pathlib import Path

from dismai.pipeline.jobs import job
from dismai.report.figures import plot_datasets, save_figure

files = snakemake.input

with job(snakemake):
    figure = plot_datasets(list(map(Path, files.cards)), list(map(Path, files.train)))
    save_figure(figure, snakemake.output.figure)
