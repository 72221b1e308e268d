"""The interface dataset: random interfaces, relaxed; those of low energy, split, with a card."""

import math
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms

from dismai.base.card import REGION_ATOMS, DatasetSpec, cell_rows
from dismai.base.columns import (
    ENERGY,
    ENGINE_ENERGY,
    ENGINE_REFERENCE,
    ENGINE_STATUS,
    REFERENCE,
)
from dismai.base.errors import InputError
from dismai.base.seeds import generator_for, seed_for
from dismai.datasets.interface.assembly import ORDER, blueprint, random_interface
from dismai.datasets.interface.kind import KIND
from dismai.datasets.interface.settings import InterfaceDataset, InterfaceGeometry
from dismai.datasets.split import split
from dismai.metrics.interface import (
    fitted_reference_energy,
    interface_area,
    interface_energy,
    reference_energy_of_share,
)

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


def build(
    structures: list[Atoms],
    table: pd.DataFrame,
    name: str,
    settings: InterfaceDataset,
    seed: int,
    provenance: dict,
) -> tuple[list[Atoms], list[Atoms], DatasetSpec]:
    """Training set, validation set and card of relaxed random interfaces.

    gamma = (E - N e_0) / A (paper Eq. 6), e_0 as `zero_of` gives it. The first n_structures at
    their minima with gamma at most `max_gamma_J_per_m2` are taken. After an engine stage E and
    minima are those of the engine; `ENERGY` and `REFERENCE` stay those of the potential, in which
    generated structures relax.

    Args:
        structures: where the relaxation ended.
        table: of the relaxation, one row each (`RELAXED_SCHEMA`), and of the engine stage, if any.
        name: of the dataset.
        settings: its entry in the configuration.
        seed: root seed of the split.
        provenance: for the card.

    Raises:
        InputError: fewer structures are low in energy than are wanted.
    """
    n_atoms, area = len(structures[0]), interface_area(structures[0])
    converged = at_minima(table, name)
    energy = np.where(converged, table["energy_eV"].to_numpy(float) / n_atoms, np.nan)
    chosen_by = table[ENGINE_ENERGY].to_numpy(float) if ENGINE_ENERGY in table else energy
    zero = zero_of(chosen_by[converged], n_atoms, area, settings)
    own_zero = zero_of(energy[converged], n_atoms, area, settings)
    gamma = interface_energy(n_atoms * chosen_by, n_atoms, area, zero)
    low = converged & (gamma <= settings.max_gamma_J_per_m2)
    taken = _taken(low, converged, name, settings)
    zeros, noted = {REFERENCE: float(own_zero)}, {ENERGY: energy, GAMMA: gamma}
    if ENGINE_ENERGY in table:
        zeros[ENGINE_REFERENCE], noted[ENGINE_ENERGY] = float(zero), chosen_by
    for k in taken:
        structures[k].info |= {name: float(values[k]) for name, values in noted.items()}
    held_out = split(len(taken), settings.validation_share, generator_for(seed, "split", name))
    train, val = ([structures[k] for k in taken[part]] for part in (~held_out, held_out))
    spec = DatasetSpec(
        name=name,
        kind="interface",
        composition=_count(train[0]),
        cell_A=cell_rows(train[0].cell.array),
        n_train=len(train),
        n_val=len(val),
        notes=_notes(settings, zero, n_atoms),
        provenance=provenance,
        statistics={
            "n_tried": len(structures),
            "n_not_relaxed": int((~converged).sum()),
            "percent_low_of_relaxed": round(100.0 * low.sum() / converged.sum(), 2),
            **zeros,
            **_statistics(gamma, table, settings),
        },
    )
    return train, val, spec


def at_minima(table: pd.DataFrame, name: str) -> np.ndarray:
    """Which structures of a dataset are at a minimum, after an engine stage of the engine.

    Raises:
        InputError: none.
    """
    converged = (table["status"] == "ok").to_numpy()
    if ENGINE_STATUS in table:
        converged &= (table[ENGINE_STATUS] == "ok").to_numpy()
    if not converged.any():
        raise InputError(
            f"{name}: expected relaxed interfaces, found none of {len(converged)} at its minimum; "
            "raise max_steps or fmax_eV_per_A of the relaxation"
        )
    return converged


