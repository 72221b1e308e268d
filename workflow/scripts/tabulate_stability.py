"""Stability of all sets of a dataset in numbers, and its figures."""

from pathlib import Path

from dismai.base.atomic import write_atomically
from dismai.files.structures import read_table, write_csv
from dismai.pipeline.jobs import job
from dismai.report.crystals import plot_above_hull, plot_formation
from dismai.report.figures import save_figure
from dismai.report.stability import last_steps, pooled, readable, stability_table
from dismai.report.tables import to_html

params, output = snakemake.params, snakemake.output

with job(snakemake):
    tables = [read_table(path) for path in snakemake.input.tables]
    training = read_table(snakemake.input.training)
    steps = last_steps(params.trained, snakemake.input.histories)
    table = stability_table(params.runs, tables, training, steps)
    write_csv(table, Path(output.csv), digits=8)
    write_atomically(Path(output.page), to_html(readable(table)))
    sets = pooled(params.runs, tables)
    save_figure(plot_above_hull(training, sets, params.models), output.hull)
    save_figure(plot_formation(training, sets, params.models), output.formation)
