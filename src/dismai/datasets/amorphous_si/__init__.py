"""Amorphous silicon: blocks cut from a large melt-quench cell, and relaxed."""

from typing import Any


def __getattr__(name: str) -> Any:
    if name == "slice_blocks":  # loads ase; a configuration is read without
        from dismai.datasets.amorphous_si.blocks import slice_blocks

        return slice_blocks
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