def _count(atoms: Atoms) -> dict[str, int]:
    symbols = atoms.get_chemical_symbols()
    return {element: symbols.count(element) for element in ORDER}


def zero_of(
    energy_per_atom: np.ndarray, n_atoms: int, area: float, settings: InterfaceDataset
) -> float:
    """Zero of the interface energy, eV/atom: of a share, above the lowest, or as given.

    energy_per_atom: of all structures at their minima, eV, (n_structures,).  area in Å^2.
    """
    if settings.reference_energy_eV_per_atom is not None:
        return settings.reference_energy_eV_per_atom
    if settings.above_lowest_J_per_m2 is not None:
        above = settings.above_lowest_J_per_m2
        return fitted_reference_energy(energy_per_atom, n_atoms, area, above)
    return reference_energy_of_share(energy_per_atom, settings.low_share)


def _taken(
    low: np.ndarray, converged: np.ndarray, name: str, settings: InterfaceDataset
) -> np.ndarray:
    """Indices of the structures of the set.

    Args:
        low: whether each is at its minimum and low enough in energy.
        converged: whether each is at its minimum.
        name: of the dataset.
        settings: its entry in the configuration.

    Raises:
        InputError: too few; says how many more random interfaces are needed for the rest.
    """
    taken, wanted = np.flatnonzero(low), settings.n_structures
    if len(taken) >= wanted:
        return taken[:wanted]
    found = (
        f"{name}: expected {wanted} interfaces of at most {settings.max_gamma_J_per_m2:g} J/m², "
        f"found {len(taken)} of {len(low)}"
    )
    unfinished = int((~converged).sum())
    if unfinished:
        found += f" ({unfinished} did not reach their minimum)"
    if len(taken) == 0:
        raise InputError(f"{found}; give another zero of the interface energy")
    total = math.ceil(wanted * len(low) / len(taken))
    raise InputError(
        f"{found}; at this share about {total - len(low)} more random interfaces are needed: "
        f"n_random: {total} (finished relaxations are kept)"
    )


def _statistics(
    gamma: np.ndarray, table: pd.DataFrame, settings: InterfaceDataset
) -> dict[str, Any]:
    """What the card says of energies, relaxations and geometry of all that was tried."""
    plan = blueprint(settings.geometry)
    return {
        "reference_energy_fitted": settings.reference_energy_eV_per_atom is None,
        "gamma_lowest_J_per_m2": round(float(np.nanmin(gamma)), 6),
        "gamma_spread_J_per_m2": round(float(np.nanmax(gamma) - np.nanmin(gamma)), 6),
        "gamma_sd_J_per_m2": round(float(np.nanstd(gamma)), 6),
        "relaxation_steps_mean": round(float(table["steps"].mean()), 3),
        "potential": settings.potential,
        REGION_ATOMS: dict(plan.region),
        "lattice_match": plan.match.report(),
    }


def _notes(settings: InterfaceDataset, zero: float, n_atoms: int) -> tuple[str, ...]:
    """How the set differs from the papers', in sentences."""
    force = "" if settings.relaxation is None else f" to {settings.relaxation.fmax_eV_per_A:g} eV/Å"
    whose = f"energies of the potential {settings.potential}, not of VASP."
    if settings.engine_stage:
        whose = "energies of the engine of dft, under which they were relaxed further."
    if settings.by_share:
        energy = (
            f"Zero of the interface energy: {zero:.6f} eV/atom, so that "
            f"{100 * settings.low_share:g} % of the relaxed structures of this set lie below, as "
            f"48 % do below the paper's -4.78 eV/atom; {whose}"
        )
    elif settings.reference_energy_eV_per_atom is None:
        energy = (
            f"Zero of the interface energy: {zero:.6f} eV/atom, fitted to lie "
            f"{settings.above_lowest_J_per_m2:g} J/m² above the lowest relaxed structure of this "
            f"set, as the paper's -4.78 eV/atom lies 0.4 J/m² above its lowest; {whose}"
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
