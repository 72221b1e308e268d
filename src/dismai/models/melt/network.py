"""The two networks of Melt: the mover moves atoms to their places, the namer names the places.

Both know an atom's surroundings by moments of fixed functions of the vectors to its neighbours:
no edge carries parameters or features, so time and memory grow with the number of atoms.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from dismai.models.melt.facts import Facts
from dismai.models.melt.graph import exactly, neighbours
from dismai.models.melt.hparams import Hparams

RADIAL, VECTOR, SECOND, THIRD = 10, 10, 5, 3
"""Radial functions that go with harmonics of order 0, 1, 2, 3."""
MIXED = 16
"""Vectors and tensors of an atom whose lengths are features."""
FREQUENCIES = 16


class EdgeBasis(nn.Module):
    """Fixed functions of the vector r to a neighbour.

        cos q r, sin q r          waves q: with weights 1 their moments are the structure factor
                                  that an atom sees
        g_n(r) Y_lm(r / |r|)      Gaussians g_n; Y of order l = 0 to 3

    Waves know the directions of a lattice, whose shells have no moments of low order; harmonics
    know the shape of a surrounding that may be turned any way.
    """

    def __init__(self, waves: Tensor, cutoff: float):
        super().__init__()
        self.register_buffer("waves", waves.clone())  # no two tensors of a file share memory
        self.cutoff = cutoff
        self.blocks = (len(waves), len(waves), RADIAL, 3 * VECTOR, 5 * SECOND, 7 * THIRD)
        self.size = sum(self.blocks)

    @torch.no_grad()
    def forward(self, vectors: Tensor, distances: Tensor) -> Tensor:
        """Vectors, Å, (..., 3), and their lengths, (...), to (..., size)."""
        basis = vectors.new_empty(*distances.shape, self.size)
        cosines, sines, scalar, *turning = basis.split(self.blocks, dim=-1)
        phase = vectors @ self.waves.T
        torch.cos(phase, out=cosines)
        torch.sin(phase, out=sines)
        radial = gaussians(distances, self.cutoff, RADIAL)
        scalar.copy_(radial)
        for block, part in zip(turning, harmonics(vectors / distances[..., None]), strict=True):
            order = part.shape[-1]
            step = RADIAL * order // block.shape[-1]
            some = radial[..., step // 2 :: step, None]
            torch.mul(some, part[..., None, :], out=block.unflatten(-1, (-1, order)))
        return basis


def gaussians(distances: Tensor, cutoff: float, n: int) -> Tensor:
    """Gaussians, n of them, evenly spaced over the cutoff, (..., n)."""
    spacing = cutoff / n
    centres = (torch.arange(n, device=distances.device) + 0.5) * spacing
    return torch.exp(-(((distances[..., None] - centres) / spacing).square()))


def window(distances: Tensor, cutoff: float) -> Tensor:
    """(1 - r^2 / cutoff^2)^2, zero beyond, (..., 1)."""
    x = (distances / cutoff).clamp(max=1.0)
    return (1 - x * x).square()[..., None]


def harmonics(u: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Real harmonics of order 1, 2, 3 of unit vectors, (..., 2 l + 1), sum of squares 1."""
    x, y, z = u.unbind(-1)
    a, b, c = (5 / 8) ** 0.5, 15**0.5, (3 / 8) ** 0.5
    root3 = 3**0.5
    two = (
        root3 * x * y,
        root3 * y * z,
        (3 * z * z - 1) / 2,
        root3 * x * z,
        root3 / 2 * (x * x - y * y),
    )
    three = (
        a * y * (3 * x * x - y * y),
        b * x * y * z,
        c * y * (5 * z * z - 1),
        z * (5 * z * z - 3) / 2,
        c * x * (5 * z * z - 1),
        b / 2 * z * (x * x - y * y),
        a * x * (x * x - 3 * y * y),
    )
    return u, torch.stack(two, -1), torch.stack(three, -1)


@dataclass(frozen=True)
class Edges:
    """Neighbours of all atoms of all structures, M in a row.

    index: of the neighbours, (M, K).  weight: of each of them, (M, K, 1).  basis: (M, b, K).
    """

    index: Tensor
    weight: Tensor
    basis: Tensor

    def told(self, features: Tensor) -> Tensor:
        """What the neighbours of every atom tell, (M, c), weighted: (M, K, c)."""
        return features[self.index] * self.weight


