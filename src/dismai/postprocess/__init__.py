"""Cleaning of generated structures: one lattice site, one atom; atoms not too close."""

from dismai.postprocess.on_lattice import keep_on_lattice

__all__ = ["keep_on_lattice"]
