"""Does CDVAE learn? 64-atom cells of amorphous silicon, trained on a laptop's cores, then scored.

python benchmarks/cdvae_learns.py train WORKDIR      # again after a kill: goes on
python benchmarks/cdvae_learns.py score WORKDIR      # also while it trains

Any block of 64 atoms cut from a large cell relaxes to no better a network than random atoms do. The
training set are blocks that the rule of the dataset chose among many cuts (`--cells blocks`), or
cells of that size from melt-quenches of their own (`--cells quenches`). Scored before and after
relaxation, beside random atoms that were pushed apart.
"""

import argparse
import json
import logging
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from ase import Atoms
from learning import run

from dismai import models
from dismai.base.card import DatasetSpec, cell_rows
from dismai.base.columns import ENERGY
from dismai.base.resources import resource
from dismai.datasets.amorphous_si.blocks import block_edge, slice_blocks
from dismai.datasets.amorphous_si.build import build
from dismai.datasets.amorphous_si.bulk import read_bulk
from dismai.datasets.amorphous_si.describe import COORDINATION, MOTIF, RDF, mean_distance
from dismai.datasets.amorphous_si.settings import AmorphousSiDataset, Stage
from dismai.datasets.baselines import fresh_quenches, random_atoms
from dismai.datasets.options import Options
from dismai.evaluation.process import describe_reference, process
from dismai.files.structures import write_structures
from dismai.files.tensors import read_tree
from dismai.metrics.statistics import bootstrap_weights, euclidean
from dismai.models.cdvae.model import CDVAE
from dismai.models.cdvae.module import loss_names
from dismai.potentials.relax import relax_structure
from dismai.potentials.relaxation_plan import RelaxationPlan
from dismai.potentials.resumable import relax_resumably
from dismai.potentials.settings import RelaxationSettings, SwPotential
from dismai.potentials.sw import stillinger_weber
from dismai.report.figures import plot_structures, plot_training, save_figure
from dismai.training.callbacks import states

SEED = 20240701
POTENTIAL = SwPotential(kind="sw")
N_ATOMS, N_TRAIN, N_HELD_OUT, N_GENERATED = 64, 256, 64, 64
STAGES = [
    Stage(from_K=3500, to_K=1800, steps=1000, timestep_fs=2.0),
    Stage(from_K=1800, to_K=700, steps=10_000, timestep_fs=2.5),
    Stage(from_K=700, to_K=300, steps=500, timestep_fs=2.5),
]
"""26 ps in all."""
SETTINGS = {
    # z says nothing of silicon in a cell that never changes: a small encoder, a strong pull of z
    # to its prior. Noise from where nothing of the network is left to below what atoms vibrate.
    "small": {
        "latent": 4,
        "encoder_hidden": 16,
        "encoder_blocks": 1,
        "encoder_triplet": 8,
        "encoder_basis": 4,
        "encoder_output": 32,
        "head_hidden": 32,
        "weight_kl": 0.5,
        "hidden": 64,
        "blocks": 2,
        "triplet": 32,
        "basis": 8,
        "radial": 48,
        "cutoff_A": 5.0,
        "neighbours": 14,
        "sigma_begin_A": 1.8,
        "sigma_end_A": 0.03,
        "learning_rate": 1.5e-3,
        "plateau_factor": 0.7,
        "plateau_patience": 25,
        "ema_decay": 0.999,
        "precision": "bf16-mixed",
        "epochs": 1000,
        "checkpoint_every": 320,
    },
}
SAMPLING = {"sigma_begin_A": 1.2, "sampling_batch": 16}
"""The decoder is not told the level: others than in training will do. Above 1.2 Å all is random."""


def dataset(args: argparse.Namespace) -> tuple[list[Atoms], list[Atoms], DatasetSpec]:
    """Training set, validation set and card, of the kind that was asked for."""
    if args.cells == "blocks":
        return chosen_blocks(args.workdir, args.candidates)
    return quenched_cells(args.workdir)


