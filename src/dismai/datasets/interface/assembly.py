"""Random interfaces: LCO slab, disordered region, LSC slab and vacuum in one fixed cell.

Dismai-Bench paper, section 4.1.3. The LCO slab stays where it is; the LSC slab is shifted in the
plane by a random vector and put a random distance above; between them atoms of Li3ScCl6 are
placed at random, no two closer than the smallest distance of their pair.
"""

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from ase import Atoms
from pydantic import ValidationError

from dismai.base.errors import InputError
from dismai.base.kernels import njit
from dismai.base.resources import resource
from dismai.base.seeds import generator_for
from dismai.datasets.interface.lattice_match import Match, find_match
from dismai.datasets.interface.settings import INTERFACE_ELEMENTS, InterfaceGeometry
from dismai.datasets.interface.slabs import (
    LCO_110,
    LSC_100,
    lco_planes,
    lsc_planes,
    read_crystal,
    supercell,
)

ORDER = INTERFACE_ELEMENTS
REGION_UNIT = {"Sc": 1, "Cl": 6, "Li": 3}  # in the order of placing: the largest demands first
N_POINTS = 1000
"""Random points tried for one atom before the whole region is started afresh."""


@dataclass(frozen=True)
class Blueprint:
    """What all interfaces of a geometry share.

    cell: the one cell, Å, (3, 3).  lco, lsc: planes from bottom to top, the lowest at height 0.
    region: atoms to place, by element.  match: the common in-plane cell.
    """

    cell: np.ndarray
    lco: list[Atoms]
    lsc: list[Atoms]
    region: dict[str, int]
    match: Match

    @property
    def composition(self) -> dict[str, int]:
        """Atoms by element, in file order."""
        counts = Counter(self.region)
        for plane in (*self.lco, *self.lsc):
            counts.update(plane.get_chemical_symbols())
        return {element: counts[element] for element in ORDER}


def geometry_of(settings: dict) -> InterfaceGeometry:
    """Checked settings of the geometry; InputError in one line if one is wrong."""
    try:
        return InterfaceGeometry(**settings)
    except ValidationError as error:
        first = error.errors()[0]
        message = first["msg"].removeprefix("Value error, ")
        place = ".".join(map(str, first["loc"]))
        if first["type"] == "value_error":
            raise InputError(f"interface: {'.'.join(filter(None, (place, message)))}") from None
        raise InputError(
            f"interface: {place}: expected {message.removeprefix('Input should be ')}, "
            f"found {first['input']!r}"
        ) from None


def blueprint(geometry: InterfaceGeometry) -> Blueprint:
    """Slabs, cell and region of a geometry; the search and the slabs are made once."""
    return _blueprint(geometry.model_dump_json())


@lru_cache
def _blueprint(settings: str) -> Blueprint:
    geometry = InterfaceGeometry.model_validate_json(settings)
    substrate = read_crystal(_file(geometry.substrate), LCO_110)
    film = read_crystal(_file(geometry.film), LSC_100)
    match = find_match(substrate.surface_vectors, film.surface_vectors, geometry.match)
    lower = lco_planes(substrate, geometry.lco_layers)
    upper = lsc_planes(film, geometry.lsc_layers, geometry.oxidation_states)
    lco = supercell(lower, match.substrate_matrix, match.cell)
    lsc = supercell(upper, match.film_matrix, match.cell)
    region = {symbol: n * geometry.region_formula_units for symbol, n in REGION_UNIT.items()}
    for name, parts in (("LiCoO2 slab", lco), ("Li3ScCl6 slab", lsc)):
        counts = Counter(symbol for plane in parts for symbol in plane.get_chemical_symbols())
        check_neutral(counts, geometry.oxidation_states, name)
    check_neutral(region, geometry.oxidation_states, "interface region")
    solid = lco[-1].positions[:, 2].max() + lsc[-1].positions[:, 2].max()
    cell = np.zeros((3, 3))
    cell[:2, :2] = match.cell
    # One height for all, rounded up to 0.1 Å: the vacuum is the given one at the thickest region.
    cell[2, 2] = np.ceil(10 * (solid + geometry.thickness.high_A + geometry.vacuum_A) - 1e-6) / 10
    return Blueprint(cell, lco, lsc, region, match)


def _file(name: str) -> Path:
    """A crystal structure: a path, or a file that ships with the package."""
    path = Path(name)
    return path if path.is_file() or path.parts[0] != "resources" else resource(path.name)


def check_neutral(counts: dict[str, int], charges: dict[str, int], place: str) -> None:
    """Refuse oxidation states that leave a part of the interface charged, as InputError."""
    total = sum(n * charges[element] for element, n in counts.items())
    if total:
        formula = " ".join(f"{element}{n}" for element, n in counts.items())
        raise InputError(
            f"interface: oxidation_states: expected a neutral {place} ({formula}), "
            f"found a charge of {total:+d} e"
        )


