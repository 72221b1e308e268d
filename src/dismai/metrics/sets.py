"""Comparison of a generated set with the training set, beyond the distance of their means.

All functions take feature vectors of structures, (n_structures, n_features): mean fingerprints,
RDFs, or any other. Distances are Euclidean; bring the features to one scale first with
`standardize`.
"""

from typing import NamedTuple

import numpy as np
from scipy.stats import mannwhitneyu

from dismai.errors import InputError
from dismai.metrics.pairs import Across, Pairs, across


class Scale(NamedTuple):
    """Mean and spread of the features of a reference that vary, and which those are."""

    mean: np.ndarray
    spread: np.ndarray
    varying: np.ndarray

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Features in units of the spread of the reference, (n_structures, n_varying)."""
        return (_checked(features)[:, self.varying] - self.mean) / self.spread


def standardize(reference: np.ndarray) -> Scale:
    """The scale on which every varying feature of the reference has mean 0 and variance 1."""
    reference = _checked(reference, 2)
    spread = reference.std(axis=0)
    varying = spread > 1e-12 * np.abs(reference).max()
    if not varying.any():
        raise InputError("scale: expected features that vary in the reference, found none")
    return Scale(reference[:, varying].mean(axis=0), spread[varying], varying)


def mmd(generated: np.ndarray, reference: np.ndarray, bandwidth: float | None = None) -> float:
    """Unbiased squared maximum mean discrepancy with a Gaussian kernel, dimensionless.

    GRETTON 2012, J. Mach. Learn. Res. 13, 723, Eq. 3. It sees any difference of the distributions,
    not only of their means; two samples of one distribution scatter about 0, to both sides.
    bandwidth: by default the median distance within the reference, the same for all models.
    """
    generated, reference = _checked(generated, 2), _checked(reference, 2)
    within = Pairs(reference)
    width = within.median_square if bandwidth is None else bandwidth**2
    if not width > 0:
        raise InputError("MMD: expected a reference with different structures")

    def kernel(distance):
        return np.exp(-0.5 * distance**2 / width)

    between = across(generated, reference, function=kernel).mean.mean()
    return float(Pairs(generated).mean(kernel) + within.mean(kernel) - 2 * between)


def fidelity(generated: np.ndarray, reference: np.ndarray, k: int = 5) -> float:
    """Share of generated structures inside the reference manifold, 0 to 1.

    Inside: closer to some reference structure than its k-th nearest neighbour in the reference.
    KYNKAANNIEMI 2019, arXiv:1904.06991, there called precision.
    """
    return float(_inside(generated, reference, k).inside.mean())


def coverage(generated: np.ndarray, reference: np.ndarray, k: int = 5) -> float:
    """Share of reference structures with a generated one nearer than their k-th neighbour, 0 to 1.

    NAEEM 2020, arXiv:2002.09797. A new sample of the reference distribution, of the same size,
    has 1 - 2^-k, or 0.97 for k = 5.
    """
    return float(_inside(generated, reference, k).covered.mean())


def diversity(generated: np.ndarray, reference: np.ndarray) -> float:
    """Mean distance between generated structures over that between reference structures.

    1 where they differ as much as the reference, 0 where all are the same.
    """
    scale = Pairs(_checked(reference, 2)).mean()
    if not scale > 0:
        raise InputError("diversity: expected a reference with different structures")
    return float(Pairs(_checked(generated, 2)).mean() / scale)


def memorisation(generated: np.ndarray, training: np.ndarray, held_out: np.ndarray) -> float:
    """Chance that a generated structure is nearer to the training set than a held-out one is.

    Distances to the nearest training structure are compared; ties count half. 0.5: generated
    structures keep the distance of new ones; 1: copies; near 0: far from all training structures.
    MEEHAN 2020, arXiv:2004.05675.
    """
    training = _checked(training)
    own = across(_checked(generated), training).nearest
    new = across(_checked(held_out), training).nearest
    return float(mannwhitneyu(new, own).statistic / (len(own) * len(new)))


def _inside(generated: np.ndarray, reference: np.ndarray, k: int) -> Across:
    """Which structures are in balls about those of the reference, each up to its k-th neighbour."""
    reference = _checked(reference, k + 1)
    return across(_checked(generated), reference, radius=Pairs(reference).smallest(k)[:, k])


def _checked(features: np.ndarray, least: int = 1) -> np.ndarray:
    features = np.asarray(features, dtype=float)
    if features.ndim != 2 or len(features) < least:
        raise InputError(f"features: expected at least {least} rows, found shape {features.shape}")
    if not np.isfinite(features).all():
        raise InputError("features: expected finite numbers, found NaN or infinity")
    return features
