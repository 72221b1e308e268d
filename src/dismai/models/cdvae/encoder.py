"""Encoder of CDVAE: DimeNet++ on the graph of CrystalNN bonds (GASTEIGER 2020, arXiv 2011.14115).

A sum over the triplets k->j->i needs the basis functions of every triplet. They factorise into a
radial part of k->j and an angular part, and so does the sum: a matrix product per atom j.
"""

import math

import numpy as np
import torch
from ase import Atoms
from torch import Tensor, nn
from torch.nn import functional

from dismai.metrics.crystalnn import GEOMETRIC, neighbor_list
from dismai.models.cdvae.bases import BesselBasis, SineBasis, legendre_harmonics
from dismai.models.cdvae.graph import Graph, graph
from dismai.models.cdvae.hparams import Hparams

N_SPHERICAL = 7
N_RADIAL = 6
N_ELEMENTS = 95
"""Rows of the element table; row Z belongs to atomic number Z (DimeNet)."""


def bond_graph(atoms: Atoms) -> Graph:
    """CrystalNN bonds without chemistry and distance cut-offs, each in both directions."""
    first, second, shift, _ = neighbor_list(atoms, GEOMETRIC)
    one_way = np.column_stack([first, second, shift])  # target, source, image of the source
    other_way = np.column_stack([second, first, -shift])
    edges = np.unique(np.concatenate([one_way, other_way]), axis=0)  # sorted by target
    target, source, image = edges[:, 0], edges[:, 1], edges[:, 2:]
    mirrored = np.column_stack([source, target, -image])
    reverse = np.empty(len(edges), np.int64)
    reverse[np.lexsort(mirrored.T[::-1])] = np.arange(len(edges))
    vector = atoms.positions[target] - atoms.positions[source] - image @ atoms.cell.array
    return graph(
        *(torch.from_numpy(np.ascontiguousarray(x)) for x in (source, target, reverse)),
        torch.from_numpy(vector).float(),
        len(atoms),
    )


def join_graphs(graphs: list[Graph]) -> Graph:
    """One graph of several structures."""
    n_slots = max(g.n_slots for g in graphs)
    parts, atoms, edges = [], 0, 0
    for g in graphs:
        place = g.place + g.target * (n_slots - g.n_slots) + atoms * n_slots
        parts.append((g.source + atoms, g.target + atoms, g.reverse + edges, place))
        atoms, edges = atoms + g.n_atoms, edges + len(g.source)
    source, target, reverse, place = (torch.cat(column) for column in zip(*parts, strict=True))
    distance = torch.cat([g.distance for g in graphs])
    unit = torch.cat([g.unit for g in graphs])
    return Graph(source, target, reverse, distance, unit, place, atoms, n_slots)


class Residual(nn.Module):
    """y + SiLU(W SiLU(W y))."""

    def __init__(self, width: int):
        super().__init__()
        self.first = nn.Linear(width, width)
        self.second = nn.Linear(width, width)

    def forward(self, y: Tensor) -> Tensor:
        return y + functional.silu(self.second(functional.silu(self.first(y))))


class Interaction(nn.Module):
    """Messages along edges, updated from the edges that point to their source."""

    def __init__(self, h: Hparams):
        super().__init__()
        width, triplet, basis = h.encoder_hidden, h.encoder_triplet, h.encoder_basis
        self.radial = nn.Sequential(
            nn.Linear(N_RADIAL, basis, bias=False), nn.Linear(basis, width, bias=False)
        )
        self.spherical = nn.ModuleList(
            [
                nn.Linear(N_SPHERICAL * N_RADIAL, basis, bias=False),
                nn.Linear(basis, triplet, bias=False),
            ]
        )
        self.same = nn.Linear(width, width)
        self.neighbour = nn.Linear(width, width)
        self.down = nn.Linear(width, triplet, bias=False)
        self.up = nn.Linear(triplet, width, bias=False)
        self.before = Residual(width)
        self.skip = nn.Linear(width, width)
        self.after = nn.Sequential(Residual(width), Residual(width))

    def forward(self, x: Tensor, rbf: Tensor, bessel: Tensor, angular: Tensor, g: Graph) -> Tensor:
        """x: edges, (E, hidden).  bessel: (E, 7, 6).  angular: (n_atoms, n_slots, n_slots * 7)."""
        same = functional.silu(self.same(x))
        neighbour = functional.silu(self.neighbour(x)) * self.radial(rbf)
        neighbour = functional.silu(self.down(neighbour))  # (E, triplet)
        squeeze, stretch = self.spherical
        per_order = squeeze.weight.unflatten(1, (N_SPHERICAL, N_RADIAL))  # (basis, l, n)
        radial = torch.einsum("eln,bln->elb", bessel, per_order)
        weighted = stretch(radial) * neighbour[:, None]  # (E, l, triplet)
        # Sum over k and l, (n_atoms, n_slots, triplet).
        summed = angular @ g.table(weighted).flatten(1, 2)
        neighbour = functional.silu(self.up(g.edges(summed)[g.reverse]))
        out = functional.silu(self.skip(self.before(same + neighbour))) + x
        return self.after(out)


