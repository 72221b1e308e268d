"""docs/results.md: the tables of a submission as Markdown, every number from its files.

python -m dismai.report.results results_mini docs/results.md
"""

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from dismai.base.atomic import write_atomically
from dismai.base.kinds import KINDS
from dismai.evaluation.agreement import agreement
from dismai.evaluation.ranking import ranking
from dismai.evaluation.runs import published_run
from dismai.evaluation.submission import SubmissionCard
from dismai.report.leaderboard import Benchmark, benchmarks_of, notes_of, table_of
from dismai.report.ranking import NONE, ranking_notes, readable_ranking
from dismai.report.tables import to_markdown

COLUMNS = 100
TAU = (
    "Kendall's tau-b between our order and the published one, of the models that both have: 1 is "
    "the same order, -1 the reverse. Brackets: 95 % of the resamples of our ranks. Sizes, training "
    "sets and trainings differ from the paper's, so agreement is no test of either."
)


def results_page(folder: Path) -> str:
    """The page as Markdown; the same submission gives the same text."""
    (found,) = benchmarks_of([folder])
    return "\n".join(_wrapped(part) for part in _parts(found, found.cards[0]))


def _wrapped(part: str) -> str:
    """Lines of at most 100 columns but for tables, of which GitHub takes no wrapped rows."""
    lines = part.split("\n")
    return "\n".join(line if line.startswith(("|", "#")) else _filled(line) for line in lines)


def _filled(line: str) -> str:
    indent = "  " if line.startswith("- ") else ""
    return textwrap.fill(line, COLUMNS, subsequent_indent=indent, break_on_hyphens=False)


def _parts(found: Benchmark, card: SubmissionCard) -> Iterator[str]:
    final, datasets = found.scored_last(), found.datasets
    headlines = {name: KINDS[data.kind].headline for name, data in datasets.items()}
    yield f"# Results: {card.name}\n"
    yield (
        "Made from the files of the submission by `python -m dismai.report.results`; nothing here "
        "is written by hand.\n"
    )
    if card.note:
        yield f"{card.note}\n"
    yield _origin(card)
    yield "## Over all datasets\n"
    table = ranking(final, headlines)
    yield to_markdown(readable_ranking(table))
    yield "\n".join(_listed(ranking_notes(table))) + "\n"
    yield "## Agreement with the published order\n"
    yield to_markdown(_agreement(agreement(final, published_run(), headlines)), notes=[TAU])
    sets = found.sets()
    for name, data in datasets.items():
        yield f"## {name}\n"
        sizes = f"{data.n_train} training and {data.n_val} held-out structures"
        yield f"{sizes} of {data.n_atoms} atoms.\n"
        for relaxed, rows in found.states(sets, name):
            shown = table_of(rows, data.kind)
            shown.attrs["caption"] = "Relaxed" if relaxed else "As they were generated"
            yield to_markdown(shown)
        yield "\n".join(_listed(notes_of(data.kind))) + "\n"


def _origin(card: SubmissionCard) -> str:
    terms = {
        "command": f"`{card.command}`, with `config.yaml` of the submission",
        "commit": f"`{card.commit}`",
        "hardware": card.hardware,
        "processor hours of all jobs": f"{card.processor_hours:.3g}",
        "seeds": ", ".join(map(str, card.seeds)),
    }
    return to_markdown(pd.DataFrame({"what": list(terms), "": list(terms.values())}))


def _agreement(table: pd.DataFrame) -> pd.DataFrame:
    """Dataset, models that both have, and tau with its interval, for people."""
    tau = [
        NONE if np.isnan(row.tau) else f"{row.tau:.2f} [{row.tau_low:.2f}, {row.tau_high:.2f}]"
        for row in table.itertuples()
    ]
    columns = {"dataset": table["dataset"], "models": table["n_models"].astype(str), "tau": tau}
    return pd.DataFrame(columns)


def _listed(notes: list[str]) -> list[str]:
    return [f"- {note}" for note in notes]


if __name__ == "__main__":
    write_atomically(Path(sys.argv[2]), results_page(Path(sys.argv[1])))
