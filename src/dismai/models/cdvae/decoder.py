"""Decoder of CDVAE: GemNet-dT with direct forces (GASTEIGER 2021, arXiv 2106.08903).

Triplets only, conditioned on z. The published network also computes an energy in every output
block and throws it away; those 467,456 parameters never get a gradient and are left out here.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from dismai.models.cdvae.bases import GaussianBasis, legendre_harmonics
from dismai.models.cdvae.graph import Graph
from dismai.models.cdvae.hparams import Hparams

N_SPHERICAL = 7
HALF = 1 / math.sqrt(2)
SILU_SCALE = 1 / 0.6

# Fixed factors that keep activations at unit scale, fitted for a GemNet of another width; one per
# block (the last entries serve any further blocks).
TRIPLET_HAD = (18.873615, 16.108175, 15.019300)
TRIPLET_SUM = (7.996850, 7.614634, 7.025180)
ATOM_SUM = (1.220464, 0.969099, 0.890324)
FORCE_HAD = (16.161039, 13.546787, 12.754337, 13.484952)


def fixed_factor(factors: tuple[float, ...], block: int) -> float:
    """Factor of a block."""
    return factors[min(block, len(factors) - 1)]


def he_orthogonal_(weight: Tensor, random: torch.Generator) -> None:
    """Orthogonal, each output standardised, divided by sqrt(fan_in) (GemNet).

    weight: (out, in), or (in, in, out).
    """
    nn.init.orthogonal_(weight, generator=random)
    axis = (0, 1) if weight.dim() == 3 else 1
    with torch.no_grad():
        variance, mean = torch.var_mean(weight, dim=axis, unbiased=True, keepdim=True)
        fan_in = weight.shape[:-1].numel() if weight.dim() == 3 else weight.shape[1]
        weight.sub_(mean).div_((variance + 1e-6).sqrt() * math.sqrt(fan_in))


def act(x: Tensor) -> Tensor:
    """SiLU(x) / 0.6."""
    return functional.silu(x).mul_(SILU_SCALE)


class Linear(nn.Module):
    """A matrix product without bias."""

    def __init__(self, n_in: int, n_out: int, random: torch.Generator):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_out, n_in))
        he_orthogonal_(self.weight, random)

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.weight)


class Residual(nn.Module):
    """(y + act(W act(W y))) / sqrt 2."""

    def __init__(self, width: int, random: torch.Generator):
        super().__init__()
        self.first = Linear(width, width, random)
        self.second = Linear(width, width, random)

    def forward(self, y: Tensor) -> Tensor:
        # Constant factors go into the small weight, not into passes over the large arrays.
        weight = self.second.weight * SILU_SCALE
        z = functional.silu(functional.linear(functional.silu(self.first(y)), weight))
        return torch.add(y, z, alpha=SILU_SCALE).mul_(HALF)


def residual_layers(n: int, width: int, random: torch.Generator) -> nn.Sequential:
    """Several residual layers."""
    return nn.Sequential(*(Residual(width, random) for _ in range(n)))


class EdgeEmbedding(nn.Module):
    """act(W [h_s, h_t, m]) of an edge from its two atoms and its own features."""

    def __init__(self, atom: int, edge: int, out: int, random: torch.Generator):
        super().__init__()
        self.joint = Linear(2 * atom + edge, out, random)
        self.widths = [atom, atom, edge]

    def forward(self, h: Tensor, m: Tensor, g: Graph) -> Tensor:
        source, target, own = self.joint.weight.split(self.widths, dim=1)
        # Products with atoms first: there are twenty times fewer of them than of edges.
        x = functional.linear(m, own)
        x = x + functional.linear(h, source)[g.source]
        return act(x + functional.linear(h, target)[g.target])


class Triplets(nn.Module):
    """Messages of the edges b->a that reach an edge c->a, and its reverse."""

    def __init__(self, h: Hparams, block: int, random: torch.Generator):
        super().__init__()
        self.had = fixed_factor(TRIPLET_HAD, block)
        self.sum = fixed_factor(TRIPLET_SUM, block)
        self.message = Linear(h.hidden, h.hidden, random)
        self.radial = Linear(h.basis, h.hidden, random)
        self.down = Linear(h.hidden, h.triplet, random)
        self.bilinear = nn.Parameter(torch.empty(h.triplet, h.basis, h.triplet))
        he_orthogonal_(self.bilinear, random)
        self.up = Linear(h.triplet, h.hidden, random)
        self.up_reverse = Linear(h.triplet, h.hidden, random)

    def forward(self, m: Tensor, rbf: Tensor, cbf: Tensor, angular: Tensor, g: Graph) -> Tensor:
        """rbf: (E, basis).  cbf: R, (E, basis, 7).  angular: Y, (n_atoms, n_slots * 7, n_slots)."""
        t = act(self.message(m)) * functional.linear(rbf, self.radial.weight * self.had)
        t = act(self.down(t))  # (E, triplet)
        s = (angular @ g.table(t)).unflatten(1, (g.n_slots, N_SPHERICAL))  # sum over b
        product = cbf @ g.edges(s)  # M = R S, (E, basis, triplet)
        bilinear = (self.bilinear * self.sum).transpose(0, 1).flatten(0, 1)
        t = product.flatten(1) @ bilinear  # sum over i, j of M_ij B_jik: (E, triplet)
        reverse = act(self.up_reverse(t)).index_select(0, g.reverse)
        return (act(self.up(t)) + reverse).mul_(HALF)


class AtomUpdate(nn.Module):
    """An update of the atoms from the edges that point to them."""

    def __init__(self, h: Hparams, block: int, random: torch.Generator):
        super().__init__()
        self.sum = fixed_factor(ATOM_SUM, block)
        self.radial = Linear(h.basis, h.hidden, random)
        self.first = Linear(h.hidden, h.hidden, random)
        self.layers = residual_layers(3, h.hidden, random)

    def forward(self, m: Tensor, rbf: Tensor, g: Graph) -> Tensor:
        x = g.sum_over_edges(m * self.radial(rbf)) * self.sum
        return self.layers(act(self.first(x)))


class Block(nn.Module):
    """One interaction block: edges by triplets, then atoms, then edges by their atoms."""

    def __init__(self, h: Hparams, block: int, random: torch.Generator):
        super().__init__()
        self.skip = Linear(h.hidden, h.hidden, random)
        self.triplets = Triplets(h, block, random)
        self.before = residual_layers(1, h.hidden, random)
        self.after = residual_layers(2, h.hidden, random)
        self.atoms = AtomUpdate(h, block, random)
        self.edges = EdgeEmbedding(h.hidden, h.hidden, h.hidden, random)
        self.concatenated = residual_layers(1, h.hidden, random)

    def forward(self, h: Tensor, m: Tensor, bases: "Bases", g: Graph) -> tuple[Tensor, Tensor]:
        """h: atoms, (n_atoms, hidden).  m: edges, (E, hidden)."""
        triplets = self.triplets(m, bases.triplet, bases.circular, bases.angular, g)
        x = self.before((act(self.skip(m)) + triplets).mul_(HALF))
        m = self.after((m + x).mul_(HALF))
        h = (h + self.atoms(m, bases.atom, g)) * HALF
        m = (m + self.concatenated(self.edges(h, m, g))).mul_(HALF)
        return h, m


class ForceOutput(nn.Module):
    """A force per edge, along it: w . (f(m) * W rbf)."""

    def __init__(self, h: Hparams, block: int, random: torch.Generator):
        super().__init__()
        self.had = fixed_factor(FORCE_HAD, block)
        self.radial = Linear(h.basis, h.hidden, random)
        self.first = Linear(h.hidden, h.hidden, random)
        self.layers = residual_layers(3, h.hidden, random)
        self.last = Linear(h.hidden, 1, random)

    def forward(self, m: Tensor, rbf: Tensor) -> Tensor:
        """(E, hidden) to (E,)."""
        weight = self.last.weight * self.had * self.radial.weight.T  # (basis, hidden)
        # w . (f * W rbf) = rbf . ((w * W)^T f): no product of the size of f is stored.
        return (functional.linear(self.layers(act(self.first(m))), weight) * rbf).sum(1)


class Bases:
    """Basis functions of a graph after the down projections that all blocks share.

    triplet, atom, output: radial, (E, basis).  circular: R, (E, basis, 7).
    angular: Y_l0 by slots of two edges at an atom, (n_atoms, n_slots * 7, n_slots).
    """

    def __init__(self, decoder: "Decoder", g: Graph):
        rbf = decoder.gaussians(g.distance)
        self.radial = rbf
        self.triplet = decoder.triplet_basis(rbf)
        self.atom = decoder.atom_basis(rbf)
        self.output = decoder.output_basis(rbf)
        down = decoder.circular_basis.permute(2, 0, 1).flatten(0, 1)  # (basis * 7, radial)
        self.circular = functional.linear(rbf, down).unflatten(1, (-1, N_SPHERICAL))
        harmonics = legendre_harmonics(g.cosines(), N_SPHERICAL)
        another = ~torch.eye(g.n_slots, dtype=torch.bool, device=rbf.device)
        self.angular = (harmonics * another[..., None]).mT.flatten(1, 2)


class Decoder(nn.Module):
    """Noisy atoms, their species and z to what denoises them."""

    def __init__(self, h: Hparams, max_number: int, random: torch.Generator):
        super().__init__()
        self.species = nn.Parameter(torch.empty(max_number, h.hidden))
        nn.init.uniform_(self.species, -math.sqrt(3), math.sqrt(3), generator=random)
        self.latent = nn.Linear(h.hidden + h.latent, h.hidden)
        default_(self.latent, random)
        self.gaussians = GaussianBasis(h.radial, h.cutoff_A)
        self.triplet_basis = Linear(h.radial, h.basis, random)
        self.atom_basis = Linear(h.radial, h.basis, random)
        self.output_basis = Linear(h.radial, h.basis, random)
        self.circular_basis = nn.Parameter(torch.empty(N_SPHERICAL, h.radial, h.basis))
        he_orthogonal_(self.circular_basis, random)
        self.edges = EdgeEmbedding(h.hidden, h.radial, h.hidden, random)
        self.blocks = nn.ModuleList(Block(h, block, random) for block in range(h.blocks))
        self.outputs = nn.ModuleList(ForceOutput(h, n, random) for n in range(h.blocks + 1))
        self.species_head = None
        if h.species_denoising:
            self.species_head = nn.Linear(h.hidden, max_number)
            default_(self.species_head, random)

    def forward(self, z: Tensor, numbers: Tensor, g: Graph) -> tuple[Tensor, Tensor | None]:
        """Sigma times the score of every atom, (n_atoms, 3), and logits of its species or None.

        z: latent vector of the structure of every atom, (n_atoms, latent).
        numbers: atomic numbers, (n_atoms,).
        """
        bases = Bases(self, g)
        h = self.latent(torch.cat([self.species[numbers - 1], z], dim=1))
        m = self.edges(h, bases.radial, g)
        force = self.outputs[0](m, bases.output)
        for block, output in zip(self.blocks, self.outputs[1:], strict=True):
            h, m = block(h, m, bases, g)
            force = force + output(m, bases.output)
        o = g.sum_over_edges(force[:, None] * g.unit)
        return o, None if self.species_head is None else self.species_head(h)


def default_(layer: nn.Linear, random: torch.Generator) -> None:
    """PyTorch's own initialisation of a linear layer, from a given generator."""
    bound = 1 / math.sqrt(layer.in_features)
    nn.init.uniform_(layer.weight, -bound, bound, generator=random)
    if layer.bias is not None:
        nn.init.uniform_(layer.bias, -bound, bound, generator=random)
