"""CDVAE: a variational autoencoder whose decoder denoises a crystal by Langevin dynamics.

The class is imported on first use, so that hyperparameters stay free of torch.
"""

from typing import Any


def __getattr__(name: str) -> Any:
    if name == "CDVAE":
        from dismai.models.cdvae.model import CDVAE

        return CDVAE
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
