"""Fe-Ni-Cr alloys on an fcc lattice, sampled by Monte Carlo from a cluster expansion."""

from typing import Any


def __getattr__(name: str) -> Any:
    if name == "sample":  # loads ase; a configuration is read without
        from dismai.datasets.alloy.build import sample

        return sample
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
