"""What models say of their own structures: numbers in the `info` of each, averaged over the set.

CrysTens and UniMat draw more than coordinates: species, constant lattice lines, every coordinate
many times over. How well these agree with each other is a measure of the drawing itself. All
structures of the file count, also those that are rejected; pictures of crystals that cannot be read
say nothing, and their share stands beside.
"""

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
from ase import Atoms

from dismai.base.columns import PUBLISHED_STEPS
from dismai.base.errors import StructureError
from dismai.metrics.entries import METRICS, with_units
from dismai.metrics.self_reports import OF_CRYSTALS, RIGHT, SELF_REPORTED, SPECIES, UNREAD
from dismai.metrics.statistics import Interval, mean_ci, percentage, share_ci


def self_report_scores(
    structures: Mapping[int, Atoms | StructureError],
) -> dict[str, tuple[str, Interval]]:
    """Metrics of what a set says of itself, by name: unit and interval; none if it says nothing."""
    infos = [atoms.info for atoms in structures.values() if isinstance(atoms, Atoms)]
    return scores_of_infos(infos, len(structures))


def scores_of_infos(
    infos: Sequence[Mapping[str, Any]], n_structures: int
) -> dict[str, tuple[str, Interval]]:
    """The same of the `info` of every readable structure; n_structures: others included.

    A structure that could not be read does not count, nor what is no number within the
    bounds of the metric, such as an accuracy of 85 where it is a share.
    """
    scores: dict[str, Interval] = {}
    for name in SELF_REPORTED:
        found = [info.get(name) for info in infos]
        values = np.array([value for value in found if isinstance(value, Real)], dtype=float)
        low, high = METRICS[name].bounds
        values = values[np.isfinite(values) & (values >= low) & (values <= high)]
        if len(values) == 0:
            continue
        scores[name] = share_ci(values) if name == SPECIES else mean_ci(values)
        if name == SPECIES:
            scores[RIGHT] = percentage(int((values == 1.0).sum()), len(values))
    if any(name in info for info in infos for name in OF_CRYSTALS):
        n_read = sum(any(_is_number(info.get(name)) for name in DRAWN) for info in infos)
        scores[UNREAD] = percentage(n_structures - n_read, n_structures)
    return with_units(scores)


DRAWN = tuple(name for name in OF_CRYSTALS if name != PUBLISHED_STEPS)
"""What only a picture that was read can say."""


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and bool(np.isfinite(value))
