"""Figures and table of a trained M3GNet."""

from pathlib import Path

import pandas as pd

from dismai.files.structures import read_table, write_csv
from dismai.pipeline.jobs import job
from dismai.report.figures import save_figure
from dismai.report.potential import plot_learning, plot_parity

with job(snakemake):
    save_figure(plot_parity(read_table(snakemake.input.predictions)), snakemake.output.parity)
    history = pd.read_csv(snakemake.input.history)
    save_figure(plot_learning(history, along="step"), snakemake.output.learning)
    errors = read_table(snakemake.input.errors)
    write_csv(errors, Path(snakemake.output.errors), digits=6)
