"""Dismai-Bench: judge generative models of disordered materials.

`dismai.evaluate` scores structures; `dismai.dataset` makes a training set; `dismai.metrics` holds
what structures are described by. Nothing is imported before it is used.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "InputError": "dismai.base.errors",
    "Result": "dismai.report.result",
    "dataset": "dismai.evaluation.training_set",
    "evaluate": "dismai.report.result",
}
"""Modules of the public names."""
_ROOMS = ("metrics",)

__all__ = ["InputError", "Result", "dataset", "evaluate", "metrics"]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"dismai.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'dismai' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
