"""Write the metrics of one kind of dataset, with the published numbers beside."""

from pathlib import Path

from dismai.base.card import read_card
from dismai.files.structures import gather_tables
from dismai.pipeline.jobs import job, provenance
from dismai.report.tables import HEADINGS, metrics_table, published_numbers, write_all

output = snakemake.output

with job(snakemake):
    metrics = gather_tables(snakemake.input.metrics, key=None)
    cards = [read_card(Path(card)) for card in snakemake.input.cards]
    unrelaxed = gather_tables(snakemake.input.unrelaxed, key=None)
    published = published_numbers(Path(snakemake.input.published))
    table = metrics_table(metrics, cards, published, unrelaxed)
    write_all(
        table,
        output.table,
        output.csv,
        output.markdown,
        output.page,
        provenance(snakemake),
        HEADINGS[cards[0].kind],
    )
