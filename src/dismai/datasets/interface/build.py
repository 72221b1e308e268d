"""The interface dataset: random interfaces, relaxed; those of low energy, split, with a card."""

from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms

from dismai.base.card import REGION_ATOMS, DatasetSpec, cell_rows
from dismai.base.columns import ENERGY, REFERENCE
from dismai.base.errors import InputError
from dismai.base.seeds import generator_for, seed_for
from dismai.datasets.interface.assembly import ORDER, blueprint, random_interface
from dismai.datasets.interface.kind import KIND
from dismai.datasets.interface.settings import InterfaceDataset, InterfaceGeometry
from dismai.datasets.split import split
from dismai.metrics.interface import fitted_reference_energy, interface_area, interface_energy

NUMBER, GAMMA = "interface", "gamma_J_per_m2"
"""In the `info` of structures: number among those tried, interface energy."""


def random_interfaces(
    geometry: InterfaceGeometry, n: int, seed: int, purpose: str, name: str
) -> list[Atoms]:
    """Random interfaces of one geometry, unrelaxed, each from its own stream.

    Args:
        geometry: slabs, cell and region.
        n: number of structures.
        seed: root seed.
        purpose: what they are for; another purpose gives other structures.
        name: of the dataset.
    """
    settings = geometry.model_dump()
    structures = []
    for i in range(n):
        atoms = random_interface(seed_for(seed, purpose, name, i), **settings)
        atoms.info[NUMBER] = i
        structures.append(atoms)
    return structures


def composition_of(geometry: InterfaceGeometry) -> dict[str, int]:
    """Atoms by element of every structure of a geometry, in file order."""
    return blueprint(geometry).composition


def in_file_order(structures: list[Atoms]) -> list[Atoms]:
    """Ready-made structures in blocks of elements as here, order inside an element kept."""
    ordered = []
    for number, atoms in enumerate(structures):
        rank = [ORDER.index(symbol) for symbol in atoms.get_chemical_symbols()]
        moved = atoms[np.argsort(rank, kind="stable")]
        moved.info = {NUMBER: number}
        ordered.append(moved)
    return ordered


def build(
    structures: list[Atoms],
    table: pd.DataFrame,
    name: str,
    settings: InterfaceDataset,
    seed: int,
    provenance: dict,
) -> tuple[list[Atoms], list[Atoms], DatasetSpec]:
    """Training set, validation set and card of relaxed random interfaces, or of a ready-made set.

    gamma = (E - N e_0) / A (paper Eq. 6). Where e_0 is not given it lies `above_lowest_J_per_m2`
    above the lowest structure at its minimum. Of random interfaces the first n_structures at
    their minima with gamma at most `max_gamma_J_per_m2` are taken; a ready-made set is kept whole.

    Args:
        structures: where the relaxation ended, or ready-made structures as they were given.
        table: of the relaxation, one row each (`RELAXED_SCHEMA`).
        name: of the dataset.
        settings: its entry in the configuration.
        seed: root seed of the split.
        provenance: for the card.

    Raises:
        InputError: fewer structures are low in energy than are wanted.
    """
    n_atoms, area = len(structures[0]), interface_area(structures[0])
    converged = (table["status"] == "ok").to_numpy()
    _check_any(converged, name)
    energy = np.where(converged, table["energy_eV"].to_numpy(float) / n_atoms, np.nan)
    zero, above = settings.reference_energy_eV_per_atom, settings.above_lowest_J_per_m2
    if zero is None:
        zero = fitted_reference_energy(energy[converged], n_atoms, area, above)
    gamma = interface_energy(n_atoms * energy, n_atoms, area, zero)
    low = converged & (gamma <= settings.max_gamma_J_per_m2)
    taken = _taken(low, name, settings)
    for k in taken:
        structures[k].info |= {ENERGY: float(energy[k]), GAMMA: float(gamma[k])}
    held_out = split(len(taken), settings.validation_share, generator_for(seed, "split", name))
    train = [structures[k] for k in taken[~held_out]]
    val = [structures[k] for k in taken[held_out]]
    spec = DatasetSpec(
        name=name,
        kind="interface",
        composition=_count(train[0]),
        cell_A=cell_rows(train[0].cell.array),
        n_train=len(train),
        n_val=len(val),
        notes=_notes(settings, zero, n_atoms) if settings.source is None else READY_MADE,
        provenance=provenance,
        statistics={
            "n_tried": len(structures),
            "n_not_relaxed": int((~converged).sum()),
            "percent_low_of_relaxed": round(100.0 * low.sum() / converged.sum(), 2),
            REFERENCE: float(zero),
            **_statistics(gamma, table, settings),
        },
    )
    return train, val, spec


