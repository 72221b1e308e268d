"""Colours, names and legends that all figures share: one model, one look, in every figure."""

import textwrap
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple

import matplotlib
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dismai.base.kinds import KINDS
from dismai.report.themes import variable

MAX_SIZE_IN = (9.0, 6.3)
"""Width and height that a browser window of 1366 x 768 shows whole beside the report's menu."""
MIN_FOR_DENSITY = 10
"""A violin, histogram or band of fewer structures would be a guess: their values are drawn."""
MAX_NAME = 40
LETTERS_PER_IN = 14
"""Letters of 8 points in an inch, about."""


class Style(NamedTuple):
    """Colour of a set, and dashes of its lines as on, off, on, ... in points; () is solid."""

    color: str
    dash: tuple[float, ...] = ()

    @property
    def linestyle(self) -> tuple:
        """The dashes as matplotlib takes them."""
        return (0, self.dash or None)


# Okabe and Ito, safe for the colour-blind; black is the training set, grey are baselines.
TRAINING = Style("#000000")
MODELS = {
    "cdvae": Style("#0072B2"),
    "diffcsp": Style("#D55E00"),
    "crystens": Style("#009E73"),
    "unimat": Style("#CC79A7"),
    "cryingan": Style("#E69F00"),
    "melt": Style("#56B4E9"),
}
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
FURTHER = ("#332288", "#117733", "#999933", "#882255", "#44AA99", "#661100")  # after P. Tol
GREYS = ("#4D4D4D", "#A6A6A6", "#777777", "#C4C4C4", "#909090")
DASHES = ((), (5.0, 2.0), (1.5, 1.5), (5.0, 1.5, 1.5, 1.5), (10.0, 3.0))


def dash_pattern(index: int) -> tuple[float, ...]:
    """The dashes of a number; no two numbers have the same."""
    if index < len(DASHES):
        return DASHES[index]
    return (5.0, 1.5) + (1.5, 1.5) * (index - len(DASHES) + 2)


def baseline_styles() -> dict[str, Style]:
    """Looks of the baselines: grey, dashed, each in its own way."""
    names = dict.fromkeys(name for kind in KINDS.values() for name in kind.baselines)
    return {name: Style(GREYS[i % len(GREYS)], dash_pattern(i + 1)) for i, name in enumerate(names)}


def further_style(index: int) -> Style:
    """Look of the index-th model of another name; neighbours differ in colour and dashes."""
    row, column = divmod(index, len(FURTHER))
    return Style(FURTHER[column], dash_pattern(row + column))


def model_styles(names: Sequence[str]) -> dict[str, Style]:
    """The look of every name; no two have the same.

    Our models and the baselines have fixed looks. Others take theirs in turn: pass all models
    of the run, and a model looks the same whichever of them a figure shows.
    """
    known = {**MODELS, **baseline_styles()}
    turn = count()
    return {
        name: known[name] if name in known else further_style(next(turn))
        for name in dict.fromkeys(names)
    }


def swatches(models: Iterable[str]) -> Callable[[str], str]:
    """What gives the colour of a model as a dot before its name, as HTML; nothing for others."""
    looks = model_styles([*models, *MODELS])

    def swatch(model: str) -> str:
        if model not in looks:
            return ""
        return f'<span class="swatch" style="background:{variable(looks[model].color)}"></span>'

    return swatch


