"""Input files of VASP for the two stages of the paper ("Dismai-Bench", methods).

| | stage 1 | stage 2 |
|---|---|---|
| moving atoms | interface region | all |
| plane-wave cutoff (eV) | 374.3 | 450 |
| ends after | 50 ionic steps | forces below 0.1 eV/Å |

Both: PAW, PBE + U with 4 eV on Co 3d, gamma point only, cell fixed. What the paper does not state
(spins, smearing, electronic convergence) is `dft.vasp.incar`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from pymatgen.io.ase import AseAtomsAdaptor
from pymatgen.io.vasp.inputs import Incar, Kpoints, Poscar

from dismai.base.errors import InputError
from dismai.dft.potcar import POTENTIALS, write_potcar
from dismai.dft.settings import Dft

STAGE_1_CUTOFF_EV = 374.3
STAGE_2_CUTOFF_EV = 450.0
D_SHELL = 2


@dataclass(frozen=True)
class Stage:
    """One VASP run: name of its folder, cutoff in eV, most ionic steps, whether all atoms move."""

    name: str
    cutoff_eV: float
    max_steps: int
    all_atoms: bool


def stages(settings: Dft, with_region: bool) -> list[Stage]:
    """Stage 1, if there is a region to move, and stage 2."""
    first = Stage("stage1", STAGE_1_CUTOFF_EV, settings.region_steps, all_atoms=False)
    second = Stage("stage2", STAGE_2_CUTOFF_EV, settings.max_steps, all_atoms=True)
    return [first, second] if with_region and settings.region_steps > 0 else [second]


def block_order(atoms: Atoms) -> np.ndarray:
    """Indices that sort atoms into blocks of species in the order of `POTENTIALS`, (n_atoms,)."""
    species = list(POTENTIALS)
    for symbol in atoms.symbols:
        if symbol not in POTENTIALS:
            raise InputError(
                f"structure for VASP: expected {', '.join(species)}, found {symbol}; the paper "
                "names no PAW potential for it"
            )
    return np.argsort([species.index(symbol) for symbol in atoms.symbols], kind="stable")


def incar(atoms: Atoms, settings: Dft, stage: Stage) -> dict[str, Any]:
    """INCAR tags for atoms in blocks of species; NSW 0 leaves out the relaxation."""
    species = list(dict.fromkeys(atoms.symbols))
    u = [settings.hubbard_U_eV.get(symbol, 0.0) for symbol in species]
    return {
        **settings.vasp.incar,
        "GGA": "PE",
        "ENCUT": stage.cutoff_eV,
        "ISIF": 2,
        "IBRION": 2 if stage.max_steps else -1,
        "NSW": stage.max_steps,
        "EDIFFG": -settings.fmax_eV_per_A,
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
    Kpoints.gamma_automatic((1, 1, 1)).write_file(str(folder / "KPOINTS"))
    flags = None
    if not stage.all_atoms:
        flags = np.repeat(np.asarray(moving, dtype=bool)[:, None], 3, axis=1).tolist()
    structure = AseAtomsAdaptor.get_structure(atoms)
    poscar = Poscar(structure, selective_dynamics=flags, sort_structure=False)
    poscar.write_file(str(folder / "POSCAR"), significant_figures=12)
    write_potcar(list(dict.fromkeys(atoms.symbols)), folder / "POTCAR")
