"""What only amorphous silicon has: ready-made blocks of any number of atoms."""

from collections.abc import Mapping
from typing import Any

from dismai.datasets.amorphous_si.made import training_set as training_set
from dismai.datasets.amorphous_si.made import trivial as trivial
from dismai.datasets.amorphous_si.settings import AmorphousSiDataset
from dismai.datasets.importing import Expected


def expected(
    settings: AmorphousSiDataset, shared: Mapping[str, Any] | None, files: Mapping[str, Any]
) -> Expected:
    """Ready-made blocks: the number of atoms of the configuration, any cell."""
    return Expected({"Si": settings.n_atoms})
