"""Metrics: plain functions on ASE Atoms; `Featurizer` puts them into columns for scikit-learn."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dismai.metrics.featurizer import Featurizer as Featurizer


def __getattr__(name: str) -> Any:
    if name != "Featurizer":
        raise AttributeError(f"module 'dismai.metrics' has no attribute {name!r}")
    from dismai.metrics.featurizer import Featurizer  # imports scikit-learn

    return Featurizer
