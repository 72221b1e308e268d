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
    table = metrics_table(metrics, cards, published_numbers(Path(snakemake.input.published)))
    write_all(
        table,
        output.table,
        output.csv,
        output.markdown,
        output.page,
        provenance(snakemake),
        HEADINGS[cards[0].kind],
    )
