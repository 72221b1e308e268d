"""Does Melt learn? The 32-atom alloy, blocks of silicon or small interfaces, the same settings.

python benchmarks/melt_learns.py train WORKDIR --kind alloy      # again after a kill: goes on
python benchmarks/melt_learns.py score WORKDIR --kind alloy

Scores are those of the pages of the other models: alloy_learning.py, cdvae_learns.py,
interface_learning.py. With --repeat the structures are larger than the training cell.
"""

import argparse
import json
import logging
import time

import cdvae_learns
import numpy as np
import pandas as pd
import torch
from alloy_learning import dataset as alloy_dataset
from alloy_learning import describe as describe_alloys
from dismai.potentials.relaxing import Relaxing
from interface_learning import GENERATED, HELD_OUT, N_GENERATED
from interface_learning import dataset as interface_dataset
from interface_learning import options as interface_options
from interface_learning import scores as interface_scores
from learning import run

from dismai import models
from dismai.base.card import FccLattice, cell_rows
from dismai.datasets.options import Options
from dismai.evaluation.process import describe_reference
from dismai.files.structures import write_structures
from dismai.metrics.clusters import probabilities

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


def large(spec, repeat):
    """Card of a cell of several training cells."""
    composition = {symbol: n * int(np.prod(repeat)) for symbol, n in spec.composition.items()}
    fcc = spec.fcc
    if fcc is not None:
        supercell = tuple(n * m for n, m in zip(fcc.supercell, repeat, strict=True))
        fcc = FccLattice(a_A=fcc.a_A, supercell=supercell)
    cell = np.array(repeat)[:, None] * spec.cell
    return spec.model_copy(
        update={"composition": composition, "cell_A": cell_rows(cell), "fcc": fcc}
    )


def score_alloys(generated, structures, validation, spec) -> pd.DataFrame:
    """Against the mean cluster probabilities of the training set."""
    reference = np.mean([probabilities(atoms) for atoms in structures], axis=0)
    drawn = large(spec, generated[0].cell.lengths().round(3) / spec.fcc.box)
    rows = {"generated": describe_alloys(generated, drawn, reference, "translate")}
    rows["held out"] = describe_alloys(validation[:200], spec, reference, "none")
    return pd.DataFrame(rows).T


def score_silicon(generated, structures, validation, spec) -> pd.DataFrame:
    """Before and after relaxation, against the training set."""
    relaxing = Options(relaxing=Relaxing(cdvae_learns.POTENTIAL))
    reference = describe_reference(structures, spec, relaxing, "training set")
    rows = {}
    for stage, options in (("before relaxation", Options()), ("after", relaxing)):
        for name, drawn in (("generated", generated), ("held out", validation)):
            repeat = np.rint(drawn[0].cell.lengths() / np.linalg.norm(spec.cell, axis=1))
            row = cdvae_learns.describe(drawn, large(spec, repeat.astype(int)), options, reference)
            rows[f"{name}, {stage}"] = {
                metric: f"{value:.4g} ± {error:.2g}" for metric, (value, error) in row.items()
            }
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
    if args.kind == "interface":
        sets = {GENERATED: generated, HELD_OUT: validation[:n]}
        rows = {}
        for relaxed in (False, True):
            how = interface_options(relaxed, args.workdir / "relax")
            for label, row in interface_scores(sets, structures, spec, how)[0].items():
                rows[f"{label}{', relaxed' if relaxed else ''}"] = row
        table = pd.DataFrame(rows).T
    else:
        judge = {"alloy": score_alloys, "silicon": score_silicon}[args.kind]
        table = judge(generated, structures, validation, spec)
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
