"""Sampling of Melt: places by annealing, repair of doubled places, names, settling."""

import torch
from torch import Tensor

from dismai.models.batches import Streams
from dismai.models.melt.graph import neighbours
from dismai.models.melt.hparams import Hparams
from dismai.models.melt.naming import name_places
from dismai.models.melt.network import Mover, Networks

BEFORE_NAMES = 0.04
"""Noise, in units of d, at which places are good enough for names."""
MELT_AGAIN = 0.32
"""Noise, in units of d, to which a repaired structure goes back."""
SETTLE_FROM = 0.12
"""Noise, in units of d, at which named atoms settle."""
TOO_CLOSE = 0.5
"""Atoms nearer than this share of the smallest distance in the training set are on one place."""
TRIALS = 200
"""Random points, of which the emptiest takes an atom that has no place of its own."""

Level = tuple[float, int]
"""Noise, Å, and the number of corrector steps at it."""


def geometric(high: float, low: float, n: int) -> list[float]:
    """Levels, n of them, from high down to, and without, low."""
    return [high * (low / high) ** (i / n) for i in range(n)]


def place_levels(h: Hparams, unit: float, sigma_max: float, last: float) -> list[Level]:
    """Levels from uniform atoms to places: two thirds of them where order forms.

    `last` is the lowest one, Å.
    """
    top, bottom = h.sigma_order[1] * unit, SETTLE_FROM * unit
    slow = max(1, 2 * h.levels // 3)
    quick = max(1, h.levels // 6)
    return [
        *((sigma, 1) for sigma in geometric(max(sigma_max, top), top, quick) if sigma > top),
        *((sigma, h.correctors) for sigma in geometric(top, bottom, slow)),
        *((sigma, 1) for sigma in geometric(bottom, last, quick)),
        (last, 0),
    ]


def anneal(
    mover: Mover,
    x: Tensor,
    cell: Tensor,
    species: Tensor,
    levels: list[Level],
    streams: Streams,
    corrector: float,
) -> Tensor:
    """Predictor-corrector sampling down the levels; the last step goes to the posterior mean.

        corrector   x <- x + c sigma^2 s + sqrt(2 c) sigma xi
        predictor   v = sigma^2 - sigma'^2,  x <- x + v s + sigma' sqrt(v) / sigma xi

    with the score s = eps / sigma, the next level sigma' (0 after the last one), xi normal (Song
    et al. 2021, Algorithm 2, variance exploding).

    Args:
        mover: or what stands for it
        x: positions at the noise of the first level, Å, (B, N, 3)
        cell: vectors as rows, Å, (3, 3)
        species: of every atom, or `unknown`, (B, N)
        levels: from high to low
        streams: one a structure
        corrector: c

    Returns:
        positions in the cell, Å, (B, N, 3)
    """
    shape = x.shape[1:]
    for (sigma, n_correctors), (lower, _) in zip(levels, [*levels[1:], (0.0, 0)], strict=True):
        noise = x.new_full((len(x),), sigma)
        for _ in range(n_correctors):
            step = corrector * sigma * mover(x, cell, species, noise)
            x = x + step + (2 * corrector) ** 0.5 * sigma * streams.normal(*shape)
        variance = sigma**2 - lower**2
        x = x + variance / sigma * mover(x, cell, species, noise)
        if lower:
            x = x + lower * variance**0.5 / sigma * streams.normal(*shape)
        x = wrap(x, cell)
    return x


@torch.no_grad()
def draw(
    networks: Networks,
    h: Hparams,
    training_cell: Tensor,
    repeat: tuple[int, int, int],
    counts: Tensor,
    streams: Streams,
) -> tuple[Tensor, Tensor]:
    """Structures from nothing.

    Every copy of the training cell starts with its own share of uniform atoms: a large cell then
    has no long waves of density that training cells lack.

    Args:
        networks: trained
        h: hyperparameters
        training_cell: vectors as rows, Å, (3, 3)
        repeat: training cells along its vectors
        counts: atoms of every species in a training cell, (n_species,)
        streams: one a structure

    Returns:
        positions in the whole cell, Å, (B, N, 3); species of the atoms, (B, N)
    """
    mover, namer = networks.mover, networks.namer
    unit, closest, sigma_max = (float(networks.lengths[i]) for i in (0, 1, 4))
    axes = (torch.arange(m, dtype=torch.float32) for m in repeat)
    corners = torch.cartesian_prod(*axes).to(training_cell) @ training_cell
    cell = training_cell * torch.tensor(repeat, device=corners.device)[:, None]
    x = streams.uniform(len(corners), int(counts.sum()), 3) @ training_cell
    x = (x + corners[:, None]).flatten(1, 2)
    n_atoms, counts = x.shape[1], counts * len(corners)
    unknown = torch.full(x.shape[:2], mover.unknown, device=x.device)
    last = (h.sigma_min if namer is None else BEFORE_NAMES) * unit
    species = torch.zeros_like(unknown) if namer is None else unknown
    levels = place_levels(h, unit, sigma_max, last)
    x = anneal(mover, x, cell, species, levels, streams, h.corrector)
    again = [level for level in levels if level[0] <= MELT_AGAIN * unit]
    x = repair(mover, x, cell, species, again, streams, h, TOO_CLOSE * closest)
    if namer is None:
        return x, species
    species = name_places(namer, x, cell, counts, streams, h.most_neighbours)
    settle = [(s, 2) for s in geometric(SETTLE_FROM * unit, h.sigma_min * unit, h.settle_levels)]
    x = x + settle[0][0] * streams.normal(n_atoms, 3)
    return anneal(mover, x, cell, species, settle, streams, h.corrector), species


def repair(
    mover: Mover,
    x: Tensor,
    cell: Tensor,
    species: Tensor,
    levels: list[Level],
    streams: Streams,
    h: Hparams,
    too_close: float,
) -> Tensor:
    """Give atoms that share a place with another one a place of their own.

    Such an atom goes to the emptiest of some random points, and the structure is noised and
    annealed again; structures without such atoms stay as they are.
    """
    for _ in range(h.repairs):
        doubled = doubled_atoms(x, cell, too_close)
        which = doubled.any(1).nonzero()[:, 0].tolist()
        if not which:
            break
        some, part = streams.only(which), x[which].clone()
        trials = some.uniform(TRIALS, 3) @ cell
        for row, atoms in enumerate(doubled[which]):
            fill_voids(part[row], atoms, trials[row], cell)
        part = part + levels[0][0] * some.normal(*part.shape[1:])
        part = anneal(mover, part, cell, species[which], levels, some, h.corrector)
        x = x.index_copy(0, torch.tensor(which, device=x.device), part)
    return x


def doubled_atoms(x: Tensor, cell: Tensor, too_close: float) -> Tensor:
    """Atoms too close to another one that stands before them in the row and stays, (B, N)."""
    index, _, distances = neighbours(x, cell, too_close, 8)
    doubled = torch.zeros(x.shape[:2], dtype=torch.bool, device=x.device)
    structures, atoms, slots = (distances < too_close).nonzero(as_tuple=True)
    others = index[structures, atoms, slots]
    for b, i, j in zip(structures.tolist(), atoms.tolist(), others.tolist(), strict=True):
        if j < i and not doubled[b, j]:
            doubled[b, i] = True
    return doubled


def fill_voids(x: Tensor, doubled: Tensor, trials: Tensor, cell: Tensor) -> None:
    """Put doubled atoms, (N,), of one structure, (N, 3), to the emptiest of the trial points."""
    kept = x[~doubled]
    for i in doubled.nonzero()[:, 0].tolist():
        apart = nearest_image(trials[:, None] - kept, cell)
        emptiest = apart.norm(dim=-1).amin(1).argmax()
        x[i] = trials[emptiest]
        kept = torch.cat([kept, x[i, None]])


def nearest_image(vectors: Tensor, cell: Tensor) -> Tensor:
    """Vectors less whole cells, with fractional components between -1/2 and 1/2."""
    f = vectors @ torch.linalg.inv(cell)
    return (f - f.round()) @ cell


def wrap(x: Tensor, cell: Tensor) -> Tensor:
    """Positions moved into the cell."""
    f = x @ torch.linalg.inv(cell)
    return (f - f.floor()) @ cell
