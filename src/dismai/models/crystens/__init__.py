"""CrysTens: diffusion of a picture of all pairs of atoms, small first, then at full size.

The class is imported on first use, so that hyperparameters stay free of torch.
"""

from typing import Any


def __getattr__(name: str) -> Any:
    if name == "CrysTens":
        from dismai.models.crystens.model import CrysTens

        return CrysTens
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