def random_interface(seed: int, **settings) -> Atoms:
    """One random interface, unrelaxed: 264 atoms by default, in the fixed order of the dataset.

    Atoms stand in blocks of Li, Co, Sc, Cl, O; inside each element come those of the region, of
    the LCO planes from top to bottom, of the LSC planes from bottom to top. `info` holds the
    thickness of the region (Å), the shift of the LSC slab (fractions of the in-plane vectors) and
    the number of exchanged pairs; tags are 0 in the region, 1 to n for LCO planes from the top,
    -1 to -n for LSC planes from the bottom.

    Args:
        seed: root of the random streams of this structure.
        **settings: fields of `InterfaceGeometry`, the paper's by default.

    Raises:
        InputError: a wrong setting, a charged part, no lattice match, or a region with too
            little room.
    """
    geometry = geometry_of(settings)
    plan = blueprint(geometry)
    rng = generator_for(seed, "random_interface")
    low, high = geometry.thickness.low_A, geometry.thickness.high_A
    thickness = float(rng.uniform(low, high))
    shift = rng.random(2)

    base = geometry.vacuum_A / 2
    lco = [_moved(plane, [0, 0, base]) for plane in plan.lco]
    floor = float(np.mean(lco[-1].positions[:, 2]))
    sideways = np.append(shift @ plan.cell[:2, :2], floor + thickness)
    lsc = [_moved(plane, sideways) for plane in plan.lsc]
    slabs = sum(lco + lsc, start=Atoms())
    region = fill_region(plan, geometry, slabs, (floor, floor + thickness), rng)
    exchanged = exchange_with_layer(region, lco[-1], geometry, rng)

    parts = [region, *reversed(lco), *lsc]
    tags = [0, *range(1, len(lco) + 1), *range(-1, -len(lsc) - 1, -1)]
    tagged = np.concatenate([np.full(len(p), tag) for p, tag in zip(parts, tags, strict=True)])
    symbols = np.concatenate([part.get_chemical_symbols() for part in parts])
    positions = np.vstack([part.positions for part in parts])
    order = np.argsort([ORDER.index(symbol) for symbol in symbols], kind="stable")
    atoms = Atoms(
        symbols[order], positions=positions[order], tags=tagged[order], cell=plan.cell, pbc=True
    )
    fractional = atoms.get_scaled_positions(wrap=False)
    fractional[:, :2] %= 1.0
    atoms.set_scaled_positions(fractional)
    atoms.info.update(
        thickness_A=thickness, shift_a=float(shift[0]), shift_b=float(shift[1]), **exchanged
    )
    return atoms


def _moved(plane: Atoms, by: np.ndarray) -> Atoms:
    moved = plane.copy()
    moved.positions += by
    return moved


def fill_region(
    plan: Blueprint,
    geometry: InterfaceGeometry,
    slabs: Atoms,
    between: tuple[float, float],
    rng: np.random.Generator,
) -> Atoms:
    """Atoms of the region at random places between two heights, Å, away from the slabs.

    Atoms are placed one after the other; where one finds no room among `N_POINTS` points, the
    region is started afresh, at most `n_attempts` times. InputError then.
    """
    shortest = geometry.min_distances_A
    reach = max(shortest.values())
    heights = slabs.positions[:, 2]
    near = slabs[(heights > between[0] - reach) & (heights < between[1] + reach)]
    wanted = [symbol for symbol, n in plan.region.items() for _ in range(n)]
    symbols = [*near.get_chemical_symbols(), *wanted]
    allowed = {
        symbol: np.array([shortest["-".join(sorted((symbol, other)))] for other in symbols])
        for symbol in plan.region
    }
    positions = np.vstack([near.positions, np.zeros((len(wanted), 3))])
    for _ in range(geometry.n_attempts):
        for k, symbol in enumerate(wanted, start=len(near)):
            points = np.empty((N_POINTS, 3))
            points[:, :2] = rng.random((N_POINTS, 2)) @ plan.cell[:2, :2]
            points[:, 2] = rng.uniform(*between, N_POINTS)
            free = _first_free(points, positions[:k], allowed[symbol][:k], plan.cell)
            if free < 0:
                break
            positions[k] = points[free]
        else:
            return Atoms(wanted, positions=positions[len(near) :])
    raise InputError(
        f"interface: expected room for {len(wanted)} atoms at the smallest distances in a region "
        f"of {between[1] - between[0]:.2f} Å, found none in {geometry.n_attempts} attempts; raise "
        "thickness or lower min_distances_A"
    )


@njit(cache=True)
def _first_free(points, placed, allowed, cell):
    """Index of the first point as far from all placed atoms as allowed (Å); -1 without one.

    Periodic in the plane: the eight neighbouring cells count, after the nearest image is taken.
    """
    height = cell[1, 1]
    for p in range(len(points)):
        free = True
        for q in range(len(placed)):
            y = points[p, 1] - placed[q, 1]
            n = np.rint(y / height)
            y -= n * height
            x = points[p, 0] - placed[q, 0] - n * cell[1, 0]
            x -= np.rint(x / cell[0, 0]) * cell[0, 0]
            z = points[p, 2] - placed[q, 2]
            for i in range(-1, 2):
                for j in range(-1, 2):
                    u = x + i * cell[0, 0] + j * cell[1, 0]
                    v = y + j * height
                    if u * u + v * v + z * z < allowed[q] * allowed[q]:
                        free = False
            if not free:
                break
        if free:
            return p
    return -1


def exchange_with_layer(
    region: Atoms, layer: Atoms, geometry: InterfaceGeometry, rng: np.random.Generator
) -> dict[str, int]:
    """Let random atoms of the region and of the top LCO layer swap places, in place.

    The number of pairs is drawn from 0 to the largest allowed; returns it by kind of exchange.
    """
    drawn = {}
    free = np.ones(len(layer), dtype=bool)
    unmoved = np.ones(len(region), dtype=bool)
    for kind, most in geometry.exchanges.model_dump().items():
        inside, outside = kind.split("_")
        first = np.flatnonzero((region.symbols == inside) & unmoved)
        second = np.flatnonzero((layer.symbols == outside) & free)
        if not most:
            continue
        n = int(rng.integers(0, min(most, len(first), len(second)) + 1))
        first, second = rng.permutation(first)[:n], rng.permutation(second)[:n]
        region.positions[first], layer.positions[second] = (
            layer.positions[second],
            region.positions[first],
        )
        free[second], unmoved[first] = False, False
        drawn[f"n_{kind}"] = n
    return drawn
