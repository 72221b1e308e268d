"""What a model costs at the papers' size: the time that jobs ask for, the table in docs/cluster.md.

Estimated from the operations of a forward pass at 264 atoms, three for a training step. Free of
torch: the Snakefile reads it.
"""

from dataclasses import dataclass

PAPER_ATOMS = 264
SUSTAINED_FLOP_PER_S = 5e12
"""Assumed of a GPU in single precision, a quarter of the peak of an A100. Not measured."""
LONGEST_MINUTES = 1440
"""A first job asks for no more: it saves, is resubmitted and goes on."""
SHORTEST_MINUTES = 30


@dataclass(frozen=True)
class Cost:
    """Of one architecture, 264 atoms, the papers' settings.

    training_FLOP: one training.  generation_FLOP: 1000 structures.  exponent: how both grow with
    the number of atoms.
    """

    training_FLOP: float
    generation_FLOP: float
    exponent: int


COSTS = {
    "cdvae": Cost(6e16, 8e16, 1),
    "diffcsp": Cost(3e17, 1.9e17, 2),
    "crystens": Cost(7.6e17, 2e16, 2),
    "unimat": Cost(8.8e16, 2.4e15, 2),
    "cryingan": Cost(6.2e17, 1e12, 1),
    "melt": Cost(2e15, 2e14, 1),
    # Pictures of crystals have one size; 53,856 crystals.
    "crystal_gan": Cost(5.1e17, 2.3e13, 0),
    "crystal_wgan": Cost(1.3e18, 7.4e12, 0),
    "crystal_diffusion": Cost(6.3e17, 2.1e17, 0),
}


def training_minutes(architecture: str, n_atoms: int) -> int:
    """Time to ask for one training on a GPU: twice the estimate, a day at most."""
    cost = COSTS.get(architecture)
    return LONGEST_MINUTES if cost is None else _minutes(cost.training_FLOP, cost, n_atoms)


def generation_minutes(architecture: str, n_atoms: int) -> int:
    """Time to ask for 1000 structures on a GPU: twice the estimate, a day at most."""
    cost = COSTS.get(architecture)
    return LONGEST_MINUTES if cost is None else _minutes(cost.generation_FLOP, cost, n_atoms)


def _minutes(flop: float, cost: Cost, n_atoms: int) -> int:
    seconds = 2 * flop * (n_atoms / PAPER_ATOMS) ** cost.exponent / SUSTAINED_FLOP_PER_S
    return min(LONGEST_MINUTES, max(SHORTEST_MINUTES, round(seconds / 60)))
