"""Most likely coordination motif of each atom, and the shares of motifs in a set of structures.

An atom's coordination number is the one with the largest likelihood; its motif is the largest order
parameter of that number. Labels are compared whole.
"""

from collections.abc import Sequence

import numpy as np

from dismai.base.errors import InputError
from dismai.metrics.crystalnn.motif_table import LABELS, MAX_NUMBER, OFFSETS
from dismai.metrics.statistics import Interval, bootstrap_ci


def motif_names() -> list[str]:
    """All motifs in the order of the figures: coordination number 24 down to 1.

    Within a number the reverse of the order of the fingerprint; a number without order parameters
    has the one motif "None CN_x".
    """
    names = []
    for c in range(MAX_NUMBER, 0, -1):
        own = LABELS[OFFSETS[c - 1] + 1 : OFFSETS[c]]
        names += own[::-1] or [f"None CN_{c}"]
    return names


def coordination_numbers(fingerprints: np.ndarray) -> np.ndarray:
    """Most likely coordination number, 1 to 24, of each fingerprint (row), (n_sites,).

    Ties go to the smaller number; a site without any likelihood counts as 1.
    """
    return 1 + np.argmax(_checked(fingerprints)[:, OFFSETS[:-1]], axis=1)


def motifs(fingerprints: np.ndarray) -> np.ndarray:
    """Most likely motif of each fingerprint (row), as index into `motif_names()`, (n_sites,)."""
    fingerprints = _checked(fingerprints)
    place = {name: i for i, name in enumerate(motif_names())}
    numbers = coordination_numbers(fingerprints)
    out = np.empty(len(fingerprints), np.int64)
    for c in np.unique(numbers):
        rows = numbers == c
        first, last = OFFSETS[c - 1] + 1, OFFSETS[c]
        if first == last:
            out[rows] = place[f"None CN_{c}"]
            continue
        columns = first + np.argmax(fingerprints[rows, first:last], axis=1)
        out[rows] = [place[LABELS[column]] for column in columns]
    return out


def motif_shares(fingerprints: np.ndarray) -> np.ndarray:
    """Percentage of the sites of one structure with each of `motif_names()`, (n_motifs,)."""
    found = motifs(fingerprints)
    return 100.0 * np.bincount(found, minlength=len(motif_names())) / len(found)


def motif_distribution(
    per_structure: Sequence[np.ndarray], reference: Sequence[np.ndarray] | None = None
) -> dict[str, Interval]:
    """Percentage of atoms per motif over a set, with 95 % intervals over whole structures.

    per_structure: fingerprints of each structure, (n_sites, >= 61); all have the same n_sites.
    Motifs below 1 % in the reference (by default the set itself) are left out.
    """
    shares = np.array([motif_shares(f) for f in per_structure])  # (n_structures, n_motifs)
    shown = shares
    if reference is not None:
        shown = np.array([motif_shares(f) for f in reference])
    names = motif_names()
    columns = np.flatnonzero(shown.mean(axis=0) >= 1.0)
    return {
        names[k]: bootstrap_ci(shares[:, k], lambda mean: float(mean[0]), (0.0, 100.0))
        for k in columns
    }


def ligand_numbers(fingerprints: np.ndarray) -> np.ndarray:
    """Number of Cl and of O neighbours at the most likely coordination number, (n_sites, 2).

    fingerprints: of the preset interface, (n_sites, 109).
    """
    fingerprints = _checked(fingerprints)
    if fingerprints.shape[1] != len(LABELS) + 2 * MAX_NUMBER:
        raise InputError(f"ligands: expected 109 columns, found {fingerprints.shape[1]}")
    numbers = coordination_numbers(fingerprints)
    column = len(LABELS) + 2 * (numbers - 1)
    rows = np.arange(len(numbers))
    shares = np.stack([fingerprints[rows, column], fingerprints[rows, column + 1]], axis=1)
    return np.rint(shares * numbers[:, None]).astype(np.int64)


def _checked(fingerprints: np.ndarray) -> np.ndarray:
    fingerprints = np.asarray(fingerprints, dtype=float)
    if fingerprints.ndim != 2 or fingerprints.shape[1] < len(LABELS) or len(fingerprints) == 0:
        raise InputError(
            f"fingerprints: expected rows of at least {len(LABELS)}, found {fingerprints.shape}"
        )
    return fingerprints
