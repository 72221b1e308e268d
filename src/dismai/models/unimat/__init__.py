"""UniMat: diffusion of a video with one frame per atom and one pixel per species.

The class is imported on first use, so that hyperparameters stay free of torch.
"""

from typing import Any


def __getattr__(name: str) -> Any:
    if name == "UniMat":
        from dismai.models.unimat.model import UniMat

        return UniMat
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
