"""Every metric that a score may hold, declared once: those of all kinds of datasets, and theirs.

Tables, pages, rankings and the list in docs/metrics.md are loops over `METRICS`. What one kind
alone has is declared in its entry (`datasets/<kind>/kind.py`), the rest here.
"""

import math
import re
import sys
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from dismai.base.errors import InputError, did_you_mean
from dismai.base.kinds import KINDS, Kind
from dismai.base.metric import ALWAYS, FAMILIES, PERCENT, SHARE, SIGNED, Metric
from dismai.base.metric import LOW as LOW
from dismai.base.text import between

Score = TypeVar("Score")

FEWEST_STRUCTURES = 10
"""Sets of fewer structures get no rank, no p-value and no distribution in a figure."""
MARKS = ("<!-- metrics: begin -->\n", "<!-- metrics: end -->\n")
"""The list in docs/metrics.md stands between these lines."""
GLOSSARY = re.compile(r"(<!-- glossary: ([\w\s]+) -->\n).*?(<!-- glossary: end -->\n)", re.DOTALL)
"""In docs/glossary.md the first line of a part names its metrics."""

COMMON = (
    Metric(
        "percent_failed",
        "failed structures",
        "%",
        0,
        "structures that cannot be read, cleaned, relaxed or described",
        "everything about those that can",
        PERCENT,
        heading="failed (%)",
        of_generated=True,
        family="failures",
    ),
    *(
        Metric(
            f"percent_failed_{stage}",
            f"structures that fail when {doing}",
            "%",
            0,
            what,
            "structures that fail earlier, which never come so far",
            PERCENT,
            heading=f"{stage} (%)",
            of_generated=True,
            family="failures",
        )
        for stage, doing, what in (
            ("read", "read", "files and frames that hold no structure, or are missing"),
            ("check", "checked", "numbers that are not finite, another composition, flat cells"),
            ("clean", "cleaned", "atoms that cannot be moved apart or laid on the lattice"),
            ("relax", "relaxed", "structures without a minimum in the allowed steps"),
            ("describe", "described", "structures without a defined descriptor"),
        )
    ),
    Metric(
        "close_pairs",
        "pairs closer than 1.5 Å before cleaning",
        "pairs/structure",
        0,
        "atoms drawn on top of each other, which cleaning moves apart",
        "structures that cleaning gives up; everything beyond 1.5 Å",
        heading="close pairs",
        family="failures",
    ),
    Metric(
        "relaxation_steps",
        "steps of relaxation",
        "steps",
        0,
        "how far structures are from a minimum, as the minimiser counts; depends on it",
        "whether the minimum is the right one; structures that reach none",
        heading="relaxation steps",
        family="energy",
    ),
    Metric(
        "energy_above_training",
        "mean energy above that of the training set",
        "meV/atom",
        0,
        "order, weighted as the energy function weighs it; of relaxed structures their minima; "
        "energies below those of the training set are as wrong as energies above",
        "changes of the order that cost no energy; displacements; strain",
        SIGNED,
        family="energy",
    ),
    Metric(
        "displacement_on_relaxation",
        "displacement on relaxation",
        "Å",
        0,
        "how far atoms are from a minimum of the potential",
        "whether the minimum is the right one: any minimum, a crystal too, gives 0",
        family="energy",
    ),
    Metric(
        "density_shift",
        "density above the training set",
        "%",
        0,
        "volume of the cell, number of atoms",
        "where the atoms are",
        (-100.0, math.inf),
        family="density",
    ),
    Metric(
        "mmd",
        "discrepancy of the sets",
        "1",
        0,
        "any difference of the distributions of per-structure means, also of their spread",
        "memorised structures; what the means of a structure do not hold",
        family="sets",
    ),
    Metric(
        "soap_mmd",
        "discrepancy of SOAP environments",
        "1",
        0,
        "any difference of the mean environment within 5 Å, species told apart",
        "memorised structures; order between environments; products of two species",
        family="soap",
    ),
    Metric(
        "fidelity",
        "generated structures like training structures",
        "1",
        1,
        "structures unlike all training structures",
        "modes that are never generated",
        SHARE,
        family="sets",
    ),
    Metric(
        "coverage",
        "training structures with a generated one near",
        "1",
        1,
        "parts of the training set that are never generated",
        "structures unlike all training structures; depends on the number of structures",
        SHARE,
        family="sets",
    ),
    Metric(
        "diversity",
        "variety relative to the training set",
        "1",
        1,
        "sets that vary too little or too much",
        "whether the structures are right; copies of an unusual one raise it at first",
        family="sets",
    ),
    Metric(
        "memorisation",
        "nearness to training structures",
        "1",
        0.5,
        "copies of training structures (1), structures far from all (0); right is 0.5",
        "copies that were moved, whether the structures are right",
        SHARE,
        family="sets",
    ),
    Metric(
        "species_accuracy",
        "species accuracy",
        "1",
        1,
        "atoms whose species, read from the picture, is their own",
        "where the atoms are",
        SHARE,
        self_reported=True,
        of_generated=True,
        family="pictures",
    ),
    Metric(
        "percent_right_species",
        "structures with all species right",
        "%",
        100,
        "structures in which one atom or more has another species in the picture",
        "where the atoms are; how many species are wrong",
        PERCENT,
        heading="right species (%)",
        self_reported=True,
        of_generated=True,
        family="pictures",
    ),
    *(
        Metric(
            f"{name}_error",
            f"{name.replace('_', ' ')} error",
            "1",
            0,
            f"pixels of the {name.replace('_', ' ')} that should be empty",
            "the structure that is read from the picture",
            self_reported=True,
            of_generated=True,
            family="pictures",
        )
        for name in ("lattice_length", "lattice_angle", "space_group")
    ),
    Metric(
        "coordinate_agreement",
        "spread of the guesses for a coordinate",
        "1",
        0,
        "guesses of the picture for one coordinate that differ",
        "whether the coordinate is right",
        self_reported=True,
        of_generated=True,
        family="pictures",
    ),
    Metric(
        "distance_agreement",
        "drawn distances against those of the coordinates",
        "1",
        0,
        "norms in the picture that differ from those of the coordinates",
        "whether either is right",
        self_reported=True,
        of_generated=True,
        family="pictures",
    ),
)
"""Metrics that more than one kind of datasets has."""


