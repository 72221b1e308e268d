"""Trained networks of CGCNN, published and own, and what they predict."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ase import Atoms
from ase.data import atomic_numbers, chemical_symbols
from safetensors import SafetensorError, safe_open
from torch import Tensor

from dismai.base.errors import InputError, StructureError
from dismai.base.resources import resource
from dismai.properties.cgcnn.graph import Graph, Ties, graph_of, joined
from dismai.properties.cgcnn.network import N_ELEMENT_FEATURES, Network, bond_features

ELEMENTS = "crystals/cgcnn/elements.csv"
DIGITS = 10
"""Of distances, Å, that are told apart."""
AT_ONCE = 4096
"""Atoms that a network takes at once: 40 MB of bonds."""


@dataclass(frozen=True)
class Predictor:
    """A trained network and what its output means: value = mean + sd * output.

    facts: what its file says of it (target, data, validation error).
    """

    network: Network
    mean: float
    sd: float
    facts: dict[str, Any]

    @torch.no_grad()
    def __call__(self, graph: Graph) -> np.ndarray:
        """The property of every crystal, in the unit of the training data, (n_crystals,)."""
        output = self.network(*inputs_of(graph, self.network.fc_out.weight), graph.n_crystals)
        return self.mean + self.sd * output.cpu().numpy().astype(float)


def inputs_of(graph: Graph, like: Tensor) -> tuple[Tensor, ...]:
    """What a network takes: elements, bonds, neighbours, weights, which bond, crystals.

    Crystals have few different distances: their features count for all bonds of one length.

    like: a tensor of the device and of the precision that are wanted.
    """
    distances, which = np.unique(graph.distances.round(DIGITS), return_inverse=True)
    return (
        element_features()[torch.from_numpy(graph.numbers)].to(like),
        bond_features(torch.from_numpy(distances)).to(like),
        torch.from_numpy(graph.neighbours).to(like.device),
        torch.from_numpy(graph.weights).to(like),
        torch.from_numpy(which.reshape(graph.distances.shape)).to(like.device),
        torch.from_numpy(graph.crystal).to(like.device),
    )


@lru_cache(maxsize=1)
def element_features() -> Tensor:
    """The published features, 0 or 1, of elements by atomic number, (101, 92); none of 0."""
    features = torch.zeros(101, N_ELEMENT_FEATURES)
    with resource(ELEMENTS).open(newline="") as file:
        for row in csv.DictReader(file):
            bits = torch.tensor([float(bit) for bit in row["features"]])
            features[atomic_numbers[row["element"]]] = bits
    return features


def check_elements(numbers: np.ndarray) -> None:
    """StructureError for an element that has no features."""
    unknown = numbers[(numbers < 1) | (numbers > 100)]
    if len(unknown):
        raise StructureError(
            f"expected elements H to Fm, found {chemical_symbols[int(unknown[0])]}"
        )


def predict(
    predictors: Sequence[Predictor], crystals: Sequence[Atoms], ties: Ties = "published"
) -> np.ndarray:
    """Properties of crystals, (n_crystals, n_predictors); the graphs are made once.

    ties: what counts as the twelfth neighbour (`graph_of`).

    Raises:
        StructureError: an element without features, or a cell without a volume.
    """
    found = [np.zeros((0, len(predictors)))]
    waiting: list[Graph] = []
    for place, atoms in enumerate(crystals):
        check_elements(atoms.numbers)
        waiting.append(graph_of(atoms, ties))
        if place + 1 == len(crystals) or sum(len(g.numbers) for g in waiting) >= AT_ONCE:
            graph = joined(waiting)
            found.append(np.stack([predictor(graph) for predictor in predictors], axis=1))
            waiting = []
    return np.concatenate(found)


def load(path: Path) -> Predictor:
    """The network in a file.

    Raises:
        InputError: no such file, or one that holds no CGCNN.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: expected a network of CGCNN, found no such file")
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            facts = json.loads((file.metadata() or {})["dismai"])
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        mean, sd = float(facts["mean"]), float(facts["std"])
        network = network_for(weights)
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        found = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: expected a network of CGCNN, found: {found}") from None
    return Predictor(network, mean, sd, facts)


def network_for(weights: dict[str, Tensor]) -> Network:
    """The network of some weights, whose shapes tell its sizes, ready to predict."""
    hidden, width = weights["conv_to_fc.weight"].shape
    n_convolutions = sum(name.endswith("fc_full.bias") for name in weights)
    network = Network(width, n_convolutions, hidden)
    counters = {
        name: torch.tensor(0) for name in network.state_dict() if name.endswith("batches_tracked")
    }
    network.load_state_dict({**counters, **weights})
    return network.eval()