def _check_any(converged: np.ndarray, name: str) -> None:
    if not converged.any():
        raise InputError(
            f"{name}: expected relaxed interfaces, found none of {len(converged)} at its minimum; "
            "raise max_steps or fmax_eV_per_A of the relaxation"
        )


def _count(atoms: Atoms) -> dict[str, int]:
    symbols = atoms.get_chemical_symbols()
    return {element: symbols.count(element) for element in ORDER}


def _taken(low: np.ndarray, name: str, settings: InterfaceDataset) -> np.ndarray:
    """Indices of the structures of the set; low: whether each is low enough in energy."""
    taken = np.flatnonzero(low) if settings.source is None else np.arange(len(low))
    if len(taken) < settings.n_structures:
        raise InputError(
            f"{name}: expected {settings.n_structures} interfaces of at most "
            f"{settings.max_gamma_J_per_m2:g} J/m², found {len(taken)} of {len(low)}; "
            "raise n_random or above_lowest_J_per_m2"
        )
    return taken[: settings.n_structures]


def _statistics(
    gamma: np.ndarray, table: pd.DataFrame, settings: InterfaceDataset
) -> dict[str, Any]:
    """What the card says of energies, relaxations and geometry of all that was tried."""
    plan = blueprint(settings.geometry)
    return {
        "reference_energy_fitted": settings.reference_energy_eV_per_atom is None,
        "gamma_lowest_J_per_m2": round(float(np.nanmin(gamma)), 6),
        "gamma_spread_J_per_m2": round(float(np.nanmax(gamma) - np.nanmin(gamma)), 6),
        "relaxation_steps_mean": round(float(table["steps"].mean()), 3),
        "potential": settings.potential,
        REGION_ATOMS: dict(plan.region),
        "lattice_match": plan.match.report(),
    }


READY_MADE = (
    "A ready-made set, kept as it is; a random share is held out. Atoms are put in blocks of "
    "Li, Co, Sc, Cl, O, their order inside an element is that of the file.",
)


def _notes(settings: InterfaceDataset, zero: float, n_atoms: int) -> tuple[str, ...]:
    """How the set differs from the papers', in sentences."""
    force = "" if settings.relaxation is None else f" to {settings.relaxation.fmax_eV_per_A:g} eV/Å"
    if settings.reference_energy_eV_per_atom is None:
        energy = (
            f"Zero of the interface energy: {zero:.6f} eV/atom, fitted to lie "
            f"{settings.above_lowest_J_per_m2:g} J/m² above the lowest relaxed structure of this "
            "set, as the paper's -4.78 eV/atom lies 0.4 J/m² above its lowest; energies of the "
            f"potential {settings.potential}, not of VASP."
        )
    else:
        energy = f"Zero of the interface energy: {zero:.6f} eV/atom, given in the configuration."
    return (
        f"{n_atoms} atoms relaxed in the potential {settings.potential}{force}; the papers': "
        f"{KIND.paper_atoms} atoms, M3GNet trained on VASP labels, 0.05 eV/Å.",
        "Rebuilt from the crystals; not the published archive of structures.",
        "The paper leaves open: height of the cell, places of the slabs in it, which half of the "
        "surface Cl stays, order of Li in Li3ScCl6, smallest distances of random atoms, mirrored "
        "settings of the lattice match. Here the Cl with the lowest electrostatic energy stay, and "
        "Li is on the idealised octahedral sites.",
        energy,
    )
