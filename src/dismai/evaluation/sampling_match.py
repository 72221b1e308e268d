"""Langevin steps of a model chosen by energies: those of what it draws and of its training set.

The papers drew amorphous silicon with six or seven steps a noise level, whichever gave the
distribution of energies of the training set.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from dismai import models
from dismai.base.card import Card
from dismai.base.columns import ENERGY
from dismai.datasets.options import Options
from dismai.evaluation.process import process
from dismai.models.base import GenerativeModel

logger = logging.getLogger(__name__)

MEV_PER_EV = 1000.0


def with_langevin_steps(model: GenerativeModel, n_steps: int) -> GenerativeModel:
    """The model, from now on with another number of Langevin steps; its weights stay."""
    model.hparams = model.hparams.model_copy(update={"langevin_steps": n_steps})
    return model


def match_energies(
    model: GenerativeModel,
    candidates: Sequence[int],
    n_structures: int,
    seed: int,
    card: Card,
    options: Options,
    training: np.ndarray,
    state: Path,
) -> pd.DataFrame:
    """Draw, clean and relax a few structures with each number of steps.

    Args:
        model: trained.
        candidates: numbers of steps a noise level.
        n_structures: drawn with each.
        seed: of the draws, the same for all.
        card: of the dataset.
        options: with the plan of relaxation.
        training: energies of the training set, eV/atom.
        state: folder in which finished batches are kept.

    Returns:
        A row a candidate: langevin_steps, n_accepted, mean_eV_per_atom, distance_meV_per_atom: the
        Wasserstein distance of the two distributions of energies. Without an accepted structure
        the last two are NaN.
    """
    from scipy.stats import wasserstein_distance  # slow to import; who only draws has no need of it

    rows = []
    for n_steps in candidates:
        model.state_folder = state / f"steps{n_steps}"
        drawn = models.sample(with_langevin_steps(model, n_steps), n_structures, seed)
        features = process(dict(enumerate(drawn)), card, options).features
        energies = features[ENERGY].to_numpy() if len(features) else np.array([])
        found = [np.nan, np.nan]
        if len(energies):
            found = [energies.mean(), MEV_PER_EV * wasserstein_distance(energies, training)]
        rows.append([n_steps, len(energies), *found])
        logger.info("%d Langevin steps: %d accepted, %.3g meV/atom off", *rows[-1][:2], found[1])
    columns = ["langevin_steps", "n_accepted", "mean_eV_per_atom", "distance_meV_per_atom"]
    return pd.DataFrame(rows, columns=columns)


def best_steps(table: pd.DataFrame) -> int | None:
    """The number of steps whose energies are nearest; of equal ones the smallest.

    None where no number gave an accepted structure: such a model is scored with its own number.
    """
    scored = table.dropna(subset="distance_meV_per_atom")
    if scored.empty:
        return None
    ordered = scored.sort_values(["distance_meV_per_atom", "langevin_steps"])
    return int(ordered["langevin_steps"].iloc[0])


def with_best_steps(model: GenerativeModel, path: Path) -> GenerativeModel:
    """The model with the number of steps that a file of `match_energies` chooses, or its own."""
    n_steps = best_steps(pd.read_csv(path))
    if n_steps is None:
        logger.warning("no number of Langevin steps gave an accepted structure: its own is used")
        return model
    logger.info("%d Langevin steps a noise level, chosen by energies", n_steps)
    return with_langevin_steps(model, n_steps)
