"""Rank all models and baselines over the datasets."""

from pathlib import Path

from dismai.base.card import read_card
from dismai.files.structures import gather_tables
from dismai.pipeline.jobs import job, provenance
from dismai.report.figures import save_figure
from dismai.report.ranking import plot_spider
from dismai.report.tables import ranking, write_all

output = snakemake.output

with job(snakemake):
    cards = [read_card(Path(card)) for card in snakemake.input.cards]
    ranks = ranking(gather_tables(snakemake.input.metrics, key=None), cards)
    meta = provenance(snakemake)
    write_all(ranks, output.table, output.csv, output.markdown, output.page, meta)
    save_figure(plot_spider(ranks), output.spider)
