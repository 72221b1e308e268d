"""Energies, forces and stresses by an engine of the configuration: one interface for all.

`surrogate` (CHGNet) and `gpaw` are ASE calculators driven from here; `vasp` relaxes by itself and
is read afterwards.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dismai.base.errors import InputError
from dismai.dft.settings import Dft, Mesh, Protocol

if TYPE_CHECKING:
    import numpy as np
    from ase import Atoms

    from dismai.potentials.labels import Label, Trajectory


def check(settings: Dft, elements: Iterable[str] | None = None) -> None:
    """InputError in one line if the engine cannot run here: what is missing, what to set.

    elements: of the structures; those of the interface by default.
    """
    check_elements(settings)
    given = [] if elements is None else [elements]
    _engine(settings).check_installation(settings, *given)


def check_elements(settings: Dft) -> None:
    """InputError unless U and starting moments are given for elements."""
    from ase.data import atomic_numbers

    named = {"hubbard_U_eV": settings.hubbard_U_eV, "gpaw.magmoms": settings.gpaw.magmoms}
    for key, values in named.items():
        for symbol in values:
            if symbol not in atomic_numbers:
                raise InputError(f"dft.{key}: expected symbols of elements, found {symbol!r}")


def identity(settings: Dft, elements: Iterable[str] | None = None) -> dict[str, Any]:
    """What must be equal for kept results of an engine to be used again, as plain values.

    Its settings and how it relaxes; the version of its package or the content of its potentials.
    Not how its program is started: another number of ranks asks the same question. elements: of
    the structures; those of the interface by default.
    """
    given = [] if elements is None else [elements]
    own = settings.model_dump(mode="json", exclude={"surrogate", "gpaw", "vasp", "bulk"})
    own[settings.engine] = getattr(settings, settings.engine).model_dump(
        mode="json", exclude={"command", "bulk_command"}
    )
    return {**own, "code": _engine(settings).code_identity(settings, *given)}


def label(atoms: "Atoms", settings: Dft, workdir: Path) -> "Label":
    """Energy, forces and stress of a structure as it stands.

    Args:
        atoms: periodic structure.
        settings: section `dft`.
        workdir: folder for the files of the engine; may be that of other structures, too.

    Raises:
        InputError: the engine cannot run here.
        StructureError: its result cannot be trusted, e.g. electrons that do not converge.
    """
    check_elements(settings)
    return _engine(settings).label(atoms, settings, Path(workdir))


def relax(
    atoms: "Atoms", settings: Dft, workdir: Path, region: "np.ndarray | None" = None
) -> "Trajectory":
    """Relax positions in the fixed cell and keep every ionic step of the last stage.

    Args:
        atoms: periodic structure.
        settings: section `dft`.
        workdir: folder for the files of the engine; may be that of other structures, too.
        region: mask of the interface region, (n_atoms,): stage 1 moves these atoms only. None
            leaves stage 1 out, as after a relaxation by the potential.

    Raises:
        InputError: the engine cannot run here.
        StructureError: its result cannot be trusted.
    """
    check_elements(settings)
    return _engine(settings).relax(atoms, settings, Path(workdir), region)


def relax_cell(atoms: "Atoms", settings: Dft, workdir: Path, kpoints: Mesh) -> "Trajectory":
    """Relax positions and cell of a crystal, to the force of `dft.bulk`; keep every ionic step.

    Args:
        atoms: the crystal.
        settings: section `dft`.
        workdir: folder for the files of the engine; may be that of other structures, too.
        kpoints: mesh; the surrogate has no use for it.

    Raises:
        InputError: the engine cannot run here.
        StructureError: its result cannot be trusted.
    """
    check_elements(settings)
    return _engine(settings).relax_cell(atoms, settings, Path(workdir), kpoints)


def relax_successively(
    atoms: "Atoms", settings: Dft, protocol: Protocol, workdir: Path
) -> "list[Label]":
    """A crystal as it is, and at the end of each relaxation of a protocol.

    Args:
        atoms: periodic structure of any elements.
        settings: section `dft`; functional, cutoff, k-points and smearing are the protocol's.
        protocol: how it is relaxed, and how often.
        workdir: folder for the files of the engine; may be that of other structures, too.

    Raises:
        InputError: the engine cannot run here.
        StructureError: its result cannot be trusted.
    """
    check_elements(settings)
    return _engine(settings).relax_successively(atoms, settings, protocol, Path(workdir))


def _engine(settings: Dft):
    if settings.engine == "vasp":
        from dismai.dft import vasp

        return vasp
    from dismai.dft import calculators

    return calculators
