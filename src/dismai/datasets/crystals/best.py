"""The best generated crystals: chosen, tidied, relaxed again and again (CrysTens paper, sec. 6)."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from ase import Atoms
from ase.data import chemical_symbols

from dismai import dft
from dismai.base import kept
from dismai.base.errors import StructureError
from dismai.datasets.crystals.filter import standard_cell
from dismai.datasets.crystals.phases import formula_of, reduced
from dismai.datasets.crystals.settings import CrystensStudy
from dismai.dft.settings import Dft
from dismai.files.structures import hash_structures, read_structures

ALKALI_BESIDE = {2: 3, 10: 11, 18: 19, 36: 37, 54: 55, 86: 87}
"""Noble gases, and the next element, which the paper took in place of one (Kr, Rb)."""
RELAXATIONS = kept.Pieces("relaxation of a best crystal", "it is made again")


def select_best(stability: pd.DataFrame, study: CrystensStudy) -> pd.DataFrame:
    """The chosen rows: valid, of lowest formation energy, one of each reduced formula.

    stability: rows of one or several sets (`STABILITY_SCHEMA`), with `set` and `reduced`; of equal
    energies the first counts.
    """
    known = stability["formation_energy_eV_per_atom"].notna() & stability["valid"]
    lowest = stability[known].sort_values("formation_energy_eV_per_atom", kind="stable")
    candidates = lowest.head(study.n_candidates)
    return candidates.drop_duplicates("reduced").head(study.n_selected).reset_index(drop=True)


def choose(
    sets: Sequence[str],
    tables: Sequence[pd.DataFrame],
    clean: Sequence[Path],
    study: CrystensStudy,
) -> list[Atoms]:
    """The best crystals of several sets, tidied; `info` says whose they are and what was changed.

    sets: names.  tables: of each, one row an accepted crystal (`STABILITY_SCHEMA`).  clean: files
    of these crystals.
    """
    rows = pd.concat(
        [table.assign(set=name) for name, table in zip(sets, tables, strict=True)],
        ignore_index=True,
    )
    chosen = select_best(rows.assign(reduced=rows["formula"].map(reduced)), study)
    best = []
    for row in chosen.itertuples():
        crystals = read_structures(clean[list(sets).index(row.set)])
        (atoms,) = (one for one in crystals if one.info["structure"] == row.structure)
        tuned, changes = tidied(atoms, study)
        tuned.info = {
            "set": row.set,
            "structure": row.structure,
            "changes": "; ".join(changes),
            "formation_energy_eV_per_atom": row.formation_energy_eV_per_atom,
        }
        best.append(tuned)
    return best


def tidied(atoms: Atoms, study: CrystensStudy) -> tuple[Atoms, list[str]]:
    """A crystal as the paper tuned it by hand, by rule; and what was changed, in words.

    Noble gases become the alkali metal beside them; cell and sites are made those of the symmetry
    within `tidy_A`. A crystal in which spglib finds none stays as it is.
    """
    changes = []
    numbers = np.array([ALKALI_BESIDE.get(number, number) for number in atoms.numbers.tolist()])
    for old in sorted(set(atoms.numbers[numbers != atoms.numbers].tolist())):
        new = ALKALI_BESIDE[old]
        changes.append(f"{chemical_symbols[old]} to {chemical_symbols[new]}")
    tuned = Atoms(numbers, positions=atoms.positions, cell=atoms.cell, pbc=True)
    try:
        tuned = standard_cell(tuned, study.tidy_A)
        changes.append(f"made symmetric within {study.tidy_A:g} Å")
        if len(tuned) != len(atoms):
            changes.append(f"{len(atoms)} to {len(tuned)} atoms")
    except StructureError:
        changes.append("no symmetry found")
    return tuned, changes


def schema_of(n_relaxations: int) -> pa.Schema:
    """One row a crystal: energies, eV, and pressures, kbar, as given and after each relaxation."""
    numbers = range(n_relaxations + 1)
    return pa.schema(
        [
            *(
                pa.field(name, pa.string(), nullable=False)
                for name in ("set", "formula", "changes")
            ),
            pa.field("structure", pa.int64(), nullable=False),
            *(pa.field(f"E{number}_eV", pa.float64()) for number in numbers),
            *(pa.field(f"P{number}_kbar", pa.float64()) for number in numbers),
            pa.field("engine", pa.string(), nullable=False),
            pa.field("status", pa.string(), nullable=False),
        ]
    )


def relaxed_table(
    best: Sequence[Atoms], place: int, settings: Dft, study: CrystensStudy, state: Path
) -> pd.DataFrame:
    """One row: the crystal at a place, from 1; none where fewer were chosen."""
    columns = schema_of(study.protocol.n_relaxations).names
    if place > len(best):
        return pd.DataFrame(columns=columns)
    atoms = best[place - 1]
    row = {
        **{name: atoms.info[name] for name in ("set", "structure", "changes")},
        "formula": formula_of(atoms),
        **relaxed_row(atoms, settings, study, state),
    }
    return pd.DataFrame([row], columns=columns)


def relaxed_row(
    atoms: Atoms, settings: Dft, study: CrystensStudy, state: Path
) -> dict[str, float | str]:
    """Energies, eV, and pressures, kbar, of a crystal as it is and after each relaxation.

    A finished crystal is kept in `state`; one that fails says why in `status`. Pressures are
    positive under compression.

    Raises:
        InputError: the engine cannot run here.
    """
    protocol = study.protocol
    engine = dft.identity(settings, dict.fromkeys(atoms.symbols))
    identity = {"dft": engine, "protocol": protocol.model_dump(mode="json")}
    made_for = kept.digest({**identity, "structure": hash_structures([atoms])})

    def make() -> dict:
        labels = dft.relax_successively(atoms, settings, protocol, state / "engine")
        energies = [label.energy_eV for label in labels]
        return {"energies_eV": energies, "pressures_kbar": [one.pressure_kbar for one in labels]}

    names = [str(number) for number in range(protocol.n_relaxations + 1)]
    status = "ok"
    try:
        found = RELAXATIONS.take_or_make(state / f"{made_for[:32]}.json", made_for, make)
    except StructureError as error:
        found = {"energies_eV": [np.nan] * len(names), "pressures_kbar": [np.nan] * len(names)}
        status = str(error)
    return {
        **{f"E{n}_eV": value for n, value in zip(names, found["energies_eV"], strict=True)},
        **{f"P{n}_kbar": value for n, value in zip(names, found["pressures_kbar"], strict=True)},
        "engine": settings.engine,
        "status": status,
    }
