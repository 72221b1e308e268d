"""The Wasserstein model of pictures of crystals, with gradient penalty and spectral norm.

The class is imported on first use, so that hyperparameters stay free of torch.
"""

from typing import Any


def __getattr__(name: str) -> Any:
    if name == "CrystalWGAN":
        from dismai.models.crystal_wgan.model import CrystalWGAN

        return CrystalWGAN
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
