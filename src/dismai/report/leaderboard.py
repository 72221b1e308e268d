"""The leaderboard: one HTML file that opens offline, made of submissions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import pandas as pd

from dismai import __version__
from dismai.base.atomic import write_atomically
from dismai.base.errors import InputError
from dismai.base.kinds import KINDS, in_our_order
from dismai.base.resources import resource
from dismai.evaluation.copies import copies
from dismai.evaluation.ranking import BASELINE, ranking
from dismai.evaluation.submission import (
    SubmissionCard,
    SubmittedDataset,
    load_submission,
    training_fingerprints,
)
from dismai.metrics.entries import METRICS
from dismai.report.document import POLICY, document
from dismai.report.ranking import FEW, ranking_notes, readable_ranking
from dismai.report.style import swatches
from dismai.report.tables import HEADINGS, html_table, over_seeds, wide_table

TITLE = "Dismai-Bench, leaderboard"
SAME_SHARE = 0.75
FLOOR = (
    "Baselines learn nothing. held_out is the noise floor: structures of the dataset that no model "
    "has seen. A value below it is not better than the data."
)
BRACKETS = "Brackets: least and greatest value of the trainings, or the 95 % interval of one."


@dataclass
class Benchmark:
    """Submissions that compare: on datasets that they share they have the same training sets.

    Relaxations end a little elsewhere on another machine: sets are the same where at least
    `SAME_SHARE` of their structures are.
    """

    owners: dict[str, tuple[Path, SubmittedDataset]] = field(default_factory=dict)
    cards: list[SubmissionCard] = field(default_factory=list)
    metrics: list[pd.DataFrame] = field(default_factory=list)

    def takes(self, folder: Path, card: SubmissionCard) -> bool:
        """Whether a submission compares with those that are here."""
        shared = [name for name in card.datasets if name in self.owners]
        return bool(shared) and all(self._same(folder, card, name) for name in shared)

    def _same(self, folder: Path, card: SubmissionCard, name: str) -> bool:
        (owner, ours), theirs = self.owners[name], card.datasets[name]
        if ours.reference_sha256 == theirs.reference_sha256:
            return True
        if (ours.kind, ours.n_train, ours.n_atoms) != (theirs.kind, theirs.n_train, theirs.n_atoms):
            return False
        sets = [training_fingerprints(one, name)[0] for one in (folder, owner)]
        return bool(copies(*sets, KINDS[ours.kind].on_fcc).mean() >= SAME_SHARE)

    def add(self, folder: Path, card: SubmissionCard, metrics: pd.DataFrame) -> None:
        self.owners = {name: (folder, one) for name, one in card.datasets.items()} | self.owners
        self.cards.append(card)
        self.metrics.append(metrics)

    @property
    def datasets(self) -> Mapping[str, SubmittedDataset]:
        """What the first card that has it says of every dataset, in the order of our kinds."""
        return {name: self.owners[name][1] for name in in_our_order(self.owners)}

    def sets(self) -> pd.DataFrame:
        """Metrics of all submissions, models named apart; of equal baselines the first."""
        own, beside = [], {}
        owners = pd.Series(
            [name for table in self.metrics for name in _models(table)], dtype=str
        ).value_counts()
        for card, table in zip(self.cards, self.metrics, strict=True):
            models = table[table["kind"] != BASELINE]
            several = models["model"].map(owners) > 1
            apart = models["model"] + ", " + card.name
            own.append(models.assign(model=models["model"].where(~several, apart)))
            for key, rows in table[table["kind"] == BASELINE].groupby(["dataset", "model"]):
                beside.setdefault(key, rows)
        return pd.concat([*own, *beside.values()], ignore_index=True)

    def states(self, sets: pd.DataFrame, name: str) -> Iterator[tuple[bool, pd.DataFrame]]:
        """Of `sets` those of a dataset: relaxed ones, if any, then ones as they were drawn."""
        for relaxed in (True, False) if self.datasets[name].relaxed else (False,):
            rows = sets[(sets["dataset"] == name) & (sets["relaxed"] == relaxed)]
            if len(rows):
                yield relaxed, rows

    def scored_last(self) -> pd.DataFrame:
        """The same, of datasets with relaxed structures only those after relaxation."""
        sets, datasets = self.sets(), self.datasets
        return sets[sets["relaxed"] == sets["dataset"].map(lambda name: datasets[name].relaxed)]


def _models(table: pd.DataFrame) -> list[str]:
    return list(table.loc[table["kind"] != BASELINE, "model"].unique())


def write_leaderboard(folders: Sequence[Path], out: Path) -> None:
    """Write the page of some submissions.

    Raises:
        InputError: no submission, or two of one name.
    """
    write_atomically(out, leaderboard_page(folders))


def benchmarks_of(folders: Sequence[Path]) -> list[Benchmark]:
    """Submissions, those together that compare."""
    found: list[Benchmark] = []
    names: dict[str, Path] = {}
    for folder in folders:
        card, metrics = load_submission(folder)
        if card.name in names:
            raise InputError(
                f"{folder}: expected another name than that of {names[card.name]}, found "
                f"{card.name!r} in both cards"
            )
        names[card.name] = folder
        place = next((one for one in found if one.takes(Path(folder), card)), None)
        if place is None:
            found.append(place := Benchmark())
        place.add(Path(folder), card, metrics)
    return found


def leaderboard_page(folders: Sequence[Path]) -> str:
    """The page as HTML text; the same submissions give the same text."""
    found = benchmarks_of(folders)
    sections = "".join(part for one in found for part in _sections(one))
    style = resource("page/run.css").read_text(encoding="utf-8")
    script = resource("page/leaderboard.js").read_text(encoding="utf-8")
    body = (
        '<a class="skip" href="#tables">To the tables</a>'
        f"<header><h1>{TITLE}</h1><p class=soft>{_size(found)}</p>"
        f"{_filters(found)}</header>\n"
        f'<main id="tables">{sections}{_about(found)}</main>\n'
        f"<footer>Written by dismai {__version__}.</footer>\n<script>{script}</script>"
    )
    return document(TITLE, style, body, POLICY)


def _size(found: Sequence[Benchmark]) -> str:
    cards = [card for one in found for card in one.cards]
    datasets = {name for one in found for name in one.datasets}
    return (
        f"{len(cards)} {'submission' if len(cards) == 1 else 'submissions'} on "
        f"{len(datasets)} datasets. A click on a heading sorts. The "
        "smaller a distance, the better."
    )


def _filters(found: Sequence[Benchmark]) -> str:
    """What the script hides tables by; without it all are shown."""
    names = dict.fromkeys(name for one in found for name in one.datasets)
    sizes = sorted({data.n_atoms for one in found for data in one.datasets.values()})
    choices = {
        "dataset": ("Dataset", {"overall": "overall", **{name: name for name in names}}),
        "size": ("Size", {str(size): f"{size} atoms" for size in sizes}),
        "relaxed": ("Structures", {"yes": "relaxed", "no": "as they were generated"}),
    }
    selects = []
    for key, (label, options) in choices.items():
        listed = "".join(
            f'<option value="{k}">{escape(text)}</option>' for k, text in options.items()
        )
        selects.append(
            f'<label>{label}<select data-filter="{key}"><option value="">all</option>{listed}'
            "</select></label>"
        )
    return f'<div class="controls" hidden>{"".join(selects)}</div>'


def _sections(one: Benchmark) -> Iterator[str]:
    """The overall table of a benchmark, then one or two of each dataset."""
    sets, datasets = one.sets(), one.datasets
    final = one.scored_last()
    headlines = {name: KINDS[data.kind].headline for name, data in datasets.items()}
    table = ranking(final, headlines)
    sizes = sorted({data.n_atoms for data in datasets.values()})
    shown = readable_ranking(table)
    shown.attrs["caption"] = "Places over all datasets, and ranks on each"
    title = f"Overall, {len(datasets)} datasets of {sizes[0]} to {sizes[-1]} atoms"
    looks = swatches(sets["model"])
    notes = "".join(f"<li>{escape(note)}</li>" for note in ranking_notes(table))
    yield _section(title, {"dataset": "overall"}, html_table(shown, swatches=looks), notes)
    for name, data in datasets.items():
        for relaxed, rows in one.states(sets, name):
            state = "relaxed" if relaxed else "as they were generated"
            keys = {
                "dataset": name,
                "size": str(data.n_atoms),
                "relaxed": "yes" if relaxed else "no",
            }
            table = table_of(rows, data.kind)
            table.attrs["caption"] = (
                f"{data.n_train} training structures of {data.n_atoms} atoms; structures {state}"
            )
            lines = "".join(f"<li>{escape(note)}</li>" for note in notes_of(data.kind))
            body = html_table(table, swatches=looks)
            yield _section(f"{name}, {state}", keys, body, lines)


def table_of(rows: pd.DataFrame, kind: str) -> pd.DataFrame:
    """One row a model or baseline, by the headline metric."""
    table = over_seeds(rows).assign(published_differs="")
    headline = KINDS[kind].headline
    best = METRICS[headline].best
    order = table[table["metric"] == headline].set_index("model")["mean"]
    distance = (order - best).abs()
    wide = wide_table(table, HEADINGS[kind], published=False).drop(columns="dataset")
    wide = wide.assign(by=wide["model"].map(distance), last=wide["kind"] == BASELINE)
    wide = wide.sort_values(["last", "by", "model"], ignore_index=True)
    return wide.drop(columns=["by", "last"])


def notes_of(kind: str) -> list[str]:
    """What the reader of a table of one kind has to know, in sentences."""
    entries = [METRICS[name] for name in HEADINGS[kind]]
    best = ", ".join(f"{HEADINGS[kind][one.name]} {one.best:g}" for one in entries)
    return [BRACKETS, FLOOR, FEW, f"Best values: {best}."]


def _section(title: str, keys: Mapping[str, str], body: str, notes: str) -> str:
    data = "".join(f' data-{key}="{escape(value)}"' for key, value in keys.items())
    return f"<section{data}><h2>{escape(title)}</h2>{body}<ul class=soft>{notes}</ul></section>"


def _about(found: Sequence[Benchmark]) -> str:
    """Where every submission comes from."""
    rows = [
        {
            "submission": card.name,
            "note": card.note,
            "datasets": str(len(card.datasets)),
            "seeds": ", ".join(map(str, card.seeds)),
            "processor hours": f"{card.processor_hours:.3g}",
            "hardware": card.hardware,
            "commit": card.commit[:12],
            "command": card.command,
        }
        for one in found
        for card in one.cards
    ]
    table = pd.DataFrame(rows)
    table.attrs["caption"] = "What ran where"
    return f"<section><h2>Submissions</h2>{html_table(table)}</section>"
