"""Descriptors of disorder as columns, in scikit-learn's manner: fit, transform, names."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from ase import Atoms
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from dismai.base.errors import InputError, StructureError
from dismai.files.objects import as_structures
from dismai.geometry.cells import check_cell, check_finite
from dismai.metrics.angles import angle_shares, bond_angles
from dismai.metrics.crystalnn import fingerprints, tessellate
from dismai.metrics.motifs import motif_names, motif_shares
from dismai.metrics.network import bond_network
from dismai.metrics.rdf import rdf
from dismai.metrics.rings import ring_counts

FAMILIES = ("density", "rdf", "angles", "motifs", "coordination", "rings")
ANGLE_STEP = 2.0  # degrees
LARGEST_COORDINATION = 12
LONGEST_RING = 8


class Featurizer(TransformerMixin, BaseEstimator):
    """What a periodic structure of any elements is, as one row of numbers.

    `density` (atoms/Å³); `rdf`, g(r) in bins of `bin_width` up to `r_max`; `angles`, shares of the
    bond angles of CrystalNN in bins of 2 degrees; `motifs`, percent of atoms with each coordination
    motif of CrystalNN; `coordination`, percent of atoms with 0, 1, ... 12 or more neighbours within
    the bond cutoff; `rings`, shortest-path rings per atom of 3 to 8 atoms within the same cutoff.

    Args:
        families: of columns, in their order.
        r_max, bin_width: of g(r), Å.
        cutoff_A: bonds of coordination and rings, Å; None: `fit` takes the first minimum of the
            mean g(r) behind its first peak.

    Attributes:
        cutoff_A_: the bond cutoff in use, Å, after `fit`.

    Structures are ASE's Atoms or pymatgen's Structures, in a list.
    """

    def __init__(
        self,
        families: Sequence[str] = FAMILIES,
        r_max: float = 10.0,
        bin_width: float = 0.1,
        cutoff_A: float | None = None,
    ):
        self.families = families
        self.r_max = r_max
        self.bin_width = bin_width
        self.cutoff_A = cutoff_A

    def fit(self, X: Iterable[Any], y: Any = None) -> "Featurizer":
        """Choose the bond cutoff, where none is given; InputError for an unknown family."""
        unknown = [name for name in self.families if name not in FAMILIES]
        if unknown or not self.families:
            raise InputError(
                f"families: expected some of {', '.join(FAMILIES)}, found {unknown or 'none'}"
            )
        structures = _whole(X)
        self.cutoff_A_ = first_minimum(structures) if self.cutoff_A is None else self.cutoff_A
        return self

    def transform(self, X: Iterable[Any]) -> np.ndarray:
        """Descriptors, (n_structures, n_columns).

        Raises:
            InputError: a structure that cannot be described, by its place.
        """
        check_is_fitted(self, "cutoff_A_")
        rows = [_placed(place, self._row, atoms) for place, atoms in enumerate(_whole(X))]
        return np.array(rows)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the columns."""
        return np.array([name for own in self.families for name in self._names(own)], dtype=object)

    def _row(self, atoms: Atoms) -> np.ndarray:
        parts = {"density": lambda: [len(atoms) / atoms.get_volume()]}
        parts["rdf"] = lambda: rdf(atoms, self.r_max, self.bin_width)[1]
        parts["coordination"] = lambda: _coordination(atoms, self.cutoff_A_)
        parts["rings"] = lambda: _rings(atoms, self.cutoff_A_)
        if {"angles", "motifs"} & set(self.families):
            cells = tessellate(atoms)
            parts["angles"] = lambda: angle_shares(bond_angles(atoms, cells), ANGLE_STEP)[1]
            parts["motifs"] = lambda: motif_shares(fingerprints(atoms, cells=cells))
        return np.concatenate([parts[name]() for name in self.families])

    def _names(self, family: str) -> list[str]:
        r = self.bin_width * (np.arange(round(self.r_max / self.bin_width)) + 0.5)
        angles = ANGLE_STEP * (np.arange(round(180 / ANGLE_STEP)) + 0.5)
        return {
            "density": ["density_per_A3"],
            "rdf": [f"g_{value:.3f}A" for value in r],
            "angles": [f"angle_{value:.1f}deg" for value in angles],
            "motifs": [f"share_{name}_percent" for name in motif_names()],
            "coordination": [f"coordination_{n}_percent" for n in range(LARGEST_COORDINATION + 1)],
            "rings": [f"rings_{n}_per_atom" for n in range(3, LONGEST_RING + 1)],
        }[family]


def first_minimum(structures: Sequence[Atoms], r_max: float = 6.0, width: float = 0.05) -> float:
    """The first minimum of the mean g(r) behind its first peak, Å.

    The peak is the first maximum above 1 that is the highest within 0.5 Å, the minimum the lowest
    point up to 1.6 times its distance.

    Raises:
        InputError: no such peak, as in a gas.
    """
    r = width * (np.arange(round(r_max / width)) + 0.5)
    curves = [
        _placed(place, lambda one: rdf(one, r_max, width)[1], atoms)
        for place, atoms in enumerate(structures)
    ]
    g = np.mean(curves, axis=0)
    reach = round(0.5 / width)
    for k in np.flatnonzero(g > 1.0):
        if g[k] == g[max(0, k - reach) : k + reach + 1].max():
            behind = (r > r[k]) & (r <= 1.6 * r[k])
            lowest = g[behind].min()
            within = r[behind][g[behind] == lowest]
            return float(round(within.mean(), 4))
    raise InputError("cutoff_A: expected a first peak of g(r), found none; give a cutoff")


def _whole(X: Iterable[Any]) -> Sequence[Atoms]:
    structures = as_structures(X)
    for place, atoms in enumerate(structures):
        atoms.pbc = True
        _placed(place, _check, atoms)
    return structures


def _check(atoms: Atoms) -> None:
    check_finite(atoms)
    check_cell(atoms)


def _placed(place: int, function: Callable[[Atoms], Any], atoms: Atoms) -> Any:
    """What a function says of a structure; its error with the place of the structure."""
    try:
        return function(atoms)
    except StructureError as error:
        raise InputError(f"structure {place}: {error}") from None


def _coordination(atoms: Atoms, cutoff_A: float) -> np.ndarray:
    numbers = np.diff(bond_network(atoms, cutoff_A).first)
    shares = np.bincount(
        np.minimum(numbers, LARGEST_COORDINATION), minlength=LARGEST_COORDINATION + 1
    )
    return 100.0 * shares / len(atoms)


def _rings(atoms: Atoms, cutoff_A: float) -> np.ndarray:
    return ring_counts(bond_network(atoms, cutoff_A), LONGEST_RING)[3:] / len(atoms)
