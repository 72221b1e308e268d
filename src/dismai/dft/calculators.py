"""Engines that are ASE calculators: the surrogate (CHGNet) and GPAW."""

import importlib.util
from collections.abc import Iterable
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, PropertyNotImplementedError
from ase.constraints import FixAtoms, FixSymmetry
from ase.filters import FrechetCellFilter
from ase.optimize import FIRE, LBFGS

from dismai.base.errors import InputError, StructureError
from dismai.base.kept import digest
from dismai.dft.settings import Dft, Mesh, Protocol
from dismai.potentials.labels import Label, Trajectory, checked

OPTIMIZERS = {"lbfgs": LBFGS, "fire": FIRE}
PACKAGES = {"surrogate": "chgnet", "gpaw": "gpaw"}
DEBIAN_PAW_DATA = Path("/usr/share/gpaw-setups")
"""Where the package gpaw-data puts them; GPAW itself looks elsewhere."""


def check_installation(settings: Dft, elements: Iterable[str] = ()) -> None:
    """InputError unless the package of the engine is installed, and the PAW data of GPAW.

    elements: of no use here, where all are there or none.
    """
    package = PACKAGES[settings.engine]
    if importlib.util.find_spec(package) is None:
        raise InputError(
            f"dft.engine: {settings.engine}: expected the package {package}, found none; install "
            "it (docs/dft.md) or set dft.engine to surrogate"
        )
    if settings.engine == "gpaw" and not _paw_data():
        raise InputError(
            "dft.engine: gpaw: expected PAW data, found none; install the Debian package gpaw-data "
            "or set the environment variable GPAW_SETUP_PATH to their folder"
        )


def _paw_data() -> bool:
    """Whether GPAW finds PAW data; those of Debian count where there are no others."""
    import gpaw

    def found(folder: Path) -> bool:
        return any(folder.glob("Co.PBE*"))

    if not any(found(Path(folder)) for folder in gpaw.setup_paths) and found(DEBIAN_PAW_DATA):
        gpaw.setup_paths.append(DEBIAN_PAW_DATA)
    return any(found(Path(folder)) for folder in gpaw.setup_paths)


def code_identity(settings: Dft, elements: Iterable[str] = ()) -> str:
    """Version of the package of the engine, whatever the elements."""
    return version(PACKAGES[settings.engine])


def label(atoms: Atoms, settings: Dft, workdir: Path) -> Label:
    """Energy, forces and stress of a structure as it stands."""
    check_installation(settings)
    moving = _prepared(atoms, settings, workdir)
    return checked(_read(moving, provenance(settings)))


def relax(atoms: Atoms, settings: Dft, workdir: Path, region: np.ndarray | None) -> Trajectory:
    """Stage 1 (the region, a number of steps) and stage 2 (all atoms, to the force)."""
    check_installation(settings)
    moving = _prepared(atoms, settings, workdir)
    notes = provenance(settings)
    region_steps = 0
    if region is not None and settings.region_steps > 0:
        moving.set_constraint(FixAtoms(mask=~np.asarray(region)))
        region_steps = len(_minimise(moving, settings, settings.region_steps, notes)) - 1
        moving.set_constraint()
    steps = _minimise(moving, settings, settings.max_steps, notes)
    return Trajectory(steps, region_steps, steps[-1].fmax_eV_per_A < settings.fmax_eV_per_A)


def relax_cell(atoms: Atoms, settings: Dft, workdir: Path, kpoints: Mesh) -> Trajectory:
    """Positions and cell together, forces and stress to the force of `dft.bulk`.

    The symmetry of the crystal stays, as VASP keeps it.
    """
    check_installation(settings)
    if settings.engine == "gpaw" and settings.gpaw.mode != "pw":
        raise InputError(
            "dft.gpaw.mode: expected pw for crystals whose cell relaxes, found "
            f"{settings.gpaw.mode}, which has no stress"
        )
    moving = _prepared(atoms, settings, workdir)
    if settings.engine == "gpaw":
        moving.calc = gpaw_calculator(settings, workdir, kpoints)
    moving.set_constraint(FixSymmetry(moving, symprec=1e-4))
    bulk, notes = settings.bulk, provenance(settings)
    cell = FrechetCellFilter(moving)
    steps: list[Label] = []
    minimiser = OPTIMIZERS[settings.optimizer](cell, logfile=None)
    minimiser.attach(lambda: steps.append(checked(_read(moving, notes))))
    ended = minimiser.run(fmax=bulk.fmax_eV_per_A, steps=bulk.max_steps)
    return Trajectory(steps, 0, bool(ended))


def relax_successively(
    atoms: Atoms, settings: Dft, protocol: Protocol, workdir: Path
) -> list[Label]:
    """A crystal as it is, and where each relaxation of a protocol ends."""
    check_installation(settings)
    if settings.engine == "gpaw" and settings.gpaw.mode != "pw":
        raise InputError(
            f"dft.gpaw.mode: expected pw for crystals whose pressure is wanted, found "
            f"{settings.gpaw.mode}, which has no stress"
        )
    moving = _prepared(atoms, settings, workdir)
    if settings.engine == "gpaw":
        moving.calc = gpaw_calculator(settings, workdir, protocol=protocol)
    notes = {**provenance(settings), "protocol_sha256": digest(protocol.model_dump(mode="json"))}
    labels = [checked(_read(moving, notes))]
    for _ in range(protocol.n_relaxations):
        free = FrechetCellFilter(moving) if protocol.cell_free else moving
        minimiser = OPTIMIZERS[settings.optimizer](free, logfile=None)
        minimiser.run(fmax=protocol.fmax_eV_per_A, steps=protocol.max_steps)
        labels.append(checked(_read(moving, notes)))
    return labels


