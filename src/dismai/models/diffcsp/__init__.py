"""DiffCSP: diffusion of fractional coordinates with a periodic, fully connected network.

The class is imported on first use, so that hyperparameters stay free of torch.
"""

from typing import Any


def __getattr__(name: str) -> Any:
    if name == "DiffCSP":
        from dismai.models.diffcsp.model import DiffCSP

        return DiffCSP
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
