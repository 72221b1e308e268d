"""Networks of CryinGAN: a generator, and critics that pool over the atoms of each species.

All convolutions of the paper have kernels that cover one atom, so they are linear maps shared by
the atoms; here channels stand last and the maps are matrix products. A coordinate table has one
row (x, y, z) per atom, a distance table one row of the nearest distances.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from dismai.models.cryingan.hparams import Hparams
from dismai.models.leak import leaky_relu

LEAK = 0.2
BATCH_NORM_EPS = 0.8
"""As unusual as it looks: it damps every normalised channel (CryinGAN)."""
BATCH_NORM_MOMENTUM = 0.1


def xavier_uniform_(layer: nn.Linear, random: torch.Generator, kernel: int = 1) -> None:
    """Zero bias; weight uniform as for a one-channel convolution over `kernel` columns."""
    bound = math.sqrt(6.0 / (layer.in_features + kernel * layer.out_features))
    nn.init.uniform_(layer.weight, -bound, bound, generator=random)
    nn.init.zeros_(layer.bias)


class AxisExpansion(nn.Module):
    """One feature vector per atom to one per atom and axis.

    The paper's transposed convolution with kernel (1, 3), the only step that tells x, y and z
    apart: a weight matrix per axis and a common bias.
    """

    def __init__(self, n_in: int, n_out: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_in, 3 * n_out))
        self.bias = nn.Parameter(torch.empty(n_out))

    def initialise(self, random: torch.Generator) -> None:
        n_in, n_out = len(self.weight), len(self.bias)
        bound = math.sqrt(6.0 / (3 * n_in + 3 * n_out))
        nn.init.uniform_(self.weight, -bound, bound, generator=random)
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(..., n_in) to (..., 3, n_out)."""
        return (x @ self.weight).unflatten(-1, (3, -1)) + self.bias


class Generator(nn.Module):
    """Noise z, (B, latent), to fractional coordinates in (0, 1), (B, 1, n_atoms, 3).

    Only the first layer mixes atoms; the others act on every atom and axis alike.
    """

    compilable = True

    def __init__(
        self,
        n_atoms: int,
        latent: int,
        first: int,
        channels: Sequence[int],
        random: torch.Generator,
    ):
        super().__init__()
        self.n_atoms = n_atoms
        self.first = nn.Linear(latent, n_atoms * first)
        self.expand = AxisExpansion(first, channels[0])
        self.hidden = nn.ModuleList(
            nn.Linear(n_in, n_out) for n_in, n_out in zip(channels, channels[1:], strict=False)
        )
        self.norms = nn.ModuleList(
            nn.BatchNorm1d(width, eps=BATCH_NORM_EPS, momentum=BATCH_NORM_MOMENTUM)
            for width in channels
        )
        self.last = nn.Linear(channels[-1], 1)
        for layer in (self.first, *self.hidden, self.last):
            xavier_uniform_(layer, random)
        self.expand.initialise(random)

    def forward(self, z: Tensor) -> Tensor:
        x = functional.relu(self.first(z)).unflatten(-1, (self.n_atoms, -1))
        x = self.expand(x).flatten(0, 2)  # (B * n_atoms * 3, channels)
        x = functional.relu(self.norms[0](x))
        for layer, norm in zip(self.hidden, self.norms[1:], strict=True):
            x = functional.relu(norm(layer(x)))
        with torch.autocast(x.device.type, enabled=False):  # half precision is 0.05 Å too coarse
            x = torch.sigmoid(self.last(x.float()))
        return x.reshape(len(z), 1, self.n_atoms, 3)


def pool_species(x: Tensor, counts: Sequence[int], pooling: str) -> Tensor:
    """Pool the rows of each block of atoms: (B, n_atoms, C) to (B, n_species, C or 2 C)."""
    blocks = x.split(list(counts), dim=1)
    means = [block.mean(1) for block in blocks] if pooling in ("average", "mix") else []
    maxima = [block.amax(1) for block in blocks] if pooling in ("max", "mix") else []
    pooled = [torch.stack(kind, dim=1) for kind in (means, maxima) if kind]
    return torch.cat(pooled, dim=-1)