def by_name(entries: Iterable[Metric]) -> dict[str, Metric]:
    """Metrics by name; InputError where two have the same."""
    named: dict[str, Metric] = {}
    for metric in entries:
        if metric.name in named:
            raise InputError(f"metric {metric.name}: expected one entry, found two")
        named[metric.name] = metric
    return named


METRICS = by_name([*COMMON, *(metric for kind in KINDS.values() for metric in kind.metrics)])


def with_units(scores: Mapping[str, Score]) -> dict[str, tuple[str, Score]]:
    """Scores by metric with the unit of each before them; KeyError for one without an entry."""
    return {name: (METRICS[name].unit, score) for name, score in scores.items()}


def families(kind: Kind) -> list[str]:
    """Families of the metrics that a score of one kind may hold, in the order of `FAMILIES`."""
    names = [*(metric.name for metric in kind.metrics), *kind.answers]
    own = {METRICS[name].family for name in names} | {ALWAYS, "sets", "pictures"}
    return [name for name in FAMILIES if name in own or (name == "energy" and kind.relaxes)]


def chosen_families(named: str | Iterable[str] | None, kind: Kind | None = None) -> frozenset[str]:
    """The families of metrics to compute: all of them, or those that were named and `ALWAYS`.

    named: families in a list, or in a text with commas between; None: all.
    kind: of the dataset, if it is known: its metrics need not be of all families.

    Raises:
        InputError: a family that is not known, or that the kind does not have.
    """
    if named is None:
        return frozenset(FAMILIES)
    words = [word.strip() for word in (named.split(",") if isinstance(named, str) else named)]
    known = list(FAMILIES) if kind is None else families(kind)
    for word in words:
        if word not in known:
            of_kind = "" if kind is None else f" for {kind.label}"
            raise InputError(
                f"families: expected some of {', '.join(known)}{of_kind}, "
                f"found {word!r}{did_you_mean(word, known)}"
            )
    return frozenset([*words, ALWAYS])


def headings(kind: str) -> dict[str, str]:
    """Metrics of the table of a kind of datasets, and the headings of their columns."""
    return {name: METRICS[name].heading or name for name in KINDS[kind].table_metrics}


def stage_headings() -> dict[str, str]:
    """Shares that fail at each stage, and the headings of their columns."""
    stages = [metric for metric in METRICS.values() if metric.name.startswith("percent_failed_")]
    return {metric.name: f"failed: {metric.heading}" for metric in stages}


def self_reported_headings() -> dict[str, str]:
    """Metrics that models say of their own structures, and the headings of their columns."""
    own = [metric for metric in METRICS.values() if metric.self_reported]
    return {metric.name: metric.heading or metric.name.replace("_", " ") for metric in own}


def documentation() -> str:
    """The list of all metrics as a Markdown table."""
    rows = [
        "| metric | family | what | unit | best | sees | is blind to |",
        "|---|---|---|---|---|---|---|",
    ]
    rows += [
        f"| {metric.name} | {metric.family} | {metric.label} | {metric.unit} "
        f"| {metric.best_text} | {metric.sees} | {metric.blind} |"
        for metric in METRICS.values()
    ]
    return "\n".join(rows) + "\n"


def glossary(names: Iterable[str]) -> str:
    """Some metrics in sentences: what they are, see, and are blind to."""
    parts = []
    for metric in (METRICS[name] for name in names):
        unit = "" if metric.unit == "1" else f", {metric.unit}"
        text = (
            f"**{metric.name}** ({metric.best_text}{unit}): {metric.label}. *Sees* {metric.sees}. "
            f"*Blind to* {metric.blind}."
        )
        lines = textwrap.wrap(text, 98, break_long_words=False, break_on_hyphens=False)
        parts.append("- " + "\n  ".join(lines) + "\n")
    return "".join(parts)


def documented(text: str) -> str:
    """A page with the lists between its marks brought up to date."""
    if MARKS[0] in text:
        text = between(text, MARKS, documentation())
    return GLOSSARY.sub(lambda part: f"{part[1]}{glossary(part[2].split())}{part[3]}", text)


if __name__ == "__main__":
    if {Path(word).suffix for word in sys.argv[1:]} != {".md"}:
        sys.exit("usage: python -m dismai.metrics.entries PAGE.md ...")
    for page in map(Path, sys.argv[1:]):
        page.write_text(documented(page.read_text()))
