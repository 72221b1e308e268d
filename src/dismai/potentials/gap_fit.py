"""Fit a SOAP-GAP with the program gap_fit of quippy, and compare it with its labels."""

import logging
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import ase.io
import numpy as np
import pandas as pd
from ase import Atoms
from ase.calculators.calculator import Calculator

from dismai.base.atomic import replacing, write_atomically
from dismai.base.errors import InputError
from dismai.files.structures import read_structures
from dismai.potentials.predictions import prediction_rows
from dismai.potentials.settings import GapFit
from dismai.potentials.training_cells import ENERGY, FORCES

logger = logging.getLogger(__name__)

LABEL = re.compile(r'<GAP_params label="(\w+)"')
"""gap_fit makes it from the time of day."""
COMMAND = re.compile(r"\s*<command_line>.*?</command_line>", flags=re.DOTALL)
RNG_SEED = 1
ORDINARY_FORCE = 5.0
"""eV/Å; larger ones are those of atoms that nearly coincide."""


def write_cells(cells: Sequence[Atoms], path: Path) -> None:
    """Write labelled cells as extended XYZ."""
    with replacing(path) as temporary:
        ase.io.write(temporary, list(cells), format="extxyz")


def read_cells(path: Path) -> list[Atoms]:
    """Read labelled cells; InputError for one without labels."""
    cells = read_structures(path)
    for i, atoms in enumerate(cells):
        if ENERGY not in atoms.info or FORCES not in atoms.arrays:
            raise InputError(f"{path}: structure {i}: expected {ENERGY} and {FORCES}, found none")
    return cells


def with_expected_errors(cells: Sequence[Atoms], settings: GapFit) -> list[Atoms]:
    """Copies of cells with the errors expected of their labels, larger where forces are.

    A cell whose largest force is k > 1 times `ORDINARY_FORCE` counts with errors k^2 times as
    large: it tells that atoms repel each other, and does not spoil what is near the minima.
    """
    copies = []
    for atoms in cells:
        copy = atoms.copy()
        largest = float(np.linalg.norm(atoms.arrays[FORCES], axis=1).max())
        scale = max(1.0, largest / ORDINARY_FORCE) ** 2
        copy.info["energy_sigma"] = scale * settings.energy_error_eV_per_atom
        copy.info["force_sigma"] = scale * settings.force_error_eV_per_A
        copies.append(copy)
    return copies


def fit(cells: Sequence[Atoms], settings: GapFit, path: Path) -> None:
    """Fit a potential: SOAP vectors of all environments, dot-product kernel to the power 4.

    As Bartók, Kermode, Bernstein & Csányi, Phys. Rev. X 8, 041048 (2018), smaller, without virials.
    The same cells give the same file: the label that gap_fit takes from the clock is replaced.

    Raises:
        InputError: gap_fit does not end well.
    """
    import quippy

    program = Path(quippy.__file__).parent / "gap_fit"
    soap = (
        f"soap cutoff={settings.cutoff_A} cutoff_transition_width=1.0 "
        f"atom_sigma={settings.atom_sigma_A} n_max={settings.n_max} l_max={settings.l_max} "
        f"zeta=4 delta=3.0 covariance_type=dot_product "
        f"n_sparse={settings.n_sparse} sparse_method=cur_points"
    )
    errors = f"{settings.energy_error_eV_per_atom} {settings.force_error_eV_per_A} 0 0"
    with tempfile.TemporaryDirectory() as folder:
        write_cells(with_expected_errors(cells, settings), Path(folder) / "train.xyz")
        words = [
            *(str(program), "at_file=train.xyz", "gp_file=gap.xml"),
            *(f"energy_parameter_name={ENERGY}", f"force_parameter_name={FORCES}"),
            *("virial_parameter_name=none", "e0_method=average", f"rnd_seed={RNG_SEED}"),
            *("do_copy_at_file=F", "sparse_separate_file=F"),
            *(f"default_sigma={{{errors}}}", f"gap={{{soap}}}"),
        ]
        result = subprocess.run(
            words, cwd=folder, capture_output=True, text=True, errors="replace", check=False
        )
        for line in result.stdout.splitlines()[-20:]:
            logger.info("gap_fit: %s", line)
        made = Path(folder) / "gap.xml"
        if result.returncode != 0 or not made.is_file():
            aborts = [line for line in result.stderr.splitlines() if "ABORT" in line]
            raise InputError(
                f"gap_fit: expected a potential, found exit code {result.returncode}"
                + (f": {aborts[0].strip()[:120]}" if aborts else "")
            )
        text = COMMAND.sub("", made.read_text())
        text = text.replace(LABEL.search(text).group(1), "GAP_dismai")
    write_atomically(path, text)
    logger.info("fitted %d cells with %d sparse points", len(cells), settings.n_sparse)


def predictions(potential: Calculator, cells: Sequence[Atoms], n_train: int) -> pd.DataFrame:
    """Labels and predictions of cells: columns of `PREDICTIONS_SCHEMA`.

    One row for the energy of a cell, one for every component of a force.
    """
    tables = []
    for i, atoms in enumerate(cells):
        copy = atoms.copy()
        copy.calc = potential
        values = {
            "energy": (atoms.info[ENERGY] / len(atoms), copy.get_potential_energy() / len(atoms)),
            "force": (atoms.arrays[FORCES], copy.get_forces()),
        }
        tables.append(prediction_rows(n_train, i, values))
    return pd.concat(tables, ignore_index=True)
