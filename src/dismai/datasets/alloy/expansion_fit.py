"""ECIs of pairs from alloys with energies: LASSO, its penalty by cross-validation.

Su et al. fitted energies of alloys to counts of clusters with an L1 penalty, chosen by ten-fold
cross-validation, which leaves many ECIs at zero. Here: chemical pairs of seven shells.

The 45 counts hang together: every atom of a species has the neighbours of its shell (three sums a
shell), and the shares of the species sum to one. Of the ECIs only 24 combinations follow from
energies; the others are the choice of the penalty. `order_energies` are the 21 that order alloys
of one composition.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms

from dismai.base.errors import InputError, StructureError
from dismai.files.structures import read_structures
from dismai.geometry.cluster_expansion import PAIR_INDEX, SPECIES, ClusterExpansion
from dismai.metrics.clusters import counts

N_PENALTIES = 40
WEAKEST_PENALTY = 1e-5
"""Of the penalties that are tried, as a share of the one that leaves no ECI."""
UNLIKE = ((0, 1), (0, 2), (1, 2))
MEV_PER_EV = 1000.0


@dataclass(frozen=True)
class ExpansionFit:
    """A fitted cluster expansion, and how its penalty was chosen.

    expansion: at the chosen penalty.  least_squares: without any, for comparison.
    validation: a row a penalty: penalty_meV, error_meV_per_atom of held-out alloys.
    """

    expansion: ClusterExpansion
    least_squares: ClusterExpansion
    validation: pd.DataFrame


def read_energies(path: Path) -> tuple[list[Atoms], np.ndarray]:
    """Alloys of a file and their energies, eV/atom; InputError if one has no energy."""
    alloys = read_structures(path)
    energies = []
    for index, atoms in enumerate(alloys):
        results = atoms.calc.results if atoms.calc is not None else {}
        if "energy" not in results or not np.isfinite(results["energy"]):
            found = "one that is not finite" if "energy" in results else "none"
            raise InputError(f"{path}: structure {index}: expected an energy, found {found}")
        energies.append(results["energy"] / len(atoms))
    return alloys, np.array(energies)


def count_all(alloys: Sequence[Atoms], a_A: float, path: Path) -> np.ndarray:
    """Clusters per atom of every alloy, (n_alloys, 45); InputError for one that is none."""
    rows = []
    for index, atoms in enumerate(alloys):
        try:
            rows.append(counts(atoms, a_A))
        except StructureError as error:
            raise InputError(f"{path}: structure {index}: {error}") from None
    return np.array(rows)


def fit_expansion(
    counted: np.ndarray, energies: np.ndarray, a_A: float, n_folds: int = 10
) -> ExpansionFit:
    """Fit energies (eV/atom) to cluster counts per atom, (n_alloys, 45).

    Counts are scaled to unit spread, so that the penalty takes all clusters alike. Folds are drawn
    by a fixed seed.

    Raises:
        InputError: fewer alloys than folds, or all alike.
    """
    from sklearn.linear_model import LassoCV
    from sklearn.model_selection import KFold

    if len(energies) < 2 * n_folds or np.ptp(energies) == 0:
        found = f"{len(energies)}" if np.ptp(energies) else "all with one energy"
        raise InputError(
            f"alloy.fit: expected at least {2 * n_folds} different alloys, found {found}"
        )
    spread = counted.std(axis=0)
    spread[spread < 1e-12] = 1.0  # a count that no alloy changes
    scaled = (counted - counted.mean(axis=0)) / spread
    strongest = np.abs(scaled.T @ (energies - energies.mean())).max() / len(energies)
    penalties = strongest * np.geomspace(1, WEAKEST_PENALTY, N_PENALTIES)
    folds = KFold(n_folds, shuffle=True, random_state=0)
    fit = LassoCV(alphas=penalties, cv=folds, max_iter=100_000, tol=1e-6).fit(scaled, energies)
    errors = np.sqrt(fit.mse_path_.mean(axis=1)) * MEV_PER_EV
    validation = pd.DataFrame(
        {"penalty_meV": fit.alphas_ * MEV_PER_EV, "error_meV_per_atom": errors}
    )
    free, *_ = np.linalg.lstsq(scaled, energies - energies.mean(), rcond=1e-10)
    made = [_expansion(ecis / spread, counted, energies, a_A) for ecis in (fit.coef_, free)]
    return ExpansionFit(*made, validation.sort_values("penalty_meV", ignore_index=True))


def _expansion(
    ecis: np.ndarray, counted: np.ndarray, energies: np.ndarray, a_A: float
) -> ClusterExpansion:
    constant = float(energies.mean() - counted.mean(axis=0) @ ecis)
    return ClusterExpansion(a_A, constant, ecis[: len(SPECIES)], ecis[len(SPECIES) :].reshape(7, 6))


def order_energies(expansion: ClusterExpansion) -> np.ndarray:
    """Energy of two like pairs less that of two unlike ones, by shell and pair, eV, (7, 3).

    E(AA) + E(BB) - 2 E(AB) for Cr-Fe, Cr-Ni, Fe-Ni: what ECIs mean for alloys of one composition.
    """
    pair = expansion.dimers[:, PAIR_INDEX]
    return np.stack([pair[:, a, a] + pair[:, b, b] - 2 * pair[:, a, b] for a, b in UNLIKE], axis=1)


def order_table(fit: ExpansionFit) -> pd.DataFrame:
    """Order energies of both fits, meV, a row each: shell, pair, lasso_meV, least_squares_meV."""
    lasso, free = (order_energies(one) for one in (fit.expansion, fit.least_squares))
    rows = [
        (f"{shell + 1}NN", f"{SPECIES[a]}-{SPECIES[b]}", lasso[shell, i], free[shell, i])
        for shell in range(len(lasso))
        for i, (a, b) in enumerate(UNLIKE)
    ]
    table = pd.DataFrame(rows, columns=["shell", "pair", "lasso_meV", "least_squares_meV"])
    table[["lasso_meV", "least_squares_meV"]] *= MEV_PER_EV
    return table
