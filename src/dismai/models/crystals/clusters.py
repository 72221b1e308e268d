"""Which of the numbers that a picture says are meant to be one: of species, and of coordinates."""

from __future__ import annotations

from typing import Literal

import numpy as np

Clustering = Literal["published", "none", "auto"]
PUBLISHED_SPECIES, PUBLISHED_SITES = 3, 6
"""Clusters of the paper, whatever the crystal."""
SPECIES_GAP = 0.75
"""Atomic numbers this far apart are two elements: next elements are 1 apart."""
ERRORS = 3.0
"""Standard errors within which two coordinates are one."""
SEED = 0
STARTS = 10


def k_means(values: np.ndarray, k: int) -> np.ndarray:
    """Every value replaced by the mean of its cluster of k, (n,); fewer values are all kept.

    LLOYD's iteration of scikit-learn, best of 10 starts, seeded: the published choice.
    """
    from sklearn.cluster import KMeans  # takes a second

    if len(np.unique(values)) <= k:
        return values
    found = KMeans(k, n_init=STARTS, random_state=SEED).fit(values[:, None])
    return found.cluster_centers_[found.labels_, 0]


def joined(values: np.ndarray, gap: float) -> np.ndarray:
    """Every value replaced by the mean of its group: neighbours less than `gap` apart, (n,)."""
    order = np.argsort(values, kind="stable")
    steps = np.diff(values[order]) >= gap
    group = np.concatenate([[0], np.cumsum(steps)])
    sums, sizes = np.bincount(group, values[order]), np.bincount(group)
    result = np.empty(len(values))
    # a group of one keeps its value to the last digit
    means = np.where(sizes == 1, sums, sums / sizes)
    result[order] = means[group]
    return result


def species_of(values: np.ndarray, clustering: Clustering) -> np.ndarray:
    """Atomic numbers, integers, (n,), of means of lines: clustered, then rounded."""
    if clustering == "published":
        values = k_means(values, PUBLISHED_SPECIES)
    elif clustering == "auto":
        values = joined(values, SPECIES_GAP)
    return np.rint(values).astype(int)


def sites_of(sites: np.ndarray, clustering: Clustering, error: float) -> np.ndarray:
    """Fractional coordinates, (n, 3), those of all atoms and axes clustered together.

    error: standard error of one of them; `auto` joins what the picture cannot tell apart, so
    nothing in a picture whose copies agree.
    """
    if clustering == "published":
        return k_means(sites.ravel(), PUBLISHED_SITES).reshape(sites.shape)
    if clustering == "auto" and error > 0:
        return joined(sites.ravel(), ERRORS * error).reshape(sites.shape)
    return sites
