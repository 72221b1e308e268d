"""Training of M3GNet: loss MSE(E/atom) + MSE(F) + 0.1 MSE(S), Adam ("Dismai-Bench", methods)."""

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from lightning.pytorch import LightningModule
from matgl.apps.pes import Potential
from torch import Tensor

from dismai.base import stopping
from dismai.base.device import resolved, say
from dismai.base.seeds import seed_for
from dismai.potentials.labels import Label
from dismai.potentials.m3gnet.data import Graphs, Split, reference_energies, split_labels
from dismai.potentials.m3gnet.network import build
from dismai.potentials.m3gnet.settings import M3gnet
from dismai.potentials.predictions import prediction_rows
from dismai.training.run import Training, run_training, training_digest
from dismai.training.schedule import Ema, Validation

logger = logging.getLogger(__name__)

QUANTITIES = {"energy": "meV_per_atom", "force": "meV_per_A", "stress": "GPa"}
"""What is predicted, and the unit of its errors."""
EMA_WARM_UP = 10


class M3gnetModule(LightningModule):
    """One training step; a batch is that of `Graphs`."""

    def __init__(self, potential: Potential, settings: M3gnet, with_stress: bool):
        super().__init__()
        self.potential, self.settings = potential, settings
        self.weights = {"energy": settings.energy_weight, "force": settings.force_weight}
        if with_stress:
            self.weights["stress"] = settings.stress_weight

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=self.settings.learning_rate)

    def training_step(self, batch: tuple, batch_idx: int) -> dict[str, Tensor]:
        errors = self.errors(batch)
        losses = {name: (errors[name] ** 2).mean() for name in self.weights}
        total = sum(weight * losses[name] for name, weight in self.weights.items())
        return {"loss": total, **losses}

    def validation_step(self, batch: tuple, index: int) -> dict[str, Tensor]:
        """Mean absolute errors: meV/atom, meV/Å, GPa."""
        with torch.enable_grad():  # forces are derivatives
            errors = self.errors(batch)
        maes = {name: errors[name].detach().abs().mean() for name in self.weights}
        return {
            history_column(name): 1000 * maes[name] if name != "stress" else maes[name]
            for name in maes
        }

    def errors(self, batch: tuple) -> dict[str, Tensor]:
        """Prediction less label: eV/atom (B,), eV/Å (n_atoms, 3), GPa (3 B, 3)."""
        graph, cells, energies, sizes, forces, stresses = batch
        energy, force, stress, _ = self.potential(graph, cells)
        return {
            "energy": (energy.reshape(-1) - energies) / sizes,
            "force": force - forces,
            "stress": stress - stresses,
        }


def history_column(name: str) -> str:
    """Column of history.csv with a validation error."""
    return f"val_{name}_mae_{QUANTITIES[name]}"


def train(
    labels: Sequence[Label], settings: M3gnet, workdir: Path, seed: int, device: str = "cpu"
) -> tuple[Potential, Split]:
    """Train on 80 % of the labels; the last weights, or their moving average, are kept.

    Args:
        labels: of all three sets.
        settings: section `m3gnet`.
        workdir: gets history.csv and, in state/, what a resume needs.
        seed: of split, initial weights and order.
        device: cpu, cuda or auto.
    """
    parts = split_labels(labels, settings.split, seed)
    device = resolved(device)
    say(device)
    elements = sorted({symbol for label in labels for symbol in label.atoms.symbols})
    training = [labels[i] for i in parts.train]
    with_stress = labels[0].stress_eV_per_A3 is not None
    if not with_stress:
        logger.warning("labels have no stress: it is not trained")
    forces = np.concatenate([label.forces_eV_per_A.ravel() for label in training])
    scale = float(np.sqrt(np.mean(forces**2)))
    potential = build(
        elements,
        settings,
        reference_energies(training, elements),
        scale,
        seed_for(seed, "weights"),
    )
    held_out = Graphs([labels[i] for i in parts.val], elements, settings.cutoff_A)
    module = M3gnetModule(potential, settings, with_stress)
    columns = tuple(history_column(name) for name in module.weights)
    run_training(
        Training(
            module,
            Graphs(training, elements, settings.cutoff_A),
            columns=("loss", *module.weights),
            epochs=settings.epochs,
            seed=seed_for(seed, "batches"),
            validation=Validation(held_out, settings.batch, settings.validate_every, columns),
            ema=Ema(_warmed_up(settings.ema_decay)) if settings.ema_decay else None,
        ),
        workdir,
        batch=settings.batch,
        made_for=training_digest(
            f"m3gnet {_hash(training)}", settings, [label.atoms for label in training], seed, device
        ),
        checkpoint_every=settings.checkpoint_every,
        precision="32-true",
        device=device,
    )
    return potential.eval(), parts


def predictions(
    potential: Potential,
    labels: Sequence[Label],
    settings: M3gnet,
    n_train: int,
    device: str = "cpu",
) -> pd.DataFrame:
    """Labels beside predictions, one row a number: columns of `PREDICTIONS_SCHEMA`.

    n_train: labels that the potential was trained on.  device: cpu, or cuda for batches.
    """
    elements = potential.model.element_types
    graphs = Graphs(labels, elements, settings.cutoff_A)
    device = resolved(device)
    module = M3gnetModule(potential, settings, with_stress=True).eval().to(device)
    together = 1 if device == "cpu" else settings.batch  # one by one, sums are rounded in one way
    tables = []
    for start in range(0, len(graphs), together):
        stopping.leave_if_asked()
        indices = list(range(start, min(start + together, len(graphs))))
        batch = graphs[indices]
        moved = [part.to(device) for part in batch]
        errors = {name: error.detach().cpu() for name, error in module.errors(moved).items()}
        _, _, energies, sizes, forces, stresses = batch
        own = {"energy": energies / sizes, "force": forces, "stress": stresses}
        atoms, ones = sizes.long().tolist(), [1] * len(indices)
        parts = {"energy": ones, "force": atoms, "stress": [3 * one for one in ones]}
        for row, index in enumerate(indices):
            values = {}
            for name, truth in own.items():
                of_it = (of.split(parts[name])[row] for of in (truth, errors[name]))
                label, error = (_plain(one, name) for one in of_it)
                known = np.isfinite(label)
                values[name] = (label[known], (label + error)[known])
            tables.append(prediction_rows(n_train, index, values))
    potential.to("cpu")
    return pd.concat(tables, ignore_index=True)


def _plain(x: Tensor, quantity: str) -> np.ndarray:
    """Numbers of one structure, of a stress each component once, float64, (n,)."""
    return (x[VOIGT_ROWS] if quantity == "stress" else x).reshape(-1).double().numpy()


VOIGT_ROWS = (torch.tensor([0, 1, 2, 1, 0, 0]), torch.tensor([0, 1, 2, 2, 2, 1]))


def _warmed_up(decay: float):
    """Decay at a step: young averages forget faster, so that the initial weights fade."""
    return lambda step: min(decay, (1 + step) / (EMA_WARM_UP + step))


def _hash(labels: Sequence[Label]) -> str:
    """SHA-256 over energies, forces and stresses."""
    digest = hashlib.sha256()
    for label in labels:
        digest.update(np.float64(label.energy_eV).tobytes())
        digest.update(np.ascontiguousarray(label.forces_eV_per_A, dtype="<f8").tobytes())
        if label.stress_eV_per_A3 is not None:
            digest.update(np.ascontiguousarray(label.stress_eV_per_A3, dtype="<f8").tobytes())
    return digest.hexdigest()
