"""What only crystals have: differences from the paper, generators of their own."""

from collections.abc import Sequence

from ase import Atoms

from dismai.base.card import CrystalSpec
from dismai.base.seeds import generator_for


def differences(spec: CrystalSpec) -> list[str]:
    """The crystals of the paper are licensed: no other set is theirs."""
    return ["not the 53,856 crystals of the paper"]


def shuffled_lines(
    train: Sequence[Atoms],
    val: Sequence[Atoms],
    spec: CrystalSpec,
    n: int,
    sigma_A: float,
    seed: int,
) -> list[Atoms]:
    """Sites and elements of one training crystal in the cell of another one.

    Every distribution that is compared alone is right, and the crystals are not.
    """
    structures = []
    for i in range(n):
        rng = generator_for(seed, "shuffled_lines", spec.name, i)
        sites, cell = (train[k] for k in rng.integers(len(train), size=2))
        scaled = sites.get_scaled_positions()
        info = {name: value for name, value in cell.info.items() if name == "space_group"}
        structures.append(
            Atoms(sites.numbers, scaled_positions=scaled, cell=cell.cell, pbc=True, info=info)
        )
    return structures


BASELINES = {"shuffled_lines": shuffled_lines}
