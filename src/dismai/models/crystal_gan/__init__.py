"""The plain adversarial model of pictures of crystals.

The class is imported on first use, so that hyperparameters stay free of torch.
"""

from typing import Any


def __getattr__(name: str) -> Any:
    if name == "CrystalGAN":
        from dismai.models.crystal_gan.model import CrystalGAN

        return CrystalGAN
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
