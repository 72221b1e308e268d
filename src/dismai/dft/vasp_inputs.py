"""Input files of VASP for the two stages of the paper ("Dismai-Bench", methods).

| | stage 1 | stage 2 | crystals |
|---|---|---|---|
| moving atoms | interface region | all | all |
| cell | fixed | fixed | free |
| k-points | gamma | gamma | LiCoO2 9 x 9 x 1, Li3ScCl6 6 x 4 x 6 |
| plane-wave cutoff (eV) | 374.3 | 450 | 520 |
| ends after | 50 ionic steps | forces below 0.1 eV/Å | forces below 0.001 eV/Å |

Those of the CrysTens paper, four relaxations of a crystal one after another, are a `Protocol`.
All three here: PAW, PBE + U with 4 eV on Co 3d. What the paper does not state (spins, smearing,
electronic convergence) is `dft.vasp.incar`, but that small crystals are projected in reciprocal
space.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from pymatgen.io.ase import AseAtomsAdaptor
from pymatgen.io.vasp.inputs import Incar, Kpoints, Poscar

from dismai.base.errors import InputError
from dismai.dft.potcar import KNOWN, write_potcar
from dismai.dft.settings import Dft, Mesh, Protocol

STAGE_1_CUTOFF_EV = 374.3
STAGE_2_CUTOFF_EV = 450.0
BULK_CUTOFF_EV = 520.0
GAMMA = Mesh(scheme="gamma", divisions=(1, 1, 1))
D_SHELL = 2
GGA_TAGS = {"PBE": "PE", "PBEsol": "PS"}


@dataclass(frozen=True)
class Stage:
    """One VASP run: name of its folder, cutoff, most ionic steps, what moves, when it ends."""

    name: str
    cutoff_eV: float
    max_steps: int
    all_atoms: bool
    fmax_eV_per_A: float
    cell_free: bool = False
    kpoints: Mesh = GAMMA
    protocol: Protocol | None = None

    @property
    def of_crystal(self) -> bool:
        """Whether a small crystal is computed: with a mesh of k-points, in reciprocal space."""
        return self.cell_free or self.protocol is not None


def stages(settings: Dft, with_region: bool) -> list[Stage]:
    """Stage 1, if there is a region to move, and stage 2."""
    force = settings.fmax_eV_per_A
    first = Stage("stage1", STAGE_1_CUTOFF_EV, settings.region_steps, False, force)
    second = Stage("stage2", STAGE_2_CUTOFF_EV, settings.max_steps, True, force)
    return [first, second] if with_region and settings.region_steps > 0 else [second]


def bulk_stage(settings: Dft, kpoints: Mesh) -> Stage:
    """A crystal whose cell is free."""
    own = settings.bulk
    return Stage("bulk", BULK_CUTOFF_EV, own.max_steps, True, own.fmax_eV_per_A, True, kpoints)


def successive_stages(protocol: Protocol) -> list[Stage]:
    """A run without ionic steps, and the relaxations after it."""
    own = protocol
    names = ["given", *(f"relaxation{number + 1}" for number in range(own.n_relaxations))]
    return [
        Stage(name, own.cutoff_eV, own.max_steps if number else 0, True, own.fmax_eV_per_A,
              own.cell_free, own.kpoints, own)
        for number, name in enumerate(names)
    ]  # fmt: skip


def order_of_any(atoms: Atoms) -> np.ndarray:
    """Indices that sort atoms of any elements into blocks, as these come first, (n_atoms,)."""
    species = list(dict.fromkeys(atoms.symbols))
    return np.argsort([species.index(symbol) for symbol in atoms.symbols], kind="stable")


def block_order(atoms: Atoms) -> np.ndarray:
    """Indices that sort atoms into blocks of species in the order of `KNOWN`, (n_atoms,)."""
    species = list(KNOWN)
    for symbol in atoms.symbols:
        if symbol not in KNOWN:
            raise InputError(
                f"structure for VASP: expected {', '.join(species)}, found {symbol}; the paper "
                "names no PAW potential for it"
            )
    return np.argsort([species.index(symbol) for symbol in atoms.symbols], kind="stable")


def incar(atoms: Atoms, settings: Dft, stage: Stage) -> dict[str, Any]:
    """INCAR tags for atoms in blocks of species; NSW 0 leaves out the relaxation."""
    species = list(dict.fromkeys(atoms.symbols))
    protocol = stage.protocol
    u = [0.0 if protocol else settings.hubbard_U_eV.get(symbol, 0.0) for symbol in species]
    own = {}
    if protocol is not None:
        own = {"ISMEAR": 0, "SIGMA": protocol.smearing_eV}
    return {
        **settings.vasp.incar,
        **own,
        **({"LREAL": False} if stage.of_crystal else {}),
        "GGA": GGA_TAGS[protocol.functional if protocol else "PBE"],
        "ENCUT": stage.cutoff_eV,
        "ISIF": 3 if stage.cell_free else 2,
        "IBRION": 2 if stage.max_steps else -1,
        "NSW": stage.max_steps,
        "EDIFFG": protocol.energy_break_eV if protocol else -stage.fmax_eV_per_A,
        "LDAU": any(u),
        "LDAUTYPE": 2,
        "LDAUL": [D_SHELL if value else -1 for value in u],
        "LDAUU": u,
        "LDAUJ": [0.0] * len(u),
    }


def write_inputs(
    atoms: Atoms, settings: Dft, stage: Stage, folder: Path, moving: np.ndarray | None = None
) -> None:
    """Write INCAR, KPOINTS, POSCAR and POTCAR.

    Args:
        atoms: structure in blocks of species, see `block_order`.
        settings: section `dft`.
        stage: what is run.
        folder: made if needed.
        moving: mask of the atoms that stage 1 moves, (n_atoms,).
    """
    folder.mkdir(parents=True, exist_ok=True)
    Incar(incar(atoms, settings, stage)).write_file(str(folder / "INCAR"))
    centred = stage.kpoints.scheme == "gamma"
    mesh = Kpoints.gamma_automatic if centred else Kpoints.monkhorst_automatic
    mesh(stage.kpoints.divisions).write_file(str(folder / "KPOINTS"))
    flags = None
    if not stage.all_atoms:
        flags = np.repeat(np.asarray(moving, dtype=bool)[:, None], 3, axis=1).tolist()
    structure = AseAtomsAdaptor.get_structure(atoms)
    poscar = Poscar(structure, selective_dynamics=flags, sort_structure=False)
    poscar.write_file(str(folder / "POSCAR"), significant_figures=12)
    write_potcar(list(dict.fromkeys(atoms.symbols)), folder / "POTCAR")
