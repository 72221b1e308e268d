"""The stage between cleaning and describing: structures go to a minimum of a potential."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from ase import Atoms

from dismai.base.columns import DISPLACEMENT, ENERGY, STEPS
from dismai.base.errors import InputError, StructureError
from dismai.base.kinds import KINDS
from dismai.metrics.entries import with_units
from dismai.metrics.relaxation import displacement, energy_above_training
from dismai.metrics.statistics import UNDEFINED, Interval, mean_ci
from dismai.potentials.relax import RelaxedStructure
from dismai.potentials.relaxation_plan import RelaxationPlan
from dismai.potentials.resumable import Relaxer


def check_kind(kind: str) -> None:
    """InputError for a kind of dataset whose structures are not relaxed."""
    if not KINDS[kind].relaxes:
        relaxed = " or ".join(name for name, known in KINDS.items() if known.relaxes)
        raise InputError(f"relaxation: expected a dataset of kind {relaxed}, found {kind}")


def relax_and_measure(
    atoms: Atoms, relaxation: RelaxationPlan, elements: Sequence[str]
) -> tuple[Atoms, dict[str, float]]:
    """A structure at its minimum, with energy, steps and displacement; StructureError if none."""
    result = relax(atoms, relaxation, elements)
    if result.status != "ok":
        raise StructureError(result.status)
    return result.atoms, {
        ENERGY: result.energy_eV / len(atoms),
        STEPS: float(result.steps),
        DISPLACEMENT: displacement(atoms, result.atoms),
    }


def relax(atoms: Atoms, relaxation: RelaxationPlan, elements: Sequence[str]) -> RelaxedStructure:
    """A structure where its relaxation ended, and how."""
    return _relaxer(relaxation, elements).relax(atoms)


def relax_ahead(
    structures: Sequence[Atoms], relaxation: RelaxationPlan, elements: Sequence[str]
) -> None:
    """Relax structures side by side, where the plan says so, for `relax_and_measure` to find."""
    _relaxer(relaxation, elements).relax_ahead(structures)


_relaxers: dict[str, Relaxer] = {}


def close_relaxers() -> None:
    """End the processes that relax; files of a potential may change before the next set."""
    while _relaxers:
        _relaxers.popitem()[1].close()


def _relaxer(relaxation: RelaxationPlan, elements: Sequence[str]) -> Relaxer:
    """The relaxer of this process: its potential is loaded once for all structures."""
    name = repr((relaxation, elements))
    if name not in _relaxers:
        _relaxers[name] = Relaxer(
            relaxation.potential,
            relaxation.settings,
            relaxation.state,
            elements,
            relaxation.device,
            relaxation.n_threads,
            relaxation.together,
        )
    return _relaxers[name]


def relaxation_scores(
    features: pd.DataFrame, reference: pd.DataFrame
) -> dict[str, tuple[str, Interval]]:
    """Metrics of relaxed structures, by name: unit and interval; none without relaxation.

    relaxation_steps: mean number of steps to the minimum.
    energy_above_training: mean energy less that of the training structures in the same potential.
    displacement_on_relaxation: how far atoms moved, root mean square, mean over structures.
    """
    scores: dict[str, Interval] = {}
    if ENERGY in features and ENERGY in reference:
        above = energy_above_training(features[ENERGY], 1, reference[ENERGY].mean())
        scores["energy_above_training"] = _mean(above)
    if STEPS in features:
        scores["relaxation_steps"] = _mean(features[STEPS].to_numpy())
    if DISPLACEMENT in features:
        scores["displacement_on_relaxation"] = _mean(features[DISPLACEMENT].to_numpy())
    return with_units(scores)


def _mean(values: np.ndarray) -> Interval:
    return UNDEFINED if len(values) == 0 else mean_ci(values)