def chosen_blocks(workdir: Path, candidates: int) -> tuple[list[Atoms], list[Atoms], DatasetSpec]:
    """Blocks of the shipped cell by the rules of the dataset: best of some cuts, spatial split."""
    settings = AmorphousSiDataset(
        kind="amorphous_si",
        n_atoms=N_ATOMS,
        n_structures=N_TRAIN + N_HELD_OUT,
        validation_share=N_HELD_OUT / (N_TRAIN + N_HELD_OUT),
        candidates=candidates,
        potential="sw",
    )
    bulk = read_bulk(resource("asi_100k.npz"))
    cuts = slice_blocks(
        bulk,
        N_ATOMS,
        settings.n_structures,
        settings.split,
        settings.validation_share,
        SEED,
        settings.spare_share,
        candidates,
    )
    relaxed, table = relax_resumably(cuts, POTENTIAL, RelaxationSettings(), workdir / "blocks")
    return build(relaxed, table, "amorphous_si", settings, bulk, {})


def quenched_cells(workdir: Path) -> tuple[list[Atoms], list[Atoms], DatasetSpec]:
    """Quenched cells, scaled to one cube and relaxed.

    Every cell is quenched at no pressure, so the cubes differ by a few percent. The common one is
    that of a block of the shipped cell.
    """
    bulk = read_bulk(resource("asi_100k.npz"))
    cell = bulk.cell.array * block_edge(bulk, N_ATOMS)
    spec = DatasetSpec(
        name="amorphous_si",
        kind="amorphous_si",
        composition={"Si": N_ATOMS},
        cell_A=cell_rows(cell),
        n_train=N_TRAIN,
        n_val=N_HELD_OUT,
    )
    cells = fresh_quenches(spec, STAGES, N_TRAIN + N_HELD_OUT, SEED, workdir / "quenches")
    for atoms in cells:
        atoms.set_cell(cell, scale_atoms=True)
    minima = [relax_structure(atoms, stillinger_weber()).atoms for atoms in cells]
    return minima[:N_TRAIN], minima[N_TRAIN:], spec


def any_cuts(n: int) -> list[Atoms]:
    """Blocks of the shipped cell, neither chosen nor relaxed."""
    return slice_blocks(read_bulk(resource("asi_100k.npz")), N_ATOMS, n, seed=SEED)


def train(args: argparse.Namespace) -> None:
    """Train, or go on; the model goes to the folder of the run."""
    torch.set_num_threads(args.threads)
    structures, validation, spec = dataset(args)
    model = models.create("cdvae", spec, **SETTINGS[args.settings])
    start = time.monotonic(), time.process_time()
    model.fit(structures, validation, args.workdir, args.seed)
    logging.info(
        "trained for %.0f s in this process, %.0f s of the processor",
        time.monotonic() - start[0],
        time.process_time() - start[1],
    )
    model.save(args.workdir / "model.safetensors")


