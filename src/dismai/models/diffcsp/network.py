"""CSPNet: messages between all pairs of atoms, which know positions only by plane waves.

Output does not change when all atoms are shifted or wrapped, follows a relabelling of atoms and
does not depend on how the cell is oriented (DiffCSP, NeurIPS 2023).
"""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import silu
from torch.utils.checkpoint import checkpoint

from dismai.models.diffcsp.hparams import Hparams
from dismai.models.diffcsp.noise import NoiseSchedule

TILE_PAIRS = {"cpu": 16_384, "cuda": 131_072}
"""Pairs of atoms, over the whole batch, whose messages exist at one time: what fits the cache of a
CPU; on a GPU few large products (1.3 GB at 512 features), for a launch costs more than a tile."""
SMALLEST_TILES = 4
"""At least so many tiles per edge: tiles on the diagonal compute every pair twice."""
SAVED_BYTES = 1 << 30
"""A backward pass that would need more memory than this computes its messages again; on a GPU, more
than a quarter of its memory."""


class Layer(nn.Module):
    """One message-passing layer with a residual update.

        m_ij = SiLU(W SiLU(W [u_i, u_j, L L^T, psi(f_j - f_i)])),   u = LayerNorm(h)
        h_i <- h_i + SiLU(W SiLU(W [u_i, mean_j m_ij])),   j over all atoms, i too

    The first map is taken apart: u_i, u_j and L L^T enter per atom, the constant waves as a bias,
    and waves of (i, j) and (j, i) differ in the sign of their sines only. No row of 1289 numbers
    a pair is ever built; the result is the same.
    """

    def __init__(self, hidden: int, frequencies: int):
        super().__init__()
        self.norm = nn.LayerNorm(hidden)
        self.edge_in = nn.Linear(2 * hidden + 9 + 6 * frequencies, hidden)
        self.edge_out = nn.Linear(hidden, hidden)
        self.node_in = nn.Linear(2 * hidden, hidden)
        self.node_out = nn.Linear(hidden, hidden)
        self.blocks = (hidden, hidden, 9, 3 * frequencies, 3 * frequencies)
        self.axes = (3, frequencies)

    def forward(self, h: Tensor, metric: Tensor, waves: Tensor, tile: int, again: bool) -> Tensor:
        """Features after the layer.

        Args:
            h: features, (B, n_atoms, hidden)
            metric: L L^T, (B, 9)
            waves: sines and cosines of 2 pi k f, k = 1.., (B, n_atoms, 2, 3 (frequencies - 1))
            tile: atoms per tile
            again: compute messages again in the backward pass instead of saving them
        """
        w_to, w_from, w_metric, w_sin, w_cos = self.edge_in.weight.split(self.blocks, dim=1)
        w_sin = w_sin.unflatten(1, self.axes)[:, :, 1:].flatten(1)  # k = 0: sin is 0, cos is 1
        constant = self.edge_in.bias + w_cos.unflatten(1, self.axes)[:, :, 0].sum(1)
        w_cos = w_cos.unflatten(1, self.axes)[:, :, 1:].flatten(1)
        u = self.norm(h)
        to = u @ w_to.T + (metric @ w_metric.T + constant)[:, None]  # (B, n_atoms, hidden)
        parts = list(zip(*(x.split(tile, 1) for x in (to, u @ w_from.T, waves)), strict=True))
        sums: list[Tensor | float] = [0.0] * len(parts)
        pairs = [(one, other) for one in range(len(parts)) for other in range(one, len(parts))]
        for i, j in pairs:
            arguments = (*parts[i], *(parts[j] if j > i else (None,) * 3), w_sin, w_cos)
            if again:
                to_i, to_j = checkpoint(
                    self.tile, *arguments, use_reentrant=False, preserve_rng_state=False
                )
            else:
                to_i, to_j = self.tile(*arguments)
            sums[i] = sums[i] + to_i
            if to_j is not None:
                sums[j] = sums[j] + to_j
        mean = torch.cat(sums, dim=1) / h.shape[1]
        return h + silu(self.node_out(silu(self.node_in(torch.cat([u, mean], dim=-1)))))

    def tile(
        self,
        *atoms_and_weights: Tensor | None,
    ) -> tuple[Tensor, Tensor | None]:
        """Sums of messages between two groups of atoms, to both; or within one, to itself."""
        to_i, from_i, waves_i, to_j, from_j, waves_j, w_sin, w_cos = atoms_and_weights
        alone = to_j is None
        sin_i, cos_i = waves_i[:, :, None].unbind(3)
        sin_j, cos_j = (waves_i if alone else waves_j)[:, None].unbind(3)
        odd = (sin_j * cos_i - cos_j * sin_i) @ w_sin.T  # of sin 2 pi k (f_j - f_i)
        even = (cos_j * cos_i + sin_j * sin_i) @ w_cos.T  # (B, n_i, n_j, hidden)
        source = from_i if alone else from_j
        sum_i = self.message(to_i[:, :, None] + source[:, None] + even + odd).sum(2)
        if alone:
            return sum_i, None
        return sum_i, self.message(to_j[:, None] + from_i[:, :, None] + even - odd).sum(1)

    def message(self, x: Tensor) -> Tensor:
        return silu(self.edge_out(silu(x)))