def plane_waves(x: Tensor, harmonics: int) -> Tensor:
    """Sines and cosines of 2 pi k x, k = 1..harmonics: (..., C) to (..., 2 harmonics C)."""
    phase = 2.0 * math.pi * x[..., None] * torch.arange(1, harmonics + 1, device=x.device)
    return torch.cat([phase.sin(), phase.cos()], dim=-1).flatten(-2)


class Critic(nn.Module):
    """A table of rows, (B, 1, n_atoms, n_columns), to `n_outputs` scores, (B, n_outputs).

    With harmonics > 0 the first three columns, fractional coordinates, enter as plane waves. That
    is not in the paper; a critic of raw coordinates takes far longer to see a lattice.
    """

    def __init__(
        self,
        counts: Sequence[int],
        n_columns: int,
        harmonics: int,
        channels: Sequence[int],
        hidden: Sequence[int],
        n_outputs: int,
        pooling: str,
        random: torch.Generator,
    ):
        super().__init__()
        self.counts, self.harmonics, self.pooling = tuple(counts), harmonics, pooling
        n_columns += 3 * (2 * harmonics - 1) if harmonics else 0
        self.rows = nn.ModuleList(
            nn.Linear(n_in, n_out)
            for n_in, n_out in zip((n_columns, *channels), channels, strict=False)
        )
        pooled = len(counts) * channels[-1] * (2 if pooling == "mix" else 1)
        widths = (pooled, *hidden, n_outputs)
        self.heads = nn.ModuleList(
            nn.Linear(n_in, n_out) for n_in, n_out in zip(widths, widths[1:], strict=False)
        )
        for i, layer in enumerate((*self.rows, *self.heads)):
            xavier_uniform_(layer, random, kernel=n_columns if i == 0 else 1)

    def forward(self, table: Tensor) -> Tensor:
        x = table.squeeze(1)
        if self.harmonics:
            x = torch.cat([plane_waves(x[..., :3], self.harmonics), x[..., 3:]], dim=-1)
        for layer in self.rows:
            x = leaky_relu(layer(x), LEAK)
        x = pool_species(x, self.counts, self.pooling)
        x = x.transpose(1, 2).flatten(1)  # channel-major, as in the paper
        for layer in self.heads[:-1]:
            x = leaky_relu(layer(x), LEAK)
        return self.heads[-1](x)


class Networks(nn.Module):
    """The generator and the critics of a dataset.

    graph: makes a critic of graph convolutions, which the hyperparameters may ask for.
    """

    def __init__(
        self,
        counts: Sequence[int],
        hparams: Hparams,
        random: torch.Generator,
        graph: Callable[[torch.Generator], nn.Module] | None = None,
    ):
        super().__init__()
        h = hparams
        self.generator = Generator(
            sum(counts), h.latent, h.generator_first, h.generator_channels, random
        )
        if h.critics == "graph":
            self.critics = nn.ModuleDict({"graph": graph(random)})
            return
        kinds = {"coordinates": (3, h.harmonics, h.coordinate_pooling)}
        if h.critics == "combined":
            kinds = {"combined": (3 + h.neighbours, h.harmonics, h.coordinate_pooling)}
        elif h.lambda_distance:
            kinds["distances"] = (h.neighbours, 0, h.distance_pooling)
        self.critics = nn.ModuleDict(
            {
                kind: Critic(
                    counts,
                    n_columns,
                    harmonics,
                    h.critic_channels,
                    h.critic_hidden,
                    h.critic_outputs,
                    pooling,
                    random,
                )
                for kind, (n_columns, harmonics, pooling) in kinds.items()
            }
        )
