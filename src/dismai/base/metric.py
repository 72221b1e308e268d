"""A metric as an entry: name, unit, best value, what it sees; and the families of metrics."""

import math
from dataclasses import dataclass

from dismai.base.errors import InputError

LOW = -math.inf
"""Best value of a metric that has none but is better the lower it is."""
SIGNED = (-math.inf, math.inf)
SHARE = (0.0, 1.0)
PERCENT = (0.0, 100.0)
FAMILIES = {
    "failures": "structures that fail, and pairs of atoms that are too close",
    "order": "which elements are neighbours",
    "vacancies": "sites left empty",
    "motifs": "first shells, by CrystalNN",
    "curves": "g(r), angles, S(q)",
    "network": "rings and coordination",
    "soap": "environments within 5 Å",
    "density": "volume, and elements by height",
    "energy": "energies, and the way to a minimum",
    "crystal": "cells, space groups and elements of crystals",
    "properties": "what networks predict of crystals",
    "pictures": "what models say of their own pictures",
    "sets": "the spread of a set, and copies",
    "other": "what a kind of another package adds",
}
"""Families of metrics that `dismai evaluate --families` chooses from, and what they are about."""
ALWAYS = "failures"
"""The family without which no other can be read."""
COPIES = "memorised structures, spread of the set"
"""What every distance of two means is blind to."""


@dataclass(frozen=True)
class Metric:
    """One number about a generated set.

    name: in tables.  label: for people.  unit: "1" without one.
    best: the value of a perfect set, from which distances rank.
    sees, blind: what moves it and what does not, one line each.
    bounds: least and greatest possible value; an estimate outside is noise.
    heading: of its column in the tables of the papers' metrics.
    self_reported: models say it of their own structures.
    of_generated: all generated structures count, not only the accepted ones.
    family: one of `FAMILIES`.
    """

    name: str
    label: str
    unit: str
    best: float
    sees: str
    blind: str
    bounds: tuple[float, float] = (0.0, math.inf)
    heading: str | None = None
    self_reported: bool = False
    of_generated: bool = False
    family: str = "other"

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise InputError(
                f"metric {self.name}: expected a family of {', '.join(FAMILIES)}, "
                f"found {self.family!r}"
            )

    def badness(self, value: float) -> float:
        """How far a value is from the best one, in the unit of the metric; nan stays nan.

        Values outside the bounds count as the bound: an unbiased estimate of a discrepancy may
        fall below 0. Where lower is better without a best value, the value itself.
        """
        if math.isnan(value):
            return math.nan
        inside = min(max(value, self.bounds[0]), self.bounds[1])
        return inside if self.best == LOW else abs(inside - self.best)

    @property
    def best_text(self) -> str:
        """Direction and best value, such as `↓ 0`, `↑ 1`, `→ 0.5`, and `↓` alone."""
        if self.best == LOW:
            return "↓"
        low, high = self.bounds
        arrow = "↓" if self.best == low else "↑" if self.best == high else "→"
        return f"{arrow} {self.best:g}"

    @property
    def rule(self) -> str:
        """The same in words: what makes a value better."""
        return "lower is better" if self.best == LOW else f"best: {self.best:g}, nearest first"

    @property
    def shown_unit(self) -> str:
        """The unit, empty for a number without one."""
        return "" if self.unit == "1" else self.unit
