"""Errors of the fits of one potential: learning curve and parity."""

import logging
from pathlib import Path

from dismai.files.structures import gather_tables, write_table
from dismai.pipeline.jobs import job, provenance
from dismai.potentials.predictions import CURVE_SCHEMA, learning_curve
from dismai.report.figures import save_figure
from dismai.report.potential import plot_learning, plot_parity

output = snakemake.output

with job(snakemake):
    table = gather_tables([Path(path) for path in snakemake.input.predictions], key=None)
    curve = learning_curve(table)
    logging.info("errors on held-out cells:\n%s", curve.to_string(index=False))
    write_table(curve, Path(output.curve), CURVE_SCHEMA, provenance(snakemake))
    save_figure(plot_parity(table), output.parity)
    save_figure(plot_learning(curve, along="n_train"), output.learning)
