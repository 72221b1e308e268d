"""All structure descriptors of a cell from one cell list and one tessellation."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np
from ase import Atoms

from dismai.base.errors import StructureError
from dismai.geometry.grid import make_grid
from dismai.geometry.voronoi import Tessellation, tessellate
from dismai.metrics.angles import bond_angles
from dismai.metrics.crystalnn.fingerprint import Preset, fingerprints, get_preset, sites
from dismai.metrics.rdf import rdf


@dataclass(frozen=True)
class Descriptors:
    """What is computed of one structure.

    fingerprints: (n_sites, n_features).  angles: degrees, (n_angles,).  r: Å, g: dimensionless,
    both (n_bins,).
    """

    fingerprints: np.ndarray
    angles: np.ndarray
    r: np.ndarray
    g: np.ndarray


def describe(
    atoms: Atoms,
    preset: str | Preset = "amorphous_si",
    r_max: float = 10.0,
    bin_width: float = 0.02,
) -> Descriptors:
    """Fingerprints of the preset, bond angles of all atoms and radial distribution function."""
    chosen = get_preset(preset)
    grid = make_grid(atoms)
    cells = tessellate(atoms, None, chosen.settings.search_radius, grid)
    centers = sites(atoms, chosen)
    own = cells if len(centers) == len(atoms) else subset(cells, centers)
    return Descriptors(
        fingerprints(atoms, chosen, own),
        bond_angles(atoms, cells),
        *rdf(atoms, r_max, bin_width, grid),
    )


def subset(cells: Tessellation, chosen: np.ndarray) -> Tessellation:
    """The Voronoi cells of some of the sites of a tessellation of all atoms."""
    sizes = np.diff(cells.start)[chosen]
    start = np.concatenate([[0], np.cumsum(sizes)])
    face = np.arange(start[-1]) + np.repeat(cells.start[chosen] - start[:-1], sizes)
    names = ("neighbor", "shift", "vector", "distance", "solid_angle", "area")
    arrays = [getattr(cells, name)[face] for name in names]
    return Tessellation(chosen, start, cells.radius[chosen], *arrays)


def describe_all(
    structures: Iterable[Atoms], preset: str | Preset = "amorphous_si", n_threads: int = 1
) -> Iterator[Descriptors | StructureError]:
    """Descriptors of many structures in their order; a bad one gives its error instead.

    The kernels release the interpreter's lock, so threads share the work without copies.
    """

    def one(atoms: Atoms) -> Descriptors | StructureError:
        try:
            return describe(atoms, preset)
        except StructureError as error:
            return error

    structures = iter(structures)
    if n_threads == 1:
        yield from map(one, structures)
        return
    with ThreadPoolExecutor(n_threads) as pool:  # in slices, so that a stream stays a stream
        while batch := list(islice(structures, 16 * n_threads)):
            yield from pool.map(one, batch)
