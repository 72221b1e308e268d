"""All properties of a crystal by name: published networks, or those in their place."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
from ase import Atoms

from dismai.base.resources import resource
from dismai.properties.cgcnn.files import Predictor, load, predict
from dismai.properties.names import PROPERTIES


def published_network(name: str) -> Path:
    """The shipped network of a property."""
    return resource(f"crystals/cgcnn/{PROPERTIES[name].network}.safetensors")


def properties_of(atoms: Atoms, networks: Mapping[str, Path]) -> np.ndarray:
    """All `PROPERTIES` of a crystal, in their order, by the published networks, (7,).

    Neighbours at one distance share their places, and arithmetic is in double precision: the same
    numbers in whatever cell, order and process a crystal comes.

    networks: files of networks in place of the published ones, by name of the property.

    Raises:
        StructureError: an element or a cell that has no graph.
    """
    paths = tuple(networks.get(name) or published_network(name) for name in PROPERTIES)
    return predict(_predictors(paths), [atoms], "shared")[0]


@lru_cache(maxsize=2)
def _predictors(paths: tuple[Path, ...]) -> list[Predictor]:
    return [load(path) for path in paths]
