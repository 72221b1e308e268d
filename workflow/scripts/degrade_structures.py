"""Score held-out structures of one dataset under growing damage of every sort."""

from pathlib import Path

from dismai.base.card import read_card
from dismai.datasets.options import Options
from dismai.evaluation.degradation import RESPONSES_SCHEMA, responses, sensitivity
from dismai.files.structures import read_structures, write_csv, write_table
from dismai.geometry.cluster_expansion import read_cluster_expansion
from dismai.pipeline.jobs import job, provenance
from dismai.report.degradation import plot_sensitivity
from dismai.report.figures import save_figure

output = snakemake.output

with job(snakemake):
    table = responses(
        read_structures(Path(snakemake.input.train)),
        read_structures(Path(snakemake.input.val)),
        read_card(Path(snakemake.input.card)),
        Options(expansion=read_cluster_expansion(Path(snakemake.input.ecis))),
        snakemake.params.seed,
    )
    write_table(table, Path(output.table), RESPONSES_SCHEMA, provenance(snakemake))
    found = sensitivity(table)
    write_csv(found, Path(output.sensitivity), digits=8)
    save_figure(plot_sensitivity({snakemake.wildcards.dataset: found}), output.figure)
