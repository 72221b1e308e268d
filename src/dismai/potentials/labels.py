"""Labels: what an engine says about one structure; files of labels as extended XYZ."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from dismai.base.atomic import replacing
from dismai.base.errors import InputError, StructureError
from dismai.files.structures import read_structures

EV_PER_A3_TO_GPA = 160.21766208
"""Of the stress; 1.602176634e-19 J / 1e-30 m^3 / 1e9 Pa."""


@dataclass(frozen=True)
class Label:
    """Energy, forces and stress of one structure.

    atoms: the structure.  energy_eV: total energy.  forces_eV_per_A: (n_atoms, 3).
    stress_eV_per_A3: xx, yy, zz, yz, xz, xy, positive under tension, (6,); None if the engine has
    none.  converged: whether the electrons are.  provenance: engine, version, hash of settings, and
    what the caller adds.
    """

    atoms: Atoms
    energy_eV: float
    forces_eV_per_A: np.ndarray
    stress_eV_per_A3: np.ndarray | None
    converged: bool
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def fmax_eV_per_A(self) -> float:
        """Largest force on an atom."""
        return float(np.linalg.norm(self.forces_eV_per_A, axis=1).max())

    @property
    def stress_GPa(self) -> np.ndarray | None:
        """The stress in GPa, (6,)."""
        stress = self.stress_eV_per_A3
        return None if stress is None else stress * EV_PER_A3_TO_GPA

    @property
    def pressure_kbar(self) -> float:
        """Mean of the diagonal stress, positive under compression; NaN if there is no stress."""
        stress = self.stress_GPa
        return float("nan") if stress is None else -10.0 * float(np.mean(stress[:3]))

    def noted(self, **notes: Any) -> "Label":
        """The same with more provenance."""
        return replace(self, provenance={**self.provenance, **notes})


@dataclass(frozen=True)
class Trajectory:
    """Ionic steps of one relaxation under an engine.

    steps: geometries of the last stage, the starting one first.  region_steps: number of steps of
    the stage before, in which only the interface region moved.  converged: whether the forces
    of the last step are below the threshold.
    """

    steps: list[Label]
    region_steps: int
    converged: bool

    @property
    def n_steps(self) -> int:
        """Ionic steps of the last stage after its start."""
        return len(self.steps) - 1


def checked(label: Label) -> Label:
    """The label if it can be trusted; StructureError with the reason otherwise."""
    if not label.converged:
        raise StructureError("expected converged electrons, found none after the last iteration")
    numbers = [label.energy_eV, *label.forces_eV_per_A.ravel()]
    if not np.isfinite(numbers).all():
        raise StructureError("expected finite energy and forces, found NaN or infinity")
    return label


def write_labels(labels: Iterable[Label], path: Path) -> None:
    """Write extended XYZ: energy (eV), forces (eV/Å), stress (eV/Å³), provenance of each."""
    with replacing(Path(path)) as temporary, open(temporary, "w") as stream:
        for label in labels:
            atoms = label.atoms
            frame = Atoms(atoms.symbols, positions=atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
            frame.info.update(label.provenance)
            results = {"energy": label.energy_eV, "forces": label.forces_eV_per_A}
            if label.stress_eV_per_A3 is not None:
                results["stress"] = label.stress_eV_per_A3
            frame.calc = SinglePointCalculator(frame, **results)
            ase.io.write(stream, frame, format="extxyz")


def read_labels(path: Path) -> list[Label]:
    """Read labels, ours or others' in ASE's keys; InputError if energy or forces are missing.

    The stress may be missing, but then in all structures.
    """
    labels = []
    for index, atoms in enumerate(read_structures(path)):
        results = atoms.calc.results if atoms.calc is not None else {}
        for name in ("energy", "forces"):
            if name not in results:
                found = ", ".join(sorted(results)) or "no label"
                raise InputError(f"{path}: structure {index}: expected {name}, found {found}")
        plain = Atoms(atoms.symbols, positions=atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
        label = Label(
            plain,
            float(results["energy"]),
            np.asarray(results["forces"], dtype=float),
            np.asarray(results["stress"], dtype=float) if "stress" in results else None,
            converged=True,
            provenance=dict(atoms.info),
        )
        if not np.isfinite([label.energy_eV, *label.forces_eV_per_A.ravel()]).all():
            raise InputError(f"{path}: structure {index}: expected finite numbers, found NaN")
        labels.append(label)
    without = [i for i, label in enumerate(labels) if label.stress_eV_per_A3 is None]
    if without and len(without) < len(labels):
        raise InputError(
            f"{path}: structure {without[0]}: expected stress as elsewhere, found none"
        )
    return labels
