"""Minima of a potential continued under the engine of `dft`: a stage after the relaxation.

The papers relax interfaces in M3GNet first and by DFT then, all atoms moving: the set that their
GAN was developed on, and what it generated.
"""

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from ase import Atoms

from dismai import dft
from dismai.base import kept, stopping
from dismai.base.columns import ENERGY, ENGINE_ENERGY, ENGINE_STATUS, ENGINE_STEPS
from dismai.base.errors import StructureError
from dismai.base.versions import VERSIONS
from dismai.datasets.amorphous_si.build import RELAXED_SCHEMA
from dismai.dft.settings import Dft
from dismai.files.structures import hash_structures

logger = logging.getLogger(__name__)

CONTINUED = kept.Pieces("structure or engine", "this structure is relaxed again")
CONTINUED_SCHEMA = pa.schema(
    [
        pa.field("structure", pa.int64(), nullable=False),
        pa.field(ENGINE_STATUS, pa.string(), nullable=False),
        pa.field(ENGINE_STEPS, pa.float64()),
        pa.field(ENGINE_ENERGY, pa.float64()),
    ]
)
"""What became of minima of a potential under the engine; status: ok, or why there is no energy."""
NOT_RELAXED = "not at a minimum of the potential"
_FIELDS = {field.name: field for field in (*RELAXED_SCHEMA, pa.field(ENERGY, pa.float64()))}


def minima_of(structures: Sequence[Atoms], table: pd.DataFrame) -> dict[int, Atoms]:
    """Structures at minima of a potential by number.

    Args:
        structures: where the potential left them, in the order of `table`.
        table: a row each, of its relaxation (`RELAXED_SCHEMA`), or of features, which only
            structures at minima have.
    """
    rows = table[table["status"] == "ok"] if "status" in table else table
    return {int(number): structures[place] for place, number in rows["structure"].items()}


def continue_minima(
    structures: Mapping[int, Atoms], settings: Dft, state: Path
) -> tuple[list[Atoms], pd.DataFrame]:
    """Relax structures under the engine, stage 2 only; a killed call goes on with the next one.

    Args:
        structures: minima of a potential, by number.
        settings: section `dft`.
        state: folder of finished structures, and of the files of the engine for each.

    Returns:
        All structures where they ended, and one row each, as in `CONTINUED_SCHEMA`.
    """
    dft.check(settings)
    shared = {"dft": dft.identity(settings), "version": VERSIONS["continue"]}
    ended, rows = [], []
    for number, atoms in structures.items():
        made_for = kept.digest({**shared, "structure": hash_structures([atoms])})
        make = partial(_continued, atoms, settings, state / f"{number:05d}")
        row = dict(CONTINUED.take_or_make(state / f"{number:05d}.json", made_for, make))
        last = atoms.copy()
        last.positions = np.array(row.pop("positions"))
        ended.append(last)
        rows.append({"structure": number, **row})
        logger.info("structure %d: %s", number, row[ENGINE_STATUS])
    return ended, pd.DataFrame(rows, columns=CONTINUED_SCHEMA.names)


def _continued(atoms: Atoms, settings: Dft, workdir: Path) -> dict[str, Any]:
    try:
        done = dft.relax(atoms, settings, workdir)
    except StructureError as error:
        stopping.leave_if_asked()  # an engine may have died of the same signal
        return {
            ENGINE_STATUS: str(error),
            ENGINE_STEPS: None,
            ENGINE_ENERGY: None,
            "positions": atoms.positions.tolist(),
        }
    last = done.steps[-1]
    ok = done.converged
    return {
        ENGINE_STATUS: "ok" if ok else f"not converged by the engine in {done.n_steps} steps",
        ENGINE_STEPS: float(done.n_steps),
        ENGINE_ENERGY: last.energy_eV / len(atoms) if ok else None,
        "positions": last.atoms.positions.tolist(),
    }


def joined(
    structures: Sequence[Atoms], table: pd.DataFrame, continued: Sequence[Atoms], rows: pd.DataFrame
) -> tuple[list[Atoms], pd.DataFrame]:
    """All structures where they ended, and what became of each in the potential and the engine.

    Args:
        structures: where the potential left them, in the order of `table`.
        table: a row each, of its relaxation (`RELAXED_SCHEMA`) or of features.
        continued: where the engine left those that it was given, in the order of `rows`.
        rows: as in `CONTINUED_SCHEMA`.

    Returns:
        The structures, and a table as in `joined_schema`; columns of features are left behind.
    """
    own = table[[name for name in _FIELDS if name in table]]
    whole = own.merge(rows, on="structure", how="left")
    whole[ENGINE_STATUS] = whole[ENGINE_STATUS].fillna(NOT_RELAXED)
    last = dict(zip(rows["structure"], continued, strict=True))
    numbered = zip(own["structure"], structures, strict=True)
    return [last.get(number, atoms) for number, atoms in numbered], whole


def joined_schema(table: pd.DataFrame) -> pa.Schema:
    """Schema of a table of `joined`."""
    own = [field for name, field in _FIELDS.items() if name in table]
    return pa.schema([*own, *(field for field in CONTINUED_SCHEMA if field.name != "structure")])
