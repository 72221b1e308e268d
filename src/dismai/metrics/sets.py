"""Comparison of a generated set with the training set, beyond the distance of their means.

All functions take feature vectors of structures, (n_structures, n_features): mean fingerprints,
RDFs, or any other. Distances are Euclidean; bring the features to one scale first with
`standardize`.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import cdist

from dismai.base.errors import InputError
from dismai.metrics.pairs import TILE, Across, Pairs, pairs_between
from dismai.metrics.soap import soap_kernel
from dismai.metrics.statistics import (
    UNDEFINED,
    Interval,
    bootstrap_counts,
    interval_of,
    only_values,
    resampled_means,
    share_ci,
)


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

    between = pairs_between(generated, reference, function=kernel).mean.mean()
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
    own = pairs_between(_checked(generated), training).nearest
    return float(_nearer(own, pairs_between(_checked(held_out), training).nearest).mean())


def _inside(generated: np.ndarray, reference: np.ndarray, k: int) -> Across:
    """Which structures are in balls about those of the reference, each up to its k-th neighbour."""
    reference = _checked(reference, k + 1)
    return pairs_between(_checked(generated), reference, radius=Pairs(reference).smallest(k)[:, k])


def _checked(features: np.ndarray, least: int = 1) -> np.ndarray:
    features = np.asarray(features, dtype=float)
    if features.ndim != 2 or len(features) < least:
        raise InputError(f"features: expected at least {least} rows, found shape {features.shape}")
    if not np.isfinite(features).all():
        raise InputError("features: expected finite numbers, found NaN or infinity")
    return features


K_NEIGHBORS = 5
KERNEL_WIDTHS = (1.0, 4.0, 16.0, 64.0)
"""Widths of the kernel of the MMD, times the median distance of training structures."""


def compare_sets(
    generated: np.ndarray, training: np.ndarray, held_out: np.ndarray | None
) -> dict[str, Interval]:
    """MMD, fidelity, coverage, diversity and memorisation of a generated set, dimensionless.

    Undefined with fewer than 2 generated or K_NEIGHBORS + 1 different training structures.

    Args:
        generated: one vector per structure, (n_generated, n_features).
        training: the same of the training set, (n_training, n_features).
        held_out: the same of held-out structures; None: each training structure is held out of
            the others in turn.
    """
    names = ("mmd", "fidelity", "coverage", "diversity", "memorisation")
    pairs = Pairs(training)
    if len(generated) < 2 or len(training) <= K_NEIGHBORS or not pairs.median_square > 0:
        return dict.fromkeys(names, UNDEFINED)
    kernel = partial(_kernel, median=np.sqrt(pairs.median_square))
    nearest = pairs.smallest(K_NEIGHBORS)
    met = pairs_between(generated, training, nearest[:, K_NEIGHBORS], kernel)
    new = nearest[:, 1] if held_out is None else pairs_between(held_out, training).nearest
    scale = pairs.mean()
    counts = bootstrap_counts(len(generated))
    (among, spread), (among_drawn, spread_drawn) = Pairs(generated).weighted_means(
        counts, [kernel, lambda distance: distance]
    )
    diversity = interval_of(spread / scale, spread_drawn / scale, (0.0, np.inf))
    return {
        "mmd": _discrepancy(among, among_drawn, met.mean, pairs.mean(kernel)),
        "fidelity": share_ci(met.inside),
        "coverage": share_ci(met.covered),
        "diversity": diversity,
        "memorisation": share_ci(_nearer(met.nearest, new)),
    }


def expected_coverage(n_generated: int, n_training: int, k: int = K_NEIGHBORS) -> float:
    """Coverage of n_generated new structures of the training distribution (NAEEM 2020, Eq. 9)."""
    i = np.arange(k)
    return float(1 - np.prod((n_training - 1 - i) / (n_training + n_generated - 1 - i)))


def expected_mmd(training: np.ndarray, n_generated: int) -> float:
    """Root mean square of the MMD of n_generated new structures of the training distribution."""
    pairs = Pairs(_some(training))
    if not pairs.median_square > 0:
        return np.nan
    kernel = _kernel(cdist(pairs.vectors, pairs.vectors), np.sqrt(pairs.median_square))
    return _null_spread(kernel, len(training), n_generated)


def expected_soap_mmd(training: np.ndarray, n_generated: int) -> float:
    """The same of the discrepancy by the SOAP kernel."""
    some = _some(training)
    return _null_spread(soap_kernel(some, some), len(training), n_generated)


def _some(vectors: np.ndarray) -> np.ndarray:
    """At most TILE rows, evenly spread: enough for a second moment."""
    return vectors[:: -(-len(vectors) // TILE)]


def _null_spread(kernel: np.ndarray, n_training: int, n_generated: int) -> float:
    """Standard deviation of an unbiased discrepancy whose expectation is 0.

    sqrt(2 E[k'^2]) (1 / n + 1 / m), k' the kernel less its means, E over pairs of different
    structures (GRETTON 2012, Sec. 3, for the degenerate case).
    """
    n = len(kernel)
    if n < 3:
        return np.nan
    row = kernel.mean(axis=1)
    centred = kernel - row[:, None] - row[None, :] + row.mean()
    np.fill_diagonal(centred, 0.0)
    second = (centred**2).sum() / (n * (n - 1))
    return float(np.sqrt(2 * second) * (1 / n_generated + 1 / n_training))


def _kernel(distance: np.ndarray, median: float) -> np.ndarray:
    """Mean over the widths of the kernel.

    One width would stop growing for sets that are further away than it.
    """
    total = np.zeros_like(distance)
    for width in KERNEL_WIDTHS:
        total += np.exp(-0.5 * (distance / (width * median)) ** 2)
    return total / len(KERNEL_WIDTHS)


def soap_mmd_ci(generated: np.ndarray, training: np.ndarray) -> Interval:
    """`dismai.metrics.soap.soap_mmd` of two sets of SOAP vectors with its interval.

    Undefined with fewer than 2 structures in either, and of draws with replacement.
    """
    if only_values() or min(len(generated), len(training)) < 2:
        return UNDEFINED
    to_training = pairs_between(generated, training, matrix=soap_kernel).mean
    (among,), (drawn,) = Pairs(generated, soap_kernel).weighted_means(
        bootstrap_counts(len(generated)), [lambda kernel: kernel]
    )
    return _discrepancy(among, drawn, to_training, Pairs(training, soap_kernel).mean())


def _discrepancy(
    among: float, among_drawn: np.ndarray, to_training: np.ndarray, constant: float
) -> Interval:
    """Unbiased squared discrepancy with its interval, GRETTON 2012 Eq. 3.

    among, among_drawn: mean kernel of generated pairs, of the set and of resamples.
    to_training: mean kernel of each generated structure with the training set, (n,).
    constant: mean kernel of pairs of training structures.
    """
    drawn = resampled_means(to_training[:, None])[:, 0]
    value = among + constant - 2 * to_training.mean()
    return interval_of(float(value), among_drawn + constant - 2 * drawn)


def _nearer(own: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Share of the distances of new structures that exceed each own distance; ties count half."""
    ordered = np.sort(new)
    below = np.searchsorted(ordered, own, side="left")
    up_to = np.searchsorted(ordered, own, side="right")
    return 1.0 - (below + up_to) / (2.0 * len(new))
