"""Write the table of the alloys and the ranking, with the published numbers beside."""

from pathlib import Path

from dismai.datasets.spec import read_card
from dismai.io import gather_tables
from dismai.jobs import job, provenance
from dismai.report.tables import alloy_table, published_numbers, ranking, write_all

output = snakemake.output

with job(snakemake):
    metrics = gather_tables(snakemake.input.metrics, key=None)
    cards = [read_card(Path(card)) for card in snakemake.input.cards]
    published = published_numbers(Path(snakemake.input.published))
    meta = provenance(snakemake)
    table = alloy_table(metrics, cards, published)
    write_all(table, output.table, output.csv, output.markdown, output.page, meta)
    ranks = ranking(metrics)
    write_all(
        ranks,
        output.ranking,
        output.ranking_csv,
        output.ranking_markdown,
        output.ranking_page,
        meta,
    )