class MoverLayer(nn.Module):
    """Features of an atom from moments of its surroundings.

    A_i[b, c] = sum_j B_b(r_ij) (W LN h_j)_c / sqrt(n)
    y = W A_i + W |mixed vectors and tensors of A_i|^2 + W LN h_i
    h_i += W silu(W silu(y (1 + g(t)) + s(t)))
    """

    def __init__(self, hidden: int, channels: int, blocks: tuple[int, ...], time: int):
        super().__init__()
        self.blocks = blocks
        self.norm = nn.LayerNorm(hidden)
        self.tell = nn.Linear(hidden, channels)
        self.mixes = nn.ModuleList(
            nn.Linear(n // order * channels, MIXED, bias=False)
            for n, order in zip(blocks[3:], (3, 5, 7), strict=True)
        )
        self.from_moments = nn.Linear(sum(blocks) * channels, hidden)
        self.from_lengths = nn.Linear(3 * MIXED, hidden, bias=False)
        self.from_own = nn.Linear(hidden, hidden, bias=False)
        self.from_time = nn.Linear(time, 2 * hidden)
        self.inner = nn.Linear(hidden, 2 * hidden)
        self.out = nn.Linear(2 * hidden, hidden)

    def forward(self, h: Tensor, edges: Edges, time: Tensor) -> Tensor:
        """Features of all atoms, (M, hidden)."""
        u = self.norm(h)
        moments = torch.bmm(edges.basis, edges.told(self.tell(u)))  # (M, b, channels)
        turning = moments.split(self.blocks, 1)[3:]
        lengths = [
            mix(part.unflatten(1, (-1, order)).transpose(2, 3).flatten(1, 2).mT).square().sum(1)
            for mix, part, order in zip(self.mixes, turning, (3, 5, 7), strict=True)
        ]
        y = self.from_moments(moments.flatten(1)) + self.from_own(u)
        y = y + self.from_lengths(torch.cat(lengths, dim=1))
        scale, shift = self.from_time(time).chunk(2, dim=-1)
        return h + self.out(silu(self.inner(silu(y * (1 + scale) + shift))))


class Mover(nn.Module):
    """Noisy places to scaled scores: sigma grad log p, without unit.

    eps_i = W LN h_i + sum_j u_ij sum_nc g_n(r_ij) (W LN h_i)_nc (W LN h_j)_c, u_ij = r_ij / |r_ij|:
    whatever moments tell, and forces between pairs.
    """

    def __init__(self, n_species: int, facts: Facts, h: Hparams):
        super().__init__()
        self.cutoff, self.most = facts.cutoff, h.most_neighbours
        self.unit, self.scale = facts.nearest, h.neighbours**-0.5
        self.unknown = n_species
        self.basis = EdgeBasis(facts.waves, facts.cutoff)
        self.embedding = nn.Embedding(n_species + 1, h.hidden)
        self.field = SharedField(facts.shared, h.hidden)
        self.time = nn.Sequential(
            nn.Linear(2 * FREQUENCIES, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU()
        )
        self.layers = nn.ModuleList(
            MoverLayer(h.hidden, h.channels, self.basis.blocks, 64) for _ in range(h.layers)
        )
        self.norm = nn.LayerNorm(h.hidden)
        self.eps = nn.Linear(h.hidden, 3)
        self.tell = nn.Linear(h.hidden, 2 * h.channels)
        self.strength = nn.Linear(h.hidden, VECTOR * 2 * h.channels)

    def forward(self, x: Tensor, cell: Tensor, species: Tensor, sigma: Tensor) -> Tensor:
        """One evaluation.

        Args:
            x: positions, Å, (B, N, 3)
            cell: vectors as rows, Å, (3, 3)
            species: indices, (B, N); `unknown` for an atom without a name
            sigma: noise, Å, (B,)

        Returns:
            (B, N, 3)
        """
        n_batch, n_atoms, _ = x.shape
        with torch.no_grad(), exactly(x.device):
            index, vectors, distances = neighbours(x, cell, self.cutoff, self.most)
            weight = self.scale * window(distances, self.cutoff)
            basis = self.basis(vectors, distances).flatten(0, 1).mT
            edges = Edges(rows(index), weight.flatten(0, 1), basis)
            phase = log_waves(sigma / self.unit)
        time = self.time(phase).repeat_interleave(n_atoms, dim=0)
        h = (self.embedding(species) + self.field(x)).flatten(0, 1)
        for layer in self.layers:
            h = layer(h, edges, time)
        u = self.norm(h)
        pairs = torch.bmm(basis.split(self.basis.blocks, 1)[3], edges.told(self.tell(u)))
        pairs = pairs.unflatten(1, (VECTOR, 3)).transpose(2, 3).flatten(1, 2)  # (M, n c, 3)
        forces = torch.bmm(self.strength(u)[:, None], pairs)[:, 0]
        eps = (self.eps(u) + forces).float().unflatten(0, (n_batch, n_atoms))
        return eps if self.field.n_waves else eps - eps.mean(1, keepdim=True)


class SharedField(nn.Module):
    """Where an atom is in the cell, told by the waves of the density that all structures share."""

    def __init__(self, waves: Tensor, hidden: int):
        super().__init__()
        self.register_buffer("waves", waves.clone())  # no two tensors of a file share memory
        self.n_waves = len(waves)
        self.linear = nn.Linear(2 * self.n_waves, hidden, bias=False) if self.n_waves else None

    def forward(self, x: Tensor) -> Tensor | float:
        """Positions, Å, (B, N, 3), to (B, N, hidden); 0 where nothing is shared."""
        if self.linear is None:
            return 0.0
        with exactly(x.device):
            phase = x @ self.waves.T
            waves = torch.cat([phase.cos(), phase.sin()], dim=-1)
        return self.linear(waves)


class Namer(nn.Module):
    """Places, of which some have names, to preferences for the names of the others.

    Knows distances only, so nothing changes when a structure is turned.
    """

    def __init__(self, n_species: int, facts: Facts, h: Hparams):
        super().__init__()
        self.cutoff, self.n_species = facts.namer_cutoff, n_species
        self.scale = 2 * h.namer_neighbours**-0.5
        self.radial = 12
        hidden, told = h.namer_hidden, h.namer_channels
        self.embedding = nn.Embedding(n_species + 1, hidden)
        self.pool = nn.Linear(n_species + 1, hidden)
        self.field = SharedField(facts.shared, hidden)
        self.norms = nn.ModuleList(nn.LayerNorm(hidden) for _ in range(h.namer_layers))
        self.tell = nn.ModuleList(nn.Linear(hidden, told) for _ in range(h.namer_layers))
        self.mix = nn.ModuleList(
            nn.Linear(self.radial * told + hidden, hidden) for _ in range(h.namer_layers)
        )
        self.out = nn.ModuleList(nn.Linear(hidden, hidden) for _ in range(h.namer_layers))
        self.head = nn.Linear(hidden, n_species)

    @torch.no_grad()
    def edges(self, index: Tensor, distances: Tensor) -> Edges:
        """Of neighbours, (B, N, K), and the distances to them, Å."""
        radial = gaussians(distances, self.cutoff, self.radial)
        weight = self.scale * window(distances, self.cutoff)
        return Edges(rows(index), weight.flatten(0, 1), radial.flatten(0, 1).mT)

    def forward(self, x: Tensor, edges: Edges, names: Tensor, left: Tensor) -> Tensor:
        """Logits of the species of every atom, without those of the pool, (B, N, n_species).

        Args:
            x: positions, Å, (B, N, 3)
            edges: of all structures
            names: indices of species, (B, N); n_species for an atom without a name
            left: atoms of every species that are still to be named, (B, n_species)
        """
        n_batch, n_atoms = names.shape
        n_left = left.sum(1, keepdim=True)
        pool = torch.cat([left / n_left.clamp(min=1), n_left / n_atoms], dim=1)
        h = self.embedding(names) + self.pool(pool)[:, None] + self.field(x)
        h = h.flatten(0, 1)
        for norm, tell, mix, out in zip(self.norms, self.tell, self.mix, self.out, strict=True):
            u = norm(h)
            moments = torch.bmm(edges.basis, edges.told(tell(u))).flatten(1)
            h = h + out(silu(mix(torch.cat([moments, u], dim=1))))
        return self.head(h).float().unflatten(0, (n_batch, n_atoms))


def rows(index: Tensor) -> Tensor:
    """Indices of atoms in a structure, (B, N, K), as those in the row of all atoms, (B N, K)."""
    n_batch, n_atoms, _ = index.shape
    start = torch.arange(n_batch, device=index.device) * n_atoms
    return (index + start[:, None, None]).flatten(0, 1)


def log_waves(sigma: Tensor) -> Tensor:
    """Sines and cosines of the logarithm of noise, from slow to fast: (B,) to (B, 32)."""
    k = torch.arange(FREQUENCIES, device=sigma.device)
    phase = sigma.log()[:, None] * torch.exp2(0.25 * k - 1)
    return torch.cat([phase.sin(), phase.cos()], dim=-1)


class Networks(nn.Module):
    """What a trained Melt consists of: both networks and the facts of the training set.

    Weights follow from the seed; outputs begin at zero. Where all atoms are of one species there
    is nothing to name.
    """

    def __init__(self, n_species: int, facts: Facts, h: Hparams, random: torch.Generator):
        super().__init__()
        lengths = (facts.nearest, facts.closest, facts.cutoff, facts.namer_cutoff, facts.sigma_max)
        self.register_buffer("lengths", torch.tensor(lengths, dtype=torch.float64))
        self.mover = Mover(n_species, facts, h)
        self.namer = Namer(n_species, facts, h) if n_species > 1 else None
        for module in self.modules():
            if isinstance(module, nn.Linear):
                bound = module.in_features**-0.5
                for parameter in module.parameters():
                    nn.init.uniform_(parameter, -bound, bound, generator=random)
            elif isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, generator=random)
        zero = [self.mover.eps, self.mover.strength, *(layer.out for layer in self.mover.layers)]
        if self.namer is not None:
            zero.append(self.namer.head)
        for module in zero:
            for parameter in module.parameters():
                nn.init.zeros_(parameter)

    def shared_waves(self) -> int:
        """Number of waves that all structures share; with none, structures float in their cell."""
        return self.mover.field.n_waves


def stored_facts(tensors: dict[str, Tensor]) -> Facts:
    """The facts in the tensors of a model file; without operations, which only a training needs."""
    shared = tensors["mover.field.waves"]
    lengths = tensors["lengths"].tolist()
    return Facts(*lengths, tensors["mover.basis.waves"], shared, torch.eye(3)[None])


def no_facts(n_waves: int) -> Facts:
    """Of no training set: for the number of parameters."""
    lengths = (math.nan,) * 5
    return Facts(*lengths, torch.zeros(n_waves, 3), torch.zeros(0, 3), torch.eye(3)[None])