def trained(args: argparse.Namespace, spec: DatasetSpec) -> tuple[CDVAE, pd.DataFrame]:
    """Model and history of the newest state: of a finished training or one that goes on."""
    settings = {**SETTINGS[args.settings], **SAMPLING, "levels": args.levels}
    step = {
        "langevin_steps": args.steps,
        "langevin_step_size": args.jump * settings["sigma_end_A"] ** 2,
    }
    model = models.create("cdvae", spec, **settings, **step)
    state = read_tree(states(args.workdir / "state")[0])
    model.networks = model.new_networks(seed=0)
    weights = state["callbacks"]["Ema"]["weights"]
    model.networks.load_state_dict({k.removeprefix("networks."): v for k, v in weights.items()})
    rows = state["callbacks"]["History"]["rows"].numpy()
    history = pd.DataFrame(rows, columns=[*loss_names(model.hparams), "validation"])
    history["validation"] /= model.hparams.weight_coordinates
    steps_per_epoch = -(-spec.n_train // model.hparams.batch)
    history.insert(0, "step", steps_per_epoch * np.arange(1, len(history) + 1))
    return model, history


def distance(features: pd.DataFrame, reference: pd.DataFrame, names: list[str]) -> list[float]:
    """Distance of the means of two sets, and its standard error by bootstrap of the first."""
    rows, mean = features[names].to_numpy(), reference[names].to_numpy().mean(0)
    resampled = bootstrap_weights(len(rows), 1000, seed=7) @ rows
    errors = np.std([euclidean(row, mean) for row in resampled], ddof=1)
    return [mean_distance(features, reference, names).value, float(errors)]


def mean(values: pd.Series) -> list[float]:
    """Mean and its standard error."""
    return [float(values.mean()), float(values.std() / len(values) ** 0.5)]


def describe(
    structures: list[Atoms], spec: DatasetSpec, options: Options, reference: pd.DataFrame
) -> dict[str, list[float]]:
    """Scores of one set with their standard errors."""
    done = process(dict(enumerate(structures)), spec, options)
    features = done.features
    row = {
        "d_rdf": distance(features, reference, RDF),
        "d_motif": distance(features, reference, MOTIF),
        "four_fold_percent": mean(features[COORDINATION[4]]),
        "accepted": [float(len(features)), 0.0],
    }
    if options.relaxation:
        row["energy_eV_per_atom"] = mean(features[ENERGY])
    return row


def separation(one: dict[str, list[float]], other: dict[str, list[float]]) -> dict[str, float]:
    """Differences of two rows of scores in standard errors."""
    return {
        metric: round(float((value - other[metric][0]) / np.hypot(error, other[metric][1])), 1)
        for metric, (value, error) in one.items()
        if metric != "accepted"
    }


def score(args: argparse.Namespace) -> None:
    """Print distances from the training set beside those of three baselines; draw."""
    torch.set_num_threads(args.threads)
    structures, validation, spec = dataset(args)
    model, history = trained(args, spec)
    start = time.process_time()
    generated = model.sample(N_GENERATED, args.seed)
    print(
        f"scored after {history['step'].iloc[-1]} steps, {args.levels} levels, {args.steps} "
        f"Langevin steps per level, jumps of {args.jump}; sampling {N_GENERATED} structures took "
        f"{time.process_time() - start:.0f} s of the processor"
    )
    write_structures(generated, args.workdir / "generated.extxyz")
    sets = {
        "generated": generated,
        "random atoms": random_atoms(spec, N_GENERATED, SEED),
        "any cut of the shipped cell": any_cuts(N_GENERATED),
        "held out": validation,
    }
    relaxing = Options(relaxation=RelaxationPlan(POTENTIAL))
    reference = describe_reference(structures, spec, relaxing, "training set")  # minima already
    scores = {}
    for stage, options in (("before relaxation", Options()), ("after", relaxing)):
        rows = {name: describe(drawn, spec, options, reference) for name, drawn in sets.items()}
        scores[stage] = rows
        shown = {
            name: {metric: f"{value:.4g} ± {error:.2g}" for metric, (value, error) in row.items()}
            for name, row in rows.items()
        }
        print(stage, pd.DataFrame(shown).T.to_string(), sep="\n", flush=True)
        for name in ("generated", "held out"):
            apart = separation(rows[name], rows["random atoms"])
            print(f"{name} less random atoms, in standard errors: {apart}", flush=True)
    (args.workdir / "scores.json").write_text(json.dumps(scores, indent=2) + "\n")
    drawn = {"training": structures[0], "generated": generated[0]}
    save_figure(plot_structures(drawn), args.workdir / "structures.png")
    curves = history[["step", "coordinates", "validation"]]
    title = f"CDVAE, {N_ATOMS}-atom silicon, settings {args.settings}"
    save_figure(plot_training({title: curves}), args.workdir / "training.svg")


if __name__ == "__main__":
    run(
        __doc__,
        train,
        score,
        ("--settings", {"choices": SETTINGS, "default": "small"}),
        ("--cells", {"choices": ["blocks", "quenches"], "default": "blocks"}),
        ("--candidates", {"type": int, "default": 16, "help": "cuts tried for a block"}),
        ("--levels", {"type": int, "default": 200, "help": "noise levels of the sampling"}),
        ("--steps", {"type": int, "default": 2, "help": "Langevin steps per level"}),
        ("--jump", {"type": float, "default": 0.5, "help": "size of a step, in sigma squared"}),
    )
