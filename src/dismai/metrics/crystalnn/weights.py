"""From Voronoi faces to bond weights and likelihoods of coordination numbers.

PAN, ZIMMERMANN, JAIN 2021, Inorg. Chem. 60, 1590: the solid angle of a face, relative to the
largest, is the weight of the bond; corrections for porous structures, electronegativity and
distance follow; the distinct weights cut a quarter circle into slices, whose areas are the
likelihoods of the coordination numbers.
"""

import math
from dataclasses import dataclass

import numpy as np

from dismai.base.errors import InputError, StructureError
from dismai.base.kernels import njit
from dismai.geometry.voronoi import Tessellation
from dismai.metrics.crystalnn.elements import SiteTable


@dataclass(frozen=True)
class Settings:
    """Choices of CrystalNN; the defaults are its own, for chemical bonds.

    cation_anion: only atoms of opposite or zero charge are neighbours (needs oxidation states).
    distance_cutoffs: Å beyond the sum of radii where the weight starts to fall and where it
    vanishes; None: no limit.  x_diff_weight: preference for a difference of electronegativity.
    porous_adjustment: correct the weights in open structures.  search_radius: Å, of the points
    that enter the tessellation.
    """

    cation_anion: bool = False
    distance_cutoffs: tuple[float, float] | None = (0.5, 1.0)
    x_diff_weight: float = 3.0
    porous_adjustment: bool = True
    search_radius: float = 7.0


DEFAULT = Settings()
GEOMETRIC = Settings(distance_cutoffs=None, x_diff_weight=0.0, porous_adjustment=False)
CATION_ANION = Settings(cation_anion=True)


@dataclass(frozen=True)
class Bonds:
    """Neighbours of some sites by decreasing weight; those of sites[s] are start[s] : start[s + 1].

    face: index into the arrays of the tessellation.  weight: in (0, 1], three decimals.
    """

    start: np.ndarray
    face: np.ndarray
    weight: np.ndarray


def bonds(cells: Tessellation, table: SiteTable, settings: Settings) -> Bonds:
    """Weigh the faces of a tessellation; faces with weight 0 are left out."""
    cutoffs = settings.distance_cutoffs or (math.inf, math.inf)
    if settings.cation_anion and np.isnan(table.state[cells.sites]).any():
        raise InputError("cation_anion: expected an oxidation state for every centre")
    if settings.distance_cutoffs and not (table.radius > 0).all():
        if np.isnan(table.default_radius).any():
            raise InputError("distance_cutoffs: no radius is tabulated for some of the elements")
    where, start, face, weight = weigh_all(
        cells.sites,
        cells.start,
        cells.neighbor,
        cells.distance,
        cells.solid_angle,
        cells.area,
        table.state,
        table.radius,
        table.default_radius,
        table.electronegativity,
        settings.cation_anion,
        settings.porous_adjustment,
        float(settings.x_diff_weight),
        float(cutoffs[0]),
        float(cutoffs[1]),
    )
    if where >= 0:
        raise StructureError(f"site {where}: no Voronoi face towards an atom of opposite charge")
    return Bonds(start, face, weight)


@njit(cache=True, nogil=True)
def weigh_all(
    sites,
    start,
    neighbor,
    distance,
    omega,
    area,
    state,
    radius,
    default_radius,
    electronegativity,
    cation_anion,
    porous,
    x_diff_weight,
    fall,
    end,
):
    """Weights of all faces of all sites; returns a site without targets (or -1) and Bonds."""
    face = np.empty(len(neighbor), np.int64)
    weight = np.empty(len(neighbor))
    out_start = np.zeros(len(sites) + 1, np.int64)
    n = 0
    for s in range(len(sites)):
        i = sites[s]
        first = n
        largest = 0.0
        for f in range(start[s], start[s + 1]):
            if not cation_anion or state[i] * state[neighbor[f]] <= 0.0:
                face[n] = f
                largest = max(largest, omega[f])
                n += 1
        if n == first:
            return i, out_start, face, weight
        top = 0.0
        for t in range(first, n):
            f = face[t]
            w = omega[f] / largest
            if porous:
                w *= omega[f] / area[f]
            x = abs(electronegativity[i] - electronegativity[neighbor[f]])
            if x_diff_weight > 0.0 and x == x:
                w *= 1.0 + x_diff_weight * math.sqrt(x / 3.3)
            weight[t] = w
            top = max(top, w)
        for t in range(first, n):
            j = neighbor[face[t]]
            reach = radius[i] + radius[j]
            if not (radius[i] > 0.0 and radius[j] > 0.0):
                reach = default_radius[i] + default_radius[j]
            weight[t] /= top
            if fall < np.inf:
                weight[t] *= distance_factor(distance[face[t]], reach + fall, reach + end)
        sort_down(weight, face, first, n)
        kept = first
        for t in range(first, n):
            w = np.rint(1000.0 * weight[t]) / 1000.0
            if w > 0.0:
                weight[kept], face[kept] = w, face[t]
                kept += 1
        n = kept
        out_start[s + 1] = n
    return -1, out_start, face[:n].copy(), weight[:n].copy()


@njit(cache=True, nogil=True)
def distance_factor(d, low, high):
    """1 up to low, 0 from high, half a cosine between (Å)."""
    if d <= low:
        return 1.0
    if d < high:
        return 0.5 * (math.cos(math.pi * (d - low) / (high - low)) + 1.0)
    return 0.0


@njit(cache=True, nogil=True)
def sort_down(weight, face, first, last):
    """Stable insertion sort of one site's entries by decreasing weight, in place."""
    for t in range(first + 1, last):
        w, f = weight[t], face[t]
        k = t
        while k > first and weight[k - 1] < w:
            weight[k], face[k] = weight[k - 1], face[k - 1]
            k -= 1
        weight[k], face[k] = w, f


@njit(cache=True, nogil=True)
def slice_area(x):
    """Area of the quarter unit circle left of x."""
    if x == 1.0:
        return 0.25 * math.pi
    root = math.sqrt(1.0 - x * x)
    return 0.5 * (x * root + math.atan(x / root))


@njit(cache=True, nogil=True)
def likelihoods(weight, first, last, number, chance):
    """Coordination numbers > 0 of one site in increasing order, and their likelihoods.

    weight[first:last] decreases. Fills number and chance; returns how many, and the likelihood
    of coordination number 0.
    """
    n, t = 0, first
    rest = 1.0
    while t < last:
        x = weight[t]
        while t < last and weight[t] == x:
            t += 1
        below = weight[t] if t < last else 0.0
        number[n] = t - first
        chance[n] = (slice_area(x) - slice_area(below)) / (0.25 * math.pi)
        rest -= chance[n]
        n += 1
    return n, max(rest, 0.0)


@njit(cache=True, nogil=True)
def likely_numbers(start, weight):
    """Most likely coordination number of each site; ties go to the smaller, 0 comes last."""
    n_sites = len(start) - 1
    most = 1
    for s in range(n_sites):
        most = max(most, start[s + 1] - start[s])
    number, chance = np.empty(most, np.int64), np.empty(most)
    likely = np.zeros(n_sites, np.int64)
    for s in range(n_sites):
        n, rest = likelihoods(weight, start[s], start[s + 1], number, chance)
        best = 0.0
        for t in range(n):
            if chance[t] > best:
                best, likely[s] = chance[t], number[t]
        if rest > best:
            likely[s] = 0
    return likely
