"""Does Melt learn? The 32-atom alloy, blocks of silicon or small interfaces, the same settings.

python benchmarks/melt_learns.py train WORKDIR --kind alloy      # again after a kill: goes on
python benchmarks/melt_learns.py score WORKDIR --kind alloy

Scores are those of the pages of the other models: alloy_learning.py, cdvae_learns.py,
interface_learning.py. With --repeat the structures are larger than the training cell.
"""

import argparse
import itertools
import json
import logging
import math
import time

import cdvae_learns
import numpy as np
import pandas as pd
import torch
from alloy_learning import dataset as alloy_dataset
from alloy_learning import describe as describe_alloys
from ase import Atoms
from interface_learning import GENERATED, HELD_OUT, N_GENERATED
from interface_learning import dataset as interface_dataset
from interface_learning import options as interface_options
from interface_learning import scores as interface_scores
from learning import run

from dismai import models
from dismai.base.card import DatasetSpec, FccLattice, cell_rows
from dismai.datasets.options import Options
from dismai.evaluation.process import describe_reference
from dismai.files.structures import write_structures
from dismai.geometry.fcc import fractional_sites, site_index
from dismai.metrics.clusters import lattice_occupancy, probabilities
from dismai.postprocess.on_lattice import keep_on_lattice
from dismai.potentials.relaxation_plan import RelaxationPlan

N_DRAWN = {"alloy": 200, "silicon": 64, "interface": N_GENERATED}


def dataset(args: argparse.Namespace):
    """Training set, validation set and card of the kind that was asked for."""
    if args.kind == "silicon":
        return cdvae_learns.chosen_blocks(args.workdir, candidates=16)
    return {"alloy": alloy_dataset, "interface": interface_dataset}[args.kind]()


def train(args: argparse.Namespace) -> None:
    """Train, or go on; the model goes to the folder of the run."""
    torch.set_num_threads(args.threads)
    structures, validation, spec = dataset(args)
    model = models.create("melt", spec, **json.loads(args.settings))
    start = time.process_time()
    model.fit(structures, validation, args.workdir, args.seed)
    logging.info("trained for %.0f s of the processor", time.process_time() - start)
    model.save(args.workdir / "model.safetensors")


def large(spec: DatasetSpec, repeat: list[int]) -> DatasetSpec:
    """Card of a cell of several training cells."""
    composition = {symbol: n * math.prod(repeat) for symbol, n in spec.composition.items()}
    fcc = spec.fcc
    if fcc is not None:
        supercell = tuple(n * m for n, m in zip(fcc.supercell, repeat, strict=True))
        fcc = FccLattice(a_A=fcc.a_A, supercell=supercell)
    cell = np.array(repeat)[:, None] * spec.cell
    return spec.model_copy(
        update={"composition": composition, "cell_A": cell_rows(cell), "fcc": fcc}
    )


def decorations(structures: list[Atoms], fcc: FccLattice) -> list[bytes]:
    """Decorations of structures without vacancy, each the same whatever its frame.

    The least of what all translations and the 48 operations of a cube make of it.
    """
    side = 2 * np.array(fcc.supercell)
    grid = np.rint(fractional_sites(fcc.supercell) * side).astype(int)
    index, moved = site_index(fcc.supercell), []
    for axes in itertools.permutations(range(3)):
        for signs in itertools.product((1, -1), repeat=3):
            for shift in grid:
                moved.append(index[tuple(((grid[:, axes] * signs + shift) % side).T)])
    orders = np.unique(np.array(moved), axis=0)
    found = []
    for atoms in structures:
        cleaned, removed, status = keep_on_lattice(atoms, fcc, "translate", reject=False)
        if status == "ok" and removed == 0:
            occupancy = lattice_occupancy(cleaned, fcc.a_A)[0].astype(np.int8)
            found.append(min(row.tobytes() for row in occupancy[orders]))
    return found


def score_alloys(generated, structures, validation, spec, repeat) -> pd.DataFrame:
    """Against the mean cluster probabilities of the training set, and what is copied from it."""
    reference = np.mean([probabilities(atoms) for atoms in structures], axis=0)
    rows = {}
    known = set(decorations(structures, spec.fcc))
    for name, drawn, card in (
        ("generated", generated, large(spec, repeat)),
        ("held out", validation[: len(generated)], spec),
    ):
        rows[name] = describe_alloys(drawn, card, reference, "translate")
        if card.n_atoms == spec.n_atoms:
            own = decorations(drawn, card.fcc)
            rows[name]["distinct up to symmetry"] = len(set(own))
            rows[name]["of the training set"] = sum(one in known for one in own)
    return pd.DataFrame(rows).T


def score_silicon(generated, structures, validation, spec, repeat) -> pd.DataFrame:
    """Before and after relaxation, against the training set."""
    relaxing = Options(relaxation=RelaxationPlan(cdvae_learns.POTENTIAL))
    reference = describe_reference(structures, spec, relaxing, "training set")
    rows = {}
    for stage, options in (("before relaxation", Options()), ("after", relaxing)):
        for name, drawn, card in (
            ("generated", generated, large(spec, repeat)),
            ("held out", validation, spec),
        ):
            row = cdvae_learns.describe(drawn, card, options, reference)
            rows[f"{name}, {stage}"] = {
                metric: f"{value:.4g} ± {error:.2g}" for metric, (value, error) in row.items()
            }
    return pd.DataFrame(rows).T


def score_interfaces(generated, structures, validation, spec, folder) -> pd.DataFrame:
    """Before and after a short relaxation, of training structures alike."""
    sets = {GENERATED: generated, HELD_OUT: validation[: len(generated)]}
    rows = {}
    for stage in ("before relaxation", "after"):
        how = interface_options(stage == "after", folder)
        for name, row in interface_scores(sets, structures, spec, how)[0].items():
            rows[f"{name}, {stage}"] = row
    return pd.DataFrame(rows).T


def score(args: argparse.Namespace) -> None:
    """Draw structures and print their scores beside those of held-out ones."""
    torch.set_num_threads(args.threads)
    structures, validation, spec = dataset(args)
    model = models.load(args.workdir / "model.safetensors")
    n = args.number or N_DRAWN[args.kind]
    start = time.process_time()
    generated = models.sample(model, n, args.seed, tuple(args.repeat))
    seconds = (time.process_time() - start) / n
    print(f"{n} structures, {seconds:.2f} s of the processor each")
    name = "x".join(map(str, args.repeat))
    write_structures(generated, args.workdir / f"generated_{name}.extxyz")
    judge = {"alloy": score_alloys, "silicon": score_silicon, "interface": score_interfaces}
    more = args.workdir / "relax" if args.kind == "interface" else args.repeat
    table = judge[args.kind](generated, structures, validation, spec, more)
    print(table.to_string())
    table.to_json(args.workdir / f"scores_{name}.json", orient="index", indent=2)


if __name__ == "__main__":
    run(
        __doc__,
        train,
        score,
        ("--kind", {"choices": list(N_DRAWN), "required": True}),
        ("--settings", {"default": "{}", "help": "hyperparameters as JSON"}),
        ("--repeat", {"type": int, "nargs": 3, "default": [1, 1, 1]}),
        ("--number", {"type": int, "help": "structures drawn"}),
    )
