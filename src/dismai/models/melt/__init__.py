"""Melt: anonymous atoms find their places, then the places get names. Ours.

The class is imported on first use, so that hyperparameters stay free of torch.
"""

from typing import Any


def __getattr__(name: str) -> Any:
    if name == "Melt":
        from dismai.models.melt.model import Melt

        return Melt
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
