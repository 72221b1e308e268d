"""How close the minima of a potential are to those of the engine that labelled it (Table 5).

Random interfaces are relaxed by the potential, then by the engine with all atoms moving
(stage 2). Three numbers of each: ionic steps that the engine still needs; the error of the energy
at the minimum of the potential; the difference of the minima, each with its own energy.
"""

import logging
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from ase import Atoms
from ase.calculators.calculator import Calculator

from dismai import dft
from dismai.base import kept, stopping
from dismai.base.errors import StructureError
from dismai.base.versions import VERSIONS
from dismai.dft.settings import Dft
from dismai.files.structures import hash_structures
from dismai.potentials.relax import relax_structure
from dismai.potentials.settings import RelaxationSettings

logger = logging.getLogger(__name__)

METRICS = {
    "n_DFT_steps_after_M3GNet": ("n_steps", "steps", "steps still needed"),
    "abs_dE_M3GNet_vs_DFT_at_M3GNet_geometry": (
        *("error_meV_per_atom", "meV/atom"),
        "error of the energy at the minimum of the potential",
    ),
    "abs_dE_M3GNet_geometry_M3GNet_energy_vs_final_DFT": (
        *("difference_meV_per_atom", "meV/atom"),
        "difference of the minima",
    ),
}
"""Published name: (column of ours, unit, words)."""
GROUPS = {"low": "interface_low_energy", "high": "interface_high_energy", "all": "interface_all"}
ROWS = kept.Pieces("structure, potential or engine", "this structure is compared again")
NOT_COMPARED = "not compared"
_NUMBERS = (
    "energy_eV_per_atom",
    "engine_energy_eV_per_atom",
    "final_energy_eV_per_atom",
    *(column for column, _, _ in METRICS.values()),
)
MINIMA_SCHEMA = pa.schema(
    [
        pa.field("structure", pa.int64(), nullable=False),
        pa.field("status", pa.string(), nullable=False),
        pa.field("potential_steps", pa.int64(), nullable=False),
        *(pa.field(name, pa.float64()) for name in _NUMBERS),
    ]
)


def compare_minima(
    structures: Iterable[Atoms],
    potential: Calculator,
    relaxation: RelaxationSettings,
    settings: Dft,
    state: Path,
    potential_digest: str,
    first: int = 0,
) -> pd.DataFrame:
    """One row a structure, as in `MINIMA_SCHEMA`; finished ones are taken from the state folder.

    Args:
        structures: unrelaxed.
        potential: what is judged.
        relaxation: how it relaxes.
        settings: section `dft`, what judges.
        state: folder of finished rows, and of the files of the engine for each structure.
        potential_digest: of the potential; rows with another one are made afresh, as are those of
            another structure, relaxation or engine.
        first: number of the first structure; jobs that share a state folder have other ones.
    """
    dft.check(settings)
    shared = {
        "potential": potential_digest,
        "relaxation": relaxation.model_dump(mode="json"),
        "dft": dft.identity(settings),
        "version": VERSIONS["compare_minima"],
    }
    rows = []
    for index, atoms in enumerate(structures, start=first):
        path = state / f"{index:05d}.json"
        made_for = kept.digest({**shared, "structure": hash_structures([atoms])})
        workdir = state / f"{index:05d}"
        make = partial(_compare, atoms, potential, relaxation, settings, workdir)
        row = {"structure": index, **ROWS.take_or_make(path, made_for, make)}
        logger.info("structure %d: %s", index, row["status"])
        rows.append(row)
    return pd.DataFrame(rows, columns=MINIMA_SCHEMA.names)


def _compare(
    atoms: Atoms,
    potential: Calculator,
    relaxation: RelaxationSettings,
    settings: Dft,
    workdir: Path,
) -> dict[str, Any]:
    n_atoms = len(atoms)
    ended = relax_structure(
        atoms,
        potential,
        relaxation.fmax_eV_per_A,
        relaxation.max_steps,
        relaxation.optimizer,
    )
    row: dict[str, Any] = {"status": ended.status, "potential_steps": ended.steps}
    row |= dict.fromkeys(_NUMBERS)
    if ended.status != "ok":
        return row
    try:
        done = dft.relax(ended.atoms, settings, workdir)
    except StructureError as error:
        stopping.leave_if_asked()  # an engine may have died of the same signal
        return {**row, "status": str(error)}
    if not done.converged:
        row["status"] = f"not converged by the engine in {done.n_steps} steps"
        return row
    energies = [ended.energy_eV, done.steps[0].energy_eV, done.steps[-1].energy_eV]
    own, there, final = (energy / n_atoms for energy in energies)
    return row | {
        "energy_eV_per_atom": own,
        "engine_energy_eV_per_atom": there,
        "final_energy_eV_per_atom": final,
        "n_steps": float(done.n_steps),
        "error_meV_per_atom": 1000 * abs(own - there),
        "difference_meV_per_atom": 1000 * abs(own - final),
    }


def table_5(minima: pd.DataFrame, threshold_eV_per_atom: float | None, published: Path):
    """Mean and standard deviation of low-energy, high-energy and all structures.

    Args:
        minima: rows of `compare_minima`; those that are not ok do not count.
        threshold_eV_per_atom: low-energy structures lie at or below; None: the median.
        published: file of published numbers.

    Returns:
        Columns group, metric, unit, n, mean, std, published_mean, published_std. Structures that
        do not count follow, one row a reason: group `not compared`, the reason as metric, their
        number as n. Without any that counts, n is 0 and the numbers are NaN.
    """
    good = minima[minima["status"] == "ok"]
    failed = minima.loc[minima["status"] != "ok", "status"].value_counts(sort=False)
    if good.empty:
        logger.warning("expected a minimum that both reach, found none of %d", len(minima))
    energy = good["final_energy_eV_per_atom"]
    threshold = energy.median() if threshold_eV_per_atom is None else threshold_eV_per_atom
    groups = {"low": good[energy <= threshold], "high": good[energy > threshold], "all": good}
    printed = pd.read_csv(published, dtype=str)
    printed = printed[printed["table"] == "5"].set_index(["dataset", "metric"])["mean"]
    rows = []
    for group, part in groups.items():
        for metric, (column, unit, _) in METRICS.items():
            values = part[column].to_numpy(dtype=float)
            theirs = [float(printed[GROUPS[group], metric + end]) for end in ("", "_std")]
            mean, std = (values.mean(), values.std()) if len(values) else (np.nan, np.nan)
            rows.append([group, metric, unit, len(values), mean, std, *theirs])
    for reason, n in failed.items():
        rows.append([NOT_COMPARED, reason, "structures", n, *[np.nan] * 4])
    names = ["group", "metric", "unit", "n", "mean", "std", "published_mean", "published_std"]
    return pd.DataFrame(rows, columns=names)
