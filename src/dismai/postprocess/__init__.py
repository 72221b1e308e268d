"""Cleaning of generated structures: one lattice site, one atom; atoms not too close."""

from dismai.postprocess.on_lattice import keep_on_lattice
from dismai.postprocess.separation import move_apart

__all__ = ["keep_on_lattice", "move_apart"]
