"""Tables of the studies for people, and what their figures share."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dismai.base.atomic import write_atomically
from dismai.datasets.published import shown
from dismai.evaluation.study import STATEMENTS_SCHEMA, STUDY_SCHEMA
from dismai.files.structures import write_csv, write_table
from dismai.report.tables import to_html, to_markdown

INTERVALS = (
    "Brackets: 95 % interval; of several trainings that of their mean (Student's t) or that over "
    "their structures, whichever is wider; of a single one that over its structures."
)
HELD = (
    "held: whether the difference (second - first) has the sign that the paper states: yes or no "
    "where its 95 % interval leaves out 0, open otherwise."
)


def readable_study(table: pd.DataFrame, words: Mapping[str, str]) -> list[pd.DataFrame]:
    """One table a group: a row a name, a column a number that any of them has.

    table: as in `STUDY_SCHEMA`.  words: headings by metric, in their order.
    """
    found = []
    for group, own in table.groupby("group", sort=False):
        rows = {}
        for row in own.itertuples():
            cells = rows.setdefault(
                row.name, {"seeds": row.n_seeds, "structures": row.n_structures}
            )
            cells["seeds"] = max(cells["seeds"], row.n_seeds)
            cells[words[row.metric]] = shown(row.value, row.low, row.high) or "–"
            if not np.isnan([row.published, row.published_low]).all():
                theirs = shown(row.published, row.published_low, row.published_high)
                cells[f"{words[row.metric]}, published"] = theirs
        headings = [name for word in words.values() for name in (word, f"{word}, published")]
        known = [name for name in headings if any(name in cells for cells in rows.values())]
        wide = pd.DataFrame(list(rows.values()), columns=["seeds", "structures", *known])
        wide.insert(0, "name", list(rows))
        wide = wide.fillna("–")
        wide.attrs["caption"] = str(group)
        found.append(wide)
    return found


def readable_statements(statements: pd.DataFrame, words: Mapping[str, str]) -> pd.DataFrame:
    """What the paper says, the difference that it is about, and whether it held."""
    shape = statements.assign(
        metric=statements["metric"].map(words),
        difference=[
            shown(row.difference, row.low, row.high) or "–" for row in statements.itertuples()
        ],
    )
    wide = shape[["statement", "metric", "first", "second", "difference", "held"]]
    wide.attrs["caption"] = "What the paper states"
    return wide


def write_study(
    table: pd.DataFrame,
    statements: pd.DataFrame | None,
    words: Mapping[str, str],
    files: Any,
    meta: dict[str, str],
    notes: Sequence[str] = (),
) -> None:
    """Write the table of a study, and for people a page of it and of what the paper states.

    Args:
        table: as in `STUDY_SCHEMA`.
        statements: as in `STATEMENTS_SCHEMA`; None: the study has none.
        words: headings by metric.
        files: paths with the names table (Parquet), csv, markdown, page, and statements (CSV) if
            there are any.
        meta: footer of the Parquet table.
        notes: sentences below the tables.
    """
    write_table(table, Path(files.table), STUDY_SCHEMA, meta)
    write_csv(table, Path(files.csv), digits=6)
    tables, below = readable_study(table, words), [INTERVALS, *notes]
    if statements is not None:
        write_csv(statements[STATEMENTS_SCHEMA.names], Path(files.statements), digits=6)
        tables.append(readable_statements(statements, words))
        below.append(HELD)
    write_atomically(Path(files.markdown), to_markdown(*tables, notes=below))
    write_atomically(Path(files.page), to_html(*tables, notes=below))
