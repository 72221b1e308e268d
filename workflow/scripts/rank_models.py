"""Rank all models and baselines over the datasets."""

from pathlib import Path

from dismai.base.card import read_card
from dismai.evaluation.resampling import with_feature_files
from dismai.files.structures import gather_tables
from dismai.pipeline.jobs import job, provenance
from dismai.report.figures import save_figure
from dismai.report.ranking import plot_spider
from dismai.report.tables import ranking, write_all

files, output = snakemake.input, snakemake.output

with job(snakemake):
    cards = [read_card(Path(card)) for card in files.cards]
    metrics = gather_tables(files.metrics, key=None)
    metrics = with_feature_files(metrics, files.features, files.training)
    ranks = ranking(metrics, cards)
    meta = provenance(snakemake)
    write_all(ranks, output.table, output.csv, output.markdown, output.page, meta)
    save_figure(plot_spider(ranks), output.spider)
