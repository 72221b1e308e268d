"""All networks of CDVAE together: encoder, Gaussian of z, three heads on z, decoder."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dismai.models.cdvae.decoder import Decoder, default_
from dismai.models.cdvae.encoder import Encoder
from dismai.models.cdvae.graph import Graph
from dismai.models.cdvae.hparams import Hparams
from dismai.models.cdvae.lattice import LatticeScale


@dataclass(frozen=True)
class Prediction:
    """What the heads read from z, for B structures.

    number: logits of 0 ... n_max atoms, (B, n_max + 1).  lattice: standardised, (B, 6).
    composition: logits of atomic numbers 1 ... z_max, (B, z_max).
    """

    number: Tensor
    lattice: Tensor
    composition: Tensor


class Networks(nn.Module):
    """Networks of one dataset, with the scale of its lattice parameters.

    Args:
        n_max: largest number of atoms
        max_number: largest atomic number
        scale: of the lattice parameters of the training set
        h: hyperparameters
        random: where initial weights come from
    """

    def __init__(
        self,
        n_max: int,
        max_number: int,
        scale: LatticeScale,
        h: Hparams,
        random: torch.Generator,
    ):
        super().__init__()
        self.encoder = Encoder(h, random)
        self.mean = nn.Linear(h.encoder_output, h.latent)
        self.log_variance = nn.Linear(h.encoder_output, h.latent)
        self.number = head(h.latent, h.head_hidden, n_max + 1)
        self.lattice = head(h.latent, h.head_hidden, 6)
        self.composition = head(h.latent, h.head_hidden, max_number)
        for part in (self.mean, self.log_variance, self.number, self.lattice, self.composition):
            for layer in part.modules():
                if isinstance(layer, nn.Linear):
                    default_(layer, random)
        self.decoder = Decoder(h, max_number, random)
        self.scale = scale

    def encode(self, numbers: Tensor, bonds: Graph, n_structures: int) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of z, each (B, latent); structures of equal size."""
        x = self.encoder(numbers, bonds, n_structures)
        return self.mean(x), self.log_variance(x)

    def read(self, z: Tensor) -> Prediction:
        """The heads on z, (B, latent)."""
        return Prediction(self.number(z), self.lattice(z), self.composition(z))


def head(n_in: int, hidden: int, n_out: int) -> nn.Sequential:
    """Linear, ReLU, linear."""
    return nn.Sequential(nn.Linear(n_in, hidden), nn.ReLU(), nn.Linear(hidden, n_out))