def provenance(settings: Dft) -> dict[str, Any]:
    """Engine, its version, and the SHA-256 of the settings that shape its numbers."""
    own = getattr(settings, settings.engine).model_dump(mode="json")
    shape = {"settings": own, "hubbard_U_eV": settings.hubbard_U_eV}
    return {
        "engine": settings.engine,
        "engine_version": version(PACKAGES[settings.engine]),
        "settings_sha256": digest(shape),
    }


def _prepared(atoms: Atoms, settings: Dft, workdir: Path) -> Atoms:
    """A periodic copy with its calculator and, for GPAW, the starting moments of its elements."""
    moving = Atoms(atoms.symbols, positions=atoms.positions, cell=atoms.cell, pbc=True)
    if settings.engine == "gpaw" and settings.gpaw.magmoms:
        moments = [settings.gpaw.magmoms.get(symbol, 0.0) for symbol in atoms.symbols]
        moving.set_initial_magnetic_moments(moments)
    moving.calc = _calculator(settings, workdir)
    return moving


def _minimise(atoms: Atoms, settings: Dft, max_steps: int, notes: dict[str, Any]) -> list[Label]:
    """Labels at the start and after every step; `atoms` ends where the minimiser does."""
    steps: list[Label] = []
    minimiser = OPTIMIZERS[settings.optimizer](atoms, logfile=None)
    minimiser.attach(lambda: steps.append(checked(_read(atoms, notes))))
    minimiser.run(fmax=settings.fmax_eV_per_A, steps=max_steps)
    return steps


def _read(atoms: Atoms, notes: dict[str, Any]) -> Label:
    """What the calculator says about the structure now; forces on fixed atoms included."""
    try:
        energy = float(atoms.get_potential_energy())
        forces = atoms.get_forces(apply_constraint=False).copy()
    except Exception as error:  # calculators raise anything on bad structures
        found = " ".join(f"{type(error).__name__}: {error}".split())[:120]
        raise StructureError(f"the engine failed: {found}") from None
    try:
        stress = atoms.get_stress(apply_constraint=False).copy()  # xx yy zz yz xz xy
    except (NotImplementedError, PropertyNotImplementedError):
        stress = None
    plain = Atoms(atoms.symbols, positions=atoms.positions, cell=atoms.cell, pbc=True)
    return Label(plain, energy, forces, stress, converged=True, provenance=notes)


def _calculator(settings: Dft, workdir: Path) -> Calculator:
    if settings.engine == "surrogate":
        return _surrogate(settings.surrogate.weights)
    return gpaw_calculator(settings, workdir)


@lru_cache(maxsize=1)
def _surrogate(weights: str) -> Calculator:
    from dismai import potentials

    calculator = potentials.load({"kind": "chgnet", "weights": weights})
    calculator.everything = True  # labels have a stress
    return calculator


def gpaw_calculator(
    settings: Dft, workdir: Path, kpoints: Mesh | None = None, protocol: Protocol | None = None
) -> Calculator:
    """GPAW with PBE + U (Dudarev, on d shells), Fermi-Dirac smearing.

    kpoints: mesh; those of the settings around gamma by default.  protocol: functional, cutoff,
    k-points and width of the smearing, without U, in place of these.
    """
    import gpaw

    own = settings.gpaw
    kpoints = kpoints or Mesh(scheme="gamma", divisions=own.kpts)
    shape: dict[str, Any] = {
        "xc": "PBE",
        "setups": {element: f":d,{u}" for element, u in settings.hubbard_U_eV.items()},
    }
    if protocol is not None:
        own = own.model_copy(
            update={"cutoff_eV": protocol.cutoff_eV, "smearing_eV": protocol.smearing_eV}
        )
        kpoints, shape = protocol.kpoints, {"xc": _functional(protocol.functional)}
    workdir.mkdir(parents=True, exist_ok=True)
    if own.mode == "pw":
        basis: dict[str, Any] = {"mode": gpaw.PW(own.cutoff_eV)}
    else:
        basis = {"mode": "lcao", "basis": own.basis, "h": own.spacing_A}
    return gpaw.GPAW(
        **basis,
        **shape,
        kpts=_gpaw_mesh(kpoints),
        spinpol=own.spin_polarised,
        occupations={"name": "fermi-dirac", "width": own.smearing_eV},
        convergence={"energy": own.energy_tolerance_eV},
        maxiter=own.max_electronic_steps,
        txt=str(workdir / "gpaw.txt"),
    )


def _functional(name: str) -> Any:
    """A functional on the PAW data of PBE, as VASP has it: there are none of PBEsol."""
    from gpaw.xc import XC

    functional = XC(name)
    functional.get_setup_name = lambda: "PBE"
    return functional


def _gpaw_mesh(kpoints: Mesh) -> dict[str, Any]:
    """Without the word gamma GPAW takes the mesh of Monkhorst and Pack, even numbers off gamma."""
    mesh: dict[str, Any] = {"size": kpoints.divisions}
    return {**mesh, "gamma": True} if kpoints.scheme == "gamma" else mesh
