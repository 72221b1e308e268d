"""What VASP has written: vasprun.xml, also one that a kill cut off, and CONTCAR."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from pymatgen.io.ase import AseAtomsAdaptor
from pymatgen.io.vasp.inputs import Poscar
from pymatgen.io.vasp.outputs import Vasprun

from dismai.base import kept
from dismai.base.errors import StructureError
from dismai.potentials.labels import EV_PER_A3_TO_GPA, Label, Trajectory

KBAR_PER_GPA = 10.0
VOIGT = ([0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1])
CHECKED_TAGS = ("ENCUT", "ISIF", "LDAU")
"""Of the run against what was asked for: custodian corrects inputs after errors."""


def parse(path: Path, asked: dict[str, Any] | None = None) -> Trajectory:
    """Ionic steps of a vasprun.xml.

    The energy is the one for zero smearing. A run of no ionic steps (NSW 0) counts as converged,
    one whose cell is free (ISIF 3) only if VASP ended it before its last step: stress counts, too.

    Args:
        path: vasprun.xml.
        asked: INCAR tags that the run must have kept.

    Raises:
        StructureError: no or cut-off file, other settings than asked for, or electrons that did
            not converge in some ionic step.
    """
    run = _read(path, whole=True)
    steps = _steps(run, asked)
    if not steps:
        raise StructureError("expected ionic steps in vasprun.xml, found none")
    most = int(run.parameters.get("NSW", 0))
    force = -float(run.parameters.get("EDIFFG", -0.1))
    if force > 0:
        small = steps[-1].fmax_eV_per_A <= force
    else:  # EDIFFG is a change of the energy
        small = len(steps) < most
    if int(run.parameters.get("ISIF", 2)) == 3:
        small = small and len(steps) < most
    return Trajectory(steps, 0, most == 0 or small)


def whole_steps(path: Path, asked: dict[str, Any] | None = None) -> list[Label]:
    """Ionic steps that stand whole in a vasprun.xml, also in one that a kill cut off.

    Raises:
        StructureError: as `parse`, but for a cut-off file, which may have no step.
    """
    try:
        run = _read(path, whole=False)
    except StructureError:
        return []  # not even the settings of the run
    return _steps(run, asked)


def next_structure(folder: Path, last: Atoms) -> Atoms:
    """Where a run that was ended goes on: its CONTCAR, or its last step if a kill cut that off.

    Args:
        folder: of the run.
        last: structure of its last whole ionic step.
    """
    try:
        text = (folder / "CONTCAR").read_text()
        whole = text[: text.rindex("\n") + 1]  # a last line without its end may lack digits
        structure = Poscar.from_str(whole).structure
    except (OSError, ValueError, IndexError, KeyError):
        return last
    found = AseAtomsAdaptor.get_atoms(structure, msonable=False)
    same = found.get_chemical_symbols() == last.get_chemical_symbols()
    return (
        Atoms(found.symbols, positions=found.positions, cell=found.cell, pbc=True) if same else last
    )


def _read(path: Path, whole: bool) -> Vasprun:
    """A vasprun.xml; StructureError if there is none, or nothing of use in it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Vasprun(
                str(path),
                parse_dos=False,
                parse_eigen=False,
                parse_potcar_file=False,
                exception_on_bad_xml=whole,
            )
    except FileNotFoundError:
        raise StructureError("expected vasprun.xml, found no such file") from None
    except (SyntaxError, ValueError, KeyError, IndexError, AttributeError) as error:
        found = " ".join(str(error).split())[:100]
        raise StructureError(f"expected a whole vasprun.xml, found {found}") from None


def _steps(run: Vasprun, asked: dict[str, Any] | None) -> list[Label]:
    for tag in CHECKED_TAGS:
        if asked is not None and run.parameters.get(tag, run.incar.get(tag)) != asked[tag]:
            found = run.parameters.get(tag, run.incar.get(tag))
            raise StructureError(f"{tag}: expected {asked[tag]}, found {found}")
    mesh = tuple(run.kpoints.kpts[0])
    if asked is not None and mesh != tuple(asked.get("KPOINTS", mesh)):
        raise StructureError(f"KPOINTS: expected {asked['KPOINTS']}, found {mesh}")
    most = int(run.parameters["NELM"])
    notes = _provenance(run)
    return [_step(i, step, most, notes) for i, step in enumerate(run.ionic_steps)]


def _step(index: int, step: dict[str, Any], most: int, notes: dict[str, Any]) -> Label:
    """One ionic step; StructureError if its electrons did not converge."""
    n_iterations = len(step["electronic_steps"])
    if n_iterations >= most:
        raise StructureError(
            f"ionic step {index}: expected fewer than {most} electronic iterations, found "
            f"{n_iterations}: not converged"
        )
    structure = step["structure"]
    atoms = Atoms(
        [site.specie.symbol for site in structure],
        positions=structure.cart_coords,
        cell=structure.lattice.matrix,
        pbc=True,
    )
    # VASP prints the pressure tensor in kbar: positive under compression.
    stress = -np.array(step["stress"], dtype=float) / KBAR_PER_GPA / EV_PER_A3_TO_GPA
    return Label(
        atoms,
        float(step["e_0_energy"]),
        np.array(step["forces"], dtype=float),
        stress[VOIGT],
        converged=True,
        provenance=notes,
    )


def _provenance(run: Vasprun) -> dict[str, Any]:
    """Engine, version, hash of INCAR, k-points and titles of the potentials."""
    settings = {
        "incar": {key: str(value) for key, value in sorted(run.incar.items())},
        "kpoints": np.array(run.actual_kpoints).tolist(),
        "potentials": run.potcar_symbols,
    }
    return {
        "engine": "vasp",
        "engine_version": str(run.vasp_version),
        "settings_sha256": kept.digest(settings),
    }
