"""Held-out structures made worse in known ways: what each metric sees, and what it does not.

Damage to a structure is drawn from a generator of its own, the same for all strengths: what is
moved at a small strength is moved further, and more is moved, at a larger one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from ase import Atoms
from scipy.stats import spearmanr

from dismai.base.card import Card, DatasetSpec
from dismai.base.errors import InputError
from dismai.base.kinds import KINDS
from dismai.base.seeds import generator_for
from dismai.datasets.options import Options
from dismai.evaluation.process import STAGES, Processed, describe_reference, process
from dismai.evaluation.score import score
from dismai.files.structures import METRICS_SCHEMA
from dismai.geometry.random_points import random_points

RESPONSES_SCHEMA = pa.schema(
    [
        pa.field("damage", pa.string(), nullable=False),
        pa.field("strength", pa.float64(), nullable=False),
        pa.field("strength_unit", pa.string(), nullable=False),
        *METRICS_SCHEMA,
    ]
)


@dataclass(frozen=True)
class Damage:
    """One way to spoil structures, and how much.

    spoil: structure, strength, training structures, generator -> structure.
    of_set: the strength is the share of the structures that are spoiled, all as much.
    strengths: in growing order.  unit: of the strength.
    """

    spoil: Callable[[Atoms, float, Sequence[Atoms], np.random.Generator], Atoms]
    of_set: bool
    strengths: tuple[float, ...]
    unit: str


def rattled(atoms: Atoms, sigma_A: float, train: Sequence[Atoms], rng) -> Atoms:
    """Every coordinate displaced by a normal number of standard deviation sigma_A."""
    atoms = atoms.copy()
    atoms.positions += sigma_A * rng.normal(size=atoms.positions.shape)
    return atoms


def swapped(atoms: Atoms, share: float, train: Sequence[Atoms], rng) -> Atoms:
    """A share of the atoms, drawn at random, exchange their elements among themselves."""
    atoms = atoms.copy()
    order = rng.permutation(len(atoms))
    shift = rng.permutation(len(atoms))
    chosen = order[: round(share * len(atoms))]
    numbers = atoms.numbers.copy()
    numbers[chosen] = atoms.numbers[chosen[np.argsort(shift[: len(chosen)])]]
    atoms.numbers = numbers
    return atoms


def with_vacancies(atoms: Atoms, share: float, train: Sequence[Atoms], rng) -> Atoms:
    """A share of the atoms leave their place for a random one: a vacancy and an interstitial."""
    atoms = atoms.copy()
    moved = rng.random(len(atoms)) < share
    places = rng.random((len(atoms), 3)) @ atoms.cell.array
    atoms.positions[moved] = places[moved]
    return atoms


def strained(atoms: Atoms, strain: float, train: Sequence[Atoms], rng) -> Atoms:
    """The cell and the atoms in it, expanded along all axes."""
    atoms = atoms.copy()
    atoms.set_cell(atoms.cell.array * (1.0 + strain), scale_atoms=True)
    return atoms


def random_structure(atoms: Atoms, strength: float, train: Sequence[Atoms], rng) -> Atoms:
    """Elements on random sites; atoms of a single element at random places, not too close."""
    atoms = atoms.copy()
    if len(set(atoms.numbers)) > 1:
        atoms.numbers = rng.permutation(atoms.numbers)
        return atoms
    atoms.positions = random_points(len(atoms), atoms.cell.array, rng)
    return atoms


def training_structure(atoms: Atoms, strength: float, train: Sequence[Atoms], rng) -> Atoms:
    """A training structure."""
    return train[rng.integers(len(train))].copy()


def with_nan(atoms: Atoms, strength: float, train: Sequence[Atoms], rng) -> Atoms:
    """One coordinate is not a number."""
    atoms = atoms.copy()
    atoms.positions[rng.integers(len(atoms)), 0] = np.nan
    return atoms


SHARES = (0.1, 0.2, 0.4, 0.6, 0.8)
DAMAGES: dict[str, Damage] = {
    "rattled": Damage(rattled, False, (0.05, 0.1, 0.15, 0.2, 0.25), "Å"),
    "swapped": Damage(swapped, False, SHARES, "of the atoms"),
    "vacant": Damage(with_vacancies, False, (0.01, 0.02, 0.04, 0.06, 0.08), "of the atoms"),
    "strained": Damage(strained, False, (0.005, 0.01, 0.02, 0.03, 0.04), "strain"),
    "mixed": Damage(random_structure, True, SHARES, "of the structures"),
    "copied": Damage(lambda atoms, *_: atoms.copy(), True, SHARES, "of the structures"),
    "memorised": Damage(training_structure, True, SHARES, "of the structures"),
    "broken": Damage(with_nan, True, SHARES, "of the structures"),
}
ONE_ELEMENT = [name for name in DAMAGES if name != "swapped"]

_SETS = {
    "percent_failed": {"broken": 1},
    **{f"percent_failed_{stage}": {} for stage in STAGES},
    "percent_failed_check": {"broken": 1},
    "coverage": {"copied": -1},
    "fidelity": {"mixed": -1},
    "diversity": {"copied": -1},
    "memorisation": {"memorised": 1},
}
SEES = {name: {**_SETS, **kind.answers} for name, kind in KINDS.items()}
"""By kind and metric: the damages that it claims to see, and whether it grows (1) or falls (-1)."""


def damages_of(spec: Card) -> list[str]:
    """Names of the damages that structures of a dataset can have."""
    one_element = isinstance(spec, DatasetSpec) and len(spec.composition) == 1
    return ONE_ELEMENT if one_element else list(DAMAGES)


def degrade(
    structures: Sequence[Atoms],
    train: Sequence[Atoms],
    damage: str,
    strength: float,
    spec: Card,
    seed: int,
) -> list[Atoms]:
    """Structures, all of them damaged by a strength; the copies are copies of the first one."""
    spoil = DAMAGES[damage].spoil
    spoiled = []
    for i, atoms in enumerate(structures):
        rng = generator_for(seed, "degradation", damage, spec.name, i)
        source = structures[0] if damage == "copied" else atoms
        spoiled.append(spoil(source, strength, train, rng))
    return spoiled


def spoiled_structures(n: int, damage: str, share: float, spec: Card, seed: int) -> np.ndarray:
    """Which of n structures a damage to a share of the set spoils, (n,); more with the share."""
    order = generator_for(seed, "degradation", damage, spec.name).permutation(n)
    chosen = np.zeros(n, dtype=bool)
    chosen[order[: round(share * n)]] = True
    return chosen


def responses(
    train: Sequence[Atoms],
    held_out: Sequence[Atoms],
    spec: Card,
    options: Options,
    seed: int,
) -> pd.DataFrame:
    """Metrics of held-out structures under every damage and strength, one row each.

    The first half of the held-out structures is spoiled, the other half is what memorisation
    compares with. Columns of `RESPONSES_SCHEMA`.

    Raises:
        InputError: fewer than 4 held-out structures.
    """
    if len(held_out) < 4:
        raise InputError(f"degradation: expected 4 held-out structures, found {len(held_out)}")
    spoil, kept = held_out[: len(held_out) // 2], held_out[len(held_out) // 2 :]
    reference = describe_reference(train, spec, options, "training set")
    others = describe_reference(kept, spec, options, "held-out structures")

    def described(structures: Sequence[Atoms]) -> Processed:
        return process(dict(enumerate(structures)), spec, options)

    whole = described(spoil)
    tables = []
    for damage in damages_of(spec):
        chosen = DAMAGES[damage]
        sets = {0.0: whole}
        if chosen.of_set:
            spoiled = described(degrade(spoil, train, damage, 1.0, spec, seed))
            for share in chosen.strengths:
                chosen_ones = spoiled_structures(len(spoil), damage, share, spec, seed)
                sets[share] = _mixed(whole, spoiled, chosen_ones)
        else:
            for strength in chosen.strengths:
                sets[strength] = described(degrade(spoil, train, damage, strength, spec, seed))
        for strength, result in sets.items():
            table = score(
                result.features,
                result.fates,
                reference,
                others,
                spec,
                model=damage,
                kind="baseline",
                seed=0,
            )
            table.insert(0, "damage", damage)
            table.insert(1, "strength", strength)
            table.insert(2, "strength_unit", chosen.unit)
            tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _mixed(whole: Processed, spoiled: Processed, chosen: np.ndarray) -> Processed:
    """The structures of one set, the chosen ones from another; the structures stay behind."""

    def pick(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
        numbers = np.flatnonzero(chosen)
        rows = [a[~a["structure"].isin(numbers)], b[b["structure"].isin(numbers)]]
        filled = [part for part in rows if len(part)] or [a[:0]]
        return pd.concat(filled).sort_values("structure", ignore_index=True)

    fates = pick(whole.fates, spoiled.fates)
    return Processed([], fates, pick(whole.features, spoiled.features))


def sensitivity(table: pd.DataFrame) -> pd.DataFrame:
    """How each metric answers to each damage, one row a metric and damage.

    spearman: rank correlation of value and strength.  change: value at the largest strength less
    that of the undamaged structures.  error: half the 95 % interval of the latter.  sees: the
    correlation is at least 0.9, to either side, and the change exceeds the error.
    """
    rows = []
    for (metric, damage), part in table.groupby(["metric", "damage"], sort=False):
        part = part.dropna(subset=["value"]).sort_values("strength")
        if len(part) == 0 or part["strength"].iloc[0] > 0:
            continue
        change = part["value"].iloc[-1] - part["value"].iloc[0]
        error = (part["ci_high"].iloc[0] - part["ci_low"].iloc[0]) / 2
        varies = part["value"].nunique() > 1 and len(part) > 2
        rho = spearmanr(part["strength"], part["value"]).statistic if varies else 0.0
        sees = bool(abs(rho) >= 0.9 and abs(change) > error)
        rows.append(
            {
                "metric": metric,
                "damage": damage,
                "spearman": float(rho),
                "change": float(change),
                "error": float(error),
                "sees": sees,
            }
        )
    return pd.DataFrame(rows)