class Output(nn.Module):
    """Messages summed into their targets, then an MLP per atom."""

    def __init__(self, h: Hparams):
        super().__init__()
        width, out = h.encoder_hidden, h.encoder_output
        self.radial = nn.Linear(N_RADIAL, width, bias=False)
        self.up = nn.Linear(width, out)
        self.layers = nn.ModuleList(nn.Linear(out, out) for _ in range(3))
        self.last = nn.Linear(out, out, bias=False)

    def forward(self, x: Tensor, rbf: Tensor, g: Graph) -> Tensor:
        y = self.up(g.sum_over_edges(self.radial(rbf) * x))
        for layer in self.layers:
            y = functional.silu(layer(y))
        return self.last(y)  # (n_atoms, out)


class Encoder(nn.Module):
    """A structure as one vector, (B, encoder_output): the mean over its atoms."""

    def __init__(self, h: Hparams, random: torch.Generator):
        super().__init__()
        width = h.encoder_hidden
        self.sine = SineBasis(N_RADIAL, h.cutoff_A)
        self.bessel = BesselBasis(N_SPHERICAL, N_RADIAL, h.cutoff_A)
        self.elements = nn.Parameter(torch.empty(N_ELEMENTS, width))
        self.edge_radial = nn.Linear(N_RADIAL, width)
        self.edge = nn.Linear(3 * width, width)
        self.interactions = nn.ModuleList(Interaction(h) for _ in range(h.encoder_blocks))
        self.outputs = nn.ModuleList(Output(h) for _ in range(h.encoder_blocks + 1))
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                glorot_orthogonal_(layer, random)
        nn.init.uniform_(self.elements, -math.sqrt(3), math.sqrt(3), generator=random)
        for block in self.outputs:
            nn.init.zeros_(block.last.weight)

    def forward(self, numbers: Tensor, g: Graph, n_structures: int) -> Tensor:
        """numbers: atomic numbers, (n_atoms,); structures of equal size follow each other."""
        rbf = self.sine(g.distance)
        bessel = self.bessel(g.distance)
        angular = self._angular(g)
        atoms = self.elements[numbers]
        radial = functional.silu(self.edge_radial(rbf))
        edges = torch.cat([atoms[g.target], atoms[g.source], radial], dim=1)
        x = functional.silu(self.edge(edges))
        y = self.outputs[0](x, rbf, g)
        for interaction, output in zip(self.interactions, self.outputs[1:], strict=True):
            x = interaction(x, rbf, bessel, angular, g)
            y = y + output(x, rbf, g)
        return y.unflatten(0, (n_structures, -1)).mean(1)

    @staticmethod
    def _angular(g: Graph) -> Tensor:
        """Y_l0 of triplets k->j->i by slots of (i, k) around j, (n_atoms, n_slots, n_slots * 7).

        The angle lies between i->j and j->k. Zero for k = i, in whatever image.
        """
        harmonics = legendre_harmonics(-g.cosines(), N_SPHERICAL)
        ends = g.table(g.source + 1)  # 0: an empty place
        differ = ends[:, :, None] != ends[:, None]
        return (harmonics * differ[..., None]).flatten(2)


def glorot_orthogonal_(layer: nn.Linear, random: torch.Generator, scale: float = 2.0) -> None:
    """Orthogonal weight of variance scale / (fan_in + fan_out); zero bias (DimeNet)."""
    nn.init.orthogonal_(layer.weight, generator=random)
    with torch.no_grad():
        fans = layer.in_features + layer.out_features
        layer.weight *= math.sqrt(scale / (fans * layer.weight.var().item()))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
