"""What the benchmarks of learning share: the interface of 44 atoms, its baselines, the scores."""

import json
import logging
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms

from dismai.base.card import REGION_ATOMS, DatasetSpec, cell_rows
from dismai.base.seeds import generator_for
from dismai.datasets.interface.build import random_interfaces
from dismai.datasets.options import Options
from dismai.evaluation.process import Processed, process
from dismai.evaluation.score import score
from dismai.pipeline import config
from dismai.potentials import check_entry
from dismai.potentials.relaxation_plan import RelaxationPlan
from dismai.potentials.settings import RelaxationSettings

SEED = 20240701
N_TRAIN, N_VALIDATION, N_GENERATED, N_REFERENCE = 800, 50, 50, 50
CONFIG = Path(__file__).parents[1] / "config"
RELAXATION = RelaxationSettings(optimizer="lbfgs", fmax_eV_per_A=2.0, max_steps=60)
"""The start of a relaxation, at most a minute of processor time for 50 structures."""
GENERATED, HELD_OUT, UNIFORM = "generated", "random interfaces, held out", "uniform atoms"
SHOWN = ("percent_failed", "d_Li", "d_Co", "d_Sc", "d_all", "energy_above_training")


def dataset() -> tuple[list[Atoms], list[Atoms], DatasetSpec]:
    """Training set, validation set and card: random interfaces of the demo, not relaxed."""
    demo = config.load(str(CONFIG / "config.yaml"), str(CONFIG / "demo.yaml"))
    geometry = demo.datasets["interface"].geometry
    n = N_TRAIN + N_VALIDATION
    structures = random_interfaces(geometry, n, SEED, "learning", "interface")
    return structures[:N_TRAIN], structures[N_TRAIN:], card(structures, N_TRAIN)


def card(structures: list[Atoms], n_train: int) -> DatasetSpec:
    """Card of random interfaces, the first n_train of them for training."""
    first = structures[0]
    return DatasetSpec(
        name="interface",
        kind="interface",
        composition=dict(Counter(first.get_chemical_symbols())),
        cell_A=cell_rows(first.cell.array),
        n_train=n_train,
        n_val=len(structures) - n_train,
        statistics={REGION_ATOMS: dict(Counter(first.symbols[first.get_tags() == 0]))},
    )


def uniform_atoms(spec: DatasetSpec, n: int) -> list[Atoms]:
    """The atoms of the dataset anywhere in its cell; the evaluation pushes them apart."""
    structures = []
    for i in range(n):
        f = generator_for(SEED, "uniform_atoms", i).random((spec.n_atoms, 3))
        structures.append(Atoms(spec.symbols, f @ spec.cell, cell=spec.cell, pbc=True))
    return structures


def distance_from_slab(drawn: list[Atoms], template: Atoms, slab: np.ndarray) -> float:
    """Root mean square distance of atoms from the slab of a template, shifted to fit best, Å.

    Args:
        drawn: structures, atoms in the order of the template
        template: a training structure
        slab: which atoms, (n_atoms,)
    """
    squares = []
    for atoms in drawn:
        apart = (atoms.get_scaled_positions() - template.get_scaled_positions())[slab]
        shift = np.angle(np.exp(2j * np.pi * apart).mean(axis=0)) / (2 * np.pi)
        apart -= shift
        squares.append((((apart - np.rint(apart)) @ template.cell.array) ** 2).sum(axis=1))
    return float(np.sqrt(np.mean(squares)))


def options(relaxed: bool, folder: Path) -> Options:
    """How sets are evaluated; finished relaxations are kept in a folder."""
    if not relaxed:
        return Options()
    return Options(relaxation=RelaxationPlan(check_entry({"kind": "chgnet"}), RELAXATION, folder))


def scores(
    sets: dict[str, list[Atoms]], training: list[Atoms], spec: DatasetSpec, how: Options
) -> tuple[dict[str, dict[str, float]], dict[str, Processed]]:
    """Metrics of sets against the training set, all treated alike; and their structures.

    Only the first N_REFERENCE training structures are compared with.
    """
    numbered = {name: dict(enumerate(structures)) for name, structures in sets.items()}
    reference = process(dict(enumerate(training[:N_REFERENCE])), spec, how).features
    rows, done = {}, {}
    for name, structures in numbered.items():
        logging.info("evaluating %s", name)
        done[name] = process(structures, spec, how)
        features, fates = done[name].features, done[name].fates
        table = score(features, fates, reference, None, spec, name, "file", 0)
        table = table[table["metric"].isin(SHOWN)].set_index("metric")
        rows[name] = table["value"].to_dict()
        rows[name]["d_all, 95 % interval"] = table.loc["d_all", ["ci_low", "ci_high"]].tolist()
    return rows, done


def evaluate(
    generated: list[Atoms],
    training: list[Atoms],
    validation: list[Atoms],
    spec: DatasetSpec,
    relaxations: Path,
) -> tuple[dict[str, dict], dict[str, Processed]]:
    """Scores of generated structures and two baselines before and after relaxation.

    Returns:
        by set, then by metric; and the structures of all sets after relaxation
    """
    sets = {
        GENERATED: generated,
        HELD_OUT: validation[:N_GENERATED],
        UNIFORM: uniform_atoms(spec, N_GENERATED),
    }
    tags = training[0].get_tags()
    slabs = {"LCO slab (Å)": tags > 0, "LSC slab (Å)": tags < 0}
    rows = {
        name: {
            label: distance_from_slab(structures, training[0], slab)
            for label, slab in slabs.items()
        }
        for name, structures in sets.items()
    }
    for relaxed, prefix in ((False, ""), (True, "relaxed: ")):
        found, done = scores(sets, training, spec, options(relaxed, relaxations))
        for name, values in found.items():
            rows[name] |= {f"{prefix}{metric}": value for metric, value in values.items()}
    return rows, done


def print_and_save(rows: dict[str, dict], path: Path) -> None:
    """The table for people on the screen, as JSON in a file."""
    print(pd.DataFrame(rows).to_string(float_format=lambda value: f"{value:.4g}"))
    path.write_text(json.dumps(rows, indent=2) + "\n")