class CSPNet(nn.Module):
    """Noisy fractional coordinates to scaled scores of coordinates and noise of the lattice."""

    compilable = True

    def __init__(self, numbers: list[int], hparams: Hparams, random: torch.Generator):
        """Atomic numbers of all atoms, (n_atoms,), are the same in every structure."""
        super().__init__()
        h = self.h = hparams
        self.embedding = nn.Embedding(max(numbers), h.hidden)
        self.node = nn.Linear(h.hidden + h.time_features, h.hidden)
        self.layers = nn.ModuleList(Layer(h.hidden, h.frequencies) for _ in range(h.layers))
        self.norm = nn.LayerNorm(h.hidden)
        self.coordinates = nn.Linear(h.hidden, 3, bias=False)
        self.lattice = nn.Linear(h.hidden, 9, bias=False)
        self.register_buffer("numbers", torch.tensor(numbers), persistent=False)
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                bound = layer.in_features**-0.5
                for parameter in layer.parameters():
                    nn.init.uniform_(parameter, -bound, bound, generator=random)
        nn.init.normal_(self.embedding.weight, generator=random)

    def forward(self, f: Tensor, t: Tensor, lattice: Tensor) -> tuple[Tensor, Tensor]:
        """One evaluation.

        Args:
            f: fractional coordinates, (B, n_atoms, 3)
            t: noise levels 1..timesteps, (B,)
            lattice: vectors as rows in the unit of the hyperparameters, (B, 3, 3)

        Returns:
            g / sqrt(n_t) of every atom, (B, n_atoms, 3); noise of the lattice, (B, 3, 3)
        """
        n_batch, n_atoms, _ = f.shape
        species = self.embedding(self.numbers - 1).expand(n_batch, -1, -1)
        time = time_embedding(t, self.h.time_features)[:, None].expand(-1, n_atoms, -1)
        h = self.node(torch.cat([species, time], dim=-1))
        metric = (lattice @ lattice.mT).flatten(1)
        waves = plane_waves(f, self.h.frequencies)
        tile = tile_size(n_batch, n_atoms, f.device.type)
        per_pair = 6 * self.h.frequencies + 8 * self.h.hidden
        saved = 4 * n_batch * n_atoms**2 * per_pair * len(self.layers)
        again = torch.is_grad_enabled() and saved > room_for_messages(f.device)
        for layer in self.layers:
            h = layer(h, metric, waves, tile, again)
        h = self.norm(h)
        with torch.autocast(
            f.device.type, enabled=False
        ):  # half precision moves atoms too coarsely
            h = h.float() if h.dtype in (torch.bfloat16, torch.float16) else h
            return self.coordinates(h), self.lattice(h.mean(1)).unflatten(1, (3, 3)) @ lattice


class Diffusion(nn.Module):
    """What a trained DiffCSP consists of: the network and its noise."""

    def __init__(self, numbers: list[int], hparams: Hparams, random: torch.Generator):
        super().__init__()
        self.network = CSPNet(numbers, hparams, random)
        self.schedule = NoiseSchedule(hparams, random)


def tile_size(n_batch: int, n_atoms: int, device: str = "cpu") -> int:
    """Atoms per tile: what memory allows, at most a quarter of the structure."""
    pairs = TILE_PAIRS.get(device, TILE_PAIRS["cpu"])
    return max(1, min(math.isqrt(pairs // n_batch), math.ceil(n_atoms / SMALLEST_TILES)))


def room_for_messages(device: torch.device) -> int:
    """Bytes that the messages of a backward pass may take."""
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory // 4
    return SAVED_BYTES


def time_embedding(t: Tensor, n_features: int) -> Tensor:
    """Sines, then cosines of t at frequencies from 1 to 1e-4: (B,) to (B, n_features)."""
    half = n_features // 2
    k = torch.arange(half, device=t.device)
    phase = t[:, None] * torch.exp(-math.log(10_000) / max(1, half - 1) * k)
    return torch.cat([phase.sin(), phase.cos()], dim=-1)


def plane_waves(f: Tensor, frequencies: int) -> Tensor:
    """Sines and cosines of 2 pi k f, k = 1..frequencies - 1: (B, N, 3) to (B, N, 2, 3 (freq. - 1)).

    In double precision where there is one: k multiplies the error of the phase.
    """
    wide = f if f.device.type == "mps" else f.double()
    k = torch.arange(1, frequencies, device=f.device)
    phase = 2 * math.pi * torch.remainder(wide[..., None] * k, 1.0).flatten(2)
    return torch.stack([phase.sin(), phase.cos()], dim=2).to(f.dtype)
