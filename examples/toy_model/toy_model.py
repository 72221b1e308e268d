"""A generative model in thirty lines: training structures whose atoms are displaced at random."""

import numpy as np
from ase import Atoms
from pydantic import Field

from dismai.base.section import Section
from dismai.models.base import GenerativeModel


class Hparams(Section):
    """Settings, checked before anything runs."""

    width_A: float = Field(0.05, ge=0, description="displacement of a component, Å")


class Toy(GenerativeModel):
    """A Gaussian at every training structure (a kernel density estimate)."""

    Hparams = Hparams

    def fit(self, train, val, workdir, seed):
        self.positions = np.array([atoms.positions for atoms in train])  # (n, n_atoms, 3), Å
        held_out = np.array([atoms.positions for atoms in val])
        nearest = [np.square(self.positions - x).mean((1, 2)).min() for x in held_out]
        self.log(step=1, mean_square_A2=float(np.mean(nearest)))

    def sample(self, n, seed):
        return [self._draw(np.random.default_rng([seed, i])) for i in range(n)]

    def _draw(self, random):
        x = self.positions[random.integers(len(self.positions))]
        x = x + self.hparams.width_A * random.normal(size=x.shape)
        return Atoms(self.spec.symbols, positions=x, cell=self.spec.cell, pbc=True)

    def tensors(self):
        return {"positions": self.positions}

    def take_tensors(self, tensors):
        self.positions = tensors["positions"].numpy()
