"""Diffusion of pictures of crystals: small ones first, then at full size.

The class is imported on first use, so that hyperparameters stay free of torch.
"""

from typing import Any


def __getattr__(name: str) -> Any:
    if name == "CrystalDiffusion":
        from dismai.models.crystal_diffusion.model import CrystalDiffusion

        return CrystalDiffusion
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