def line_styles(names: Sequence[str]) -> dict[str, Style]:
    """Looks for lines that are no models, such as losses; no two have the same."""
    return {
        name: Style(COLORS[i % len(COLORS)], dash_pattern(i // len(COLORS)))
        for i, name in enumerate(names)
    }


def without_formulae(text: str) -> str:
    """Text that matplotlib draws letter by letter: no formulae between dollar signs."""
    return "\n".join(drawable_text(line) for line in str(text).split("\n")).replace("$", r"\$")


def drawable_text(text: str) -> str:
    """Text without letters that no font has and no SVG may hold."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def short_names(names: Sequence[str], length: int = MAX_NAME) -> dict[str, str]:
    """Names for figures: long ones without their middle, none like another."""
    short: dict[str, str] = {}
    for name in dict.fromkeys(names):
        own = text = shortened(drawable_text(str(name)), length)
        for i in count(2):
            if own not in short.values():
                break
            own = f"{text} ({i})"
        short[name] = own
    return short


def shortened(text: str, length: int = MAX_NAME) -> str:
    """A text of at most that length; a longer one loses its middle."""
    head = -(-2 * length // 3)
    return text if len(text) <= length else f"{text[:head]}…{text[-(length - head - 1) :]}"


def wrapped(text: str, width: int) -> str:
    """A text in lines of at most that width, for figures; it may break after underscores."""
    broken_up = textwrap.wrap(text.replace("_", "_ "), max(width, 1))
    return without_formulae("\n".join(broken_up).replace("_ ", "_"))


@dataclass(frozen=True)
class Shown:
    """A set of structures in a figure.

    name: of the model, short.  table: features, one row a structure.  outside: how many of them
    the axes do not show.
    """

    name: str
    table: pd.DataFrame
    style: Style
    outside: int = 0

    @property
    def label(self) -> str:
        """Name and number of structures."""
        outside = f", {self.outside} outside" if self.outside else ""
        return f"{self.name} (n = {len(self.table)}{outside})"

    def title(self, width: int) -> str:
        """The label in lines of at most that width, for panels; the number stays together."""
        if len(self.label) <= width:
            return without_formulae(self.label)
        return f"{wrapped(self.name, width)}\n{without_formulae(self.label[len(self.name) + 1 :])}"

    @property
    def is_training(self) -> bool:
        """Whether this is the training set, or what stands for it."""
        return self.style == TRAINING

    @property
    def is_dense(self) -> bool:
        """Whether there are enough structures for a density or a spread."""
        return len(self.table) >= MIN_FOR_DENSITY


def shown_sets(
    reference: pd.DataFrame, sets: Mapping[str, pd.DataFrame], models: Sequence[str] = ()
) -> tuple[list[Shown], list[str]]:
    """The training set and the generated sets that have structures; and notes on the others.

    Args:
        reference: features of the training structures.
        sets: model to the features of its accepted structures.
        models: all models of the run, so that each looks the same in all figures.
    """
    looks, names = model_styles([*models, *sets]), short_names(list(sets))
    shown = [Shown("training", reference, TRAINING)]
    shown += [Shown(names[name], table, looks[name]) for name, table in sets.items() if len(table)]
    return shown, note_on("none accepted", [names[name] for name in sets if not len(sets[name])])


def note_on(fact: str, names: Sequence[str]) -> list[str]:
    """A fact about sets as a note, if there are any."""
    return [f"{fact}: {', '.join(names)}"] if names else []


def fill_style(one: Shown) -> dict[str, object]:
    """How areas of a set are filled: the training set is hollow, baselines are grey."""
    inside = "none" if one.is_training else one.style.color
    return {"facecolor": inside, "edgecolor": one.style.color, "linewidth": 0.6}


def new_figure(title: str, width: float, height: float) -> Figure:
    """An empty figure on white, in inches; the title is what a screen reader says of it."""
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    figure.set_label(title)
    return figure


def add_notes(figure: Figure, notes: Sequence[str]) -> None:
    """Write notes below a figure, broken to its width."""
    if notes:
        width = int(figure.get_size_inches()[0] * LETTERS_PER_IN)
        text = "\n".join(wrapped(note, width) for note in notes)
        figure.supxlabel(text, fontsize=8, color="#444444", x=0.01, ha="left")


def draw_legend(figure: Figure, shown: Sequence[Shown], counted: bool = True) -> None:
    """Name the sets above a figure, in as many columns as its width has room for.

    counted: with their numbers of structures.
    """
    if not shown:
        return
    handles = [
        Line2D([], [], color=one.style.color, linestyle=one.style.linestyle, linewidth=2.5)
        for one in shown
    ]
    labels = [without_formulae(one.label if counted else one.name) for one in shown]
    room = int(figure.get_size_inches()[0] * LETTERS_PER_IN)
    columns = max(1, min(len(labels), room // (max(map(len, labels)) + 8)))
    figure.legend(
        handles, labels, loc="outside upper center", ncols=columns, frameon=False, fontsize=8,
        handlelength=3.0,
    )  # fmt: skip


@contextmanager
def same_bytes() -> Iterator[None]:
    """Write the same figure as the same bytes; letters that the font lacks are boxes, unsaid."""
    with warnings.catch_warnings(), matplotlib.rc_context({"svg.hashsalt": "dismai"}):
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield
