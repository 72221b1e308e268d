"""Rank all models and baselines over the datasets."""

from pathlib import Path

from dismai.base.card import read_card
from dismai.evaluation.resampling import with_features
from dismai.files.structures import gather_tables
from dismai.pipeline.jobs import job, provenance
from dismai.report.figures import save_figure
from dismai.report.ranking import plot_spider
from dismai.report.tables import ranking, write_all

output = snakemake.output

with job(snakemake):
    cards = [read_card(Path(card)) for card in snakemake.input.cards]
    metrics = gather_tables(snakemake.input.metrics, key=None)
    ranks = ranking(with_features(metrics, Path(output.table).parents[1]), cards)
    meta = provenance(snakemake)
    write_all(ranks, output.table, output.csv, output.markdown, output.page, meta)
    save_figure(plot_spider(ranks), output.spider)
