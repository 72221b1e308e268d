"""Melt behind the contract of a generative model. Ours; docs/models.md compares it with others.

Anonymous atoms start anywhere in the cell and are moved to where the density of atoms is high; the
places that they find are then named, one after another; and named atoms settle.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from ase import Atoms
from torch import Tensor

from dismai.base.card import DatasetSpec
from dismai.base.errors import InputError
from dismai.base.seeds import seed_for
from dismai.models.batches import Streams, draw_in_batches, torch_device
from dismai.models.melt.facts import Facts, facts_of
from dismai.models.melt.hparams import Hparams, epochs_of, structures_of
from dismai.models.melt.network import Networks, no_facts, stored_facts
from dismai.models.melt.sampler import draw
from dismai.models.torch_model import TorchModel

if TYPE_CHECKING:
    from dismai.training.run import Training

logger = logging.getLogger(__name__)


class Melt(TorchModel):
    """Mover and namer of one dataset."""

    architecture = "melt"
    Hparams = Hparams
    any_multiple = True

    def __init__(self, spec: DatasetSpec, hparams: Hparams):
        super().__init__(spec, hparams.resolved(spec))

    def trainings(self, train: list[Atoms], val: list[Atoms], seed: int) -> Iterator[Training]:
        """The mover, then the namer, which needs nothing of it. Averaged weights are used."""
        from dismai.models.melt.module import MoverModule, NamerModule, Places, Surroundings
        from dismai.training.data import fractional_coordinates

        h, cell = self.hparams, self._cell()
        x, x_val = (
            torch.from_numpy(fractional_coordinates(part, self.spec, name) @ self.spec.cell).float()
            for part, name in ((train, "training set"), (val, "validation set"))
        )
        species = self._species()
        facts = facts_of(x, species, cell, h)
        self._say(facts)
        self.networks = self.new_networks(seed_for(seed, "weights"), facts)
        mover, namer = self.networks.mover, self.networks.namer
        module = MoverModule(mover, species, cell, facts, h, seed_for(seed, "mover"))
        yield self._training("mover", module, Places(x), Places(x_val), h.steps, h.batch)
        if namer is not None:
            module = NamerModule(namer, species, facts, h, seed_for(seed, "namer"))
            sets = (
                Surroundings(part, cell, facts.namer_cutoff, h.most_neighbours)
                for part in (x, x_val)
            )
            yield self._training("namer", module, *sets, h.namer_steps, h.namer_batch)

    def _training(self, stage, module, train_set, val_set, steps: int, batch: int) -> Training:
        from dismai.training.run import Training
        from dismai.training.schedule import Ema, Validation

        epochs = epochs_of(steps, len(train_set), batch)
        every = max(1, epochs // self.hparams.validations)
        return Training(
            module,
            train_set,
            columns=("loss",),
            epochs=epochs,
            seed=seed_for(module.seed, "batches"),
            stage=stage,
            batch=batch,
            validation=Validation(val_set, batch, every, ("validation",)),
            ema=Ema.rising_to(self.hparams.ema_decay),
        )

    def sample(self, n: int, seed: int, repeat: tuple[int, int, int] = (1, 1, 1)) -> list[Atoms]:
        """Draw n structures; coordinates of one that diverges are NaN.

        With `repeat` the cell is so many training cells along its vectors, with as many times the
        atoms. Species are in the order of the card.
        """
        if len(repeat) != 3 or min(repeat) < 1:
            raise InputError(f"melt: repeat: expected three numbers from 1 on, found {repeat}")
        h, device = self.hparams, torch_device(self.device)
        networks = self.trained("sample").to(device).eval()
        cell, n_copies = self._cell().to(device), math.prod(repeat)
        counts = torch.tensor(list(self.spec.composition.values()), device=device)
        size = h.sampling_batch
        if n_copies > 1:
            size = structures_of(size * self.spec.n_atoms, n_copies * self.spec.n_atoms)

        def drawn(indices: range) -> dict[str, Tensor]:
            streams = Streams((seed_for(seed, "sample", i) for i in indices), device)
            x, species = draw(networks, h, cell, repeat, counts, streams)
            order = species.argsort(dim=1, stable=True)
            return {"x": x.gather(1, order[..., None].expand(-1, -1, 3))}

        identity = {**networks.state_dict(), "repeat": torch.tensor(repeat)}
        found = draw_in_batches(self, identity, n, seed, size, drawn)["x"]
        return self._structures(found, np.array(repeat)[:, None] * self.spec.cell, n_copies)

    def take_tensors(self, tensors: dict[str, Tensor]) -> None:
        """Sizes of the networks follow from the training set, whose facts are among the tensors."""
        self.networks = self.new_networks(0, stored_facts(tensors))
        self.networks.load_state_dict(tensors)

    def new_networks(self, seed: int, facts: Facts | None = None) -> Networks:
        """Without facts: for a training set in which nothing is shared."""
        random = torch.Generator().manual_seed(seed)
        facts = facts or no_facts(self.hparams.waves)
        return Networks(len(self.spec.composition), facts, self.hparams, random)

    def _cell(self) -> Tensor:
        return torch.tensor(self.spec.cell, dtype=torch.float32)

    def _species(self) -> Tensor:
        """Index of the species of every atom, (N,)."""
        counts = torch.tensor(list(self.spec.composition.values()))
        return torch.arange(len(counts)).repeat_interleave(counts)

    def _say(self, facts: Facts) -> None:
        logger.info(
            "nearest neighbours at %.2f Å, atoms see %.2f Å, noise up to %.2f Å, %d shared waves, "
            "%d operations",
            facts.nearest,
            facts.cutoff,
            facts.sigma_max,
            len(facts.shared),
            len(facts.operations),
        )

    def _structures(self, x: Tensor, cell: np.ndarray, n_copies: int) -> list[Atoms]:
        n_bad = int((~x.isfinite().all(2).all(1)).sum())
        if n_bad:
            logger.warning("%d of %d structures are not finite", n_bad, len(x))
        symbols = [s for s, m in self.spec.composition.items() for _ in range(m * n_copies)]
        return [Atoms(symbols, positions=one, cell=cell, pbc=True) for one in x.double().numpy()]
