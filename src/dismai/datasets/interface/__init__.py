"""Random interfaces of Li3ScCl6(100) and LiCoO2(110): slabs, common cell, random region."""

from typing import Any


def __getattr__(name: str) -> Any:
    if name in ("ORDER", "random_interface"):  # loads pymatgen; a configuration is read without
        from dismai.datasets.interface import assembly

        return getattr(assembly, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
