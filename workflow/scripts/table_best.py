"""The best crystals beside those of the paper's Fig. 13, as a table and as pictures."""

from pathlib import Path

import pandas as pd

from dismai.base.atomic import write_atomically
from dismai.files.structures import gather_tables, write_csv
from dismai.pipeline.jobs import job
from dismai.pipeline.relaxed_set import read_shards
from dismai.report.figures import plot_structures, save_figure
from dismai.report.stability import best_table, readable_best
from dismai.report.tables import to_html

output = snakemake.output

with job(snakemake):
    table = best_table(
        gather_tables(snakemake.input.rows, key=None), pd.read_csv(snakemake.input.published)
    )
    write_csv(table, Path(output.csv), digits=8)
    write_atomically(Path(output.page), to_html(readable_best(table)))
    crystals = read_shards([snakemake.input.best])
    named = {f"{k + 1}: {atoms.symbols}": atoms for k, atoms in enumerate(crystals)}
    save_figure(plot_structures(named), output.figure)
