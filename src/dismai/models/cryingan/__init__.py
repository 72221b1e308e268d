"""CryinGAN: a Wasserstein GAN on fractional coordinates and nearest distances.

The class is imported on first use, so that hyperparameters stay free of torch.
"""

from typing import Any


def __getattr__(name: str) -> Any:
    if name == "CryinGAN":
        from dismai.models.cryingan.model import CryinGAN

        return CryinGAN
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
