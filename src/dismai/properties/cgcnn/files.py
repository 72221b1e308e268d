"""Trained networks of CGCNN, published and own, and what they predict: NumPy alone.

The same network in torch, for training, is `network.Network`.
"""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, chemical_symbols
from scipy.special import expit

from dismai.base.errors import InputError, StructureError
from dismai.base.resources import resource
from dismai.properties.cgcnn.graph import REACH_A, Graph, Ties, graph_of, joined

ELEMENTS = "crystals/cgcnn/elements.csv"
N_ELEMENT_FEATURES = 92
STEP_A = 0.2
"""Distance of two Gaussians, and their width."""
N_GAUSSIANS = round(REACH_A / STEP_A) + 1
BATCH_NORM_EPS = 1e-5
AT_ONCE = 2048
"""Atoms that a network takes at once: 50 MB of bonds."""
DTYPES = {"F32": "<f4", "F64": "<f8", "I64": "<i8"}


def gaussians(distances: np.ndarray) -> np.ndarray:
    """Distances, Å, (n,), on Gaussians 0, 0.2, ... 8 Å: exp(-(d - m)^2 / s^2), (n, 41)."""
    return np.exp(-(((distances[:, None] - STEP_A * np.arange(N_GAUSSIANS)) / STEP_A) ** 2))


@lru_cache(maxsize=1)
def element_features() -> np.ndarray:
    """The published features, 0 or 1, of elements by atomic number, (101, 92); none of 0."""
    features = np.zeros((101, N_ELEMENT_FEATURES))
    with resource(ELEMENTS).open(newline="") as file:
        for row in csv.DictReader(file):
            features[atomic_numbers[row["element"]]] = list(map(float, row["features"]))
    return features


class _Convolution(NamedTuple):
    """A convolution whose batch normalisation is in its weights.

    own, other, bond: of an atom, its neighbour and their bond, (n_in, 2 width).  bias: (2 width,).
    scale, shift: of the sum over neighbours, (width,).
    """

    own: np.ndarray
    other: np.ndarray
    bond: np.ndarray
    bias: np.ndarray
    scale: np.ndarray
    shift: np.ndarray

    def __call__(self, atoms, lengths, which, graph: Graph) -> np.ndarray:
        z = (lengths @ self.bond + self.bias)[which]  # (n_atoms, n_neighbours, 2 width)
        z += (atoms @ self.own)[:, None]
        z += (atoms @ self.other)[graph.neighbours]
        gate, core = np.split(z, 2, axis=-1)
        messages = expit(gate) * softplus(core)
        summed = np.einsum("nm,nmk->nk", graph.weights, messages)
        return softplus(atoms + summed * self.scale + self.shift)


def softplus(x: np.ndarray) -> np.ndarray:
    """log(1 + exp(x)), for any x."""
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


@dataclass(frozen=True)
class Predictor:
    """A trained network and what its output means: value = mean + sd * output.

    weights: as they are in the file, in double precision.  facts: what the file says of it
    (target, data, validation error).
    """

    weights: dict[str, np.ndarray]
    convolutions: tuple[_Convolution, ...]
    mean: float
    sd: float
    facts: dict[str, Any]

    def __call__(self, graph: Graph) -> np.ndarray:
        """The property of every crystal, in the unit of the training data, (n_crystals,)."""
        w = self.weights
        distances, which = graph.lengths
        lengths = gaussians(distances)
        features = element_features()[graph.numbers]
        atoms = features @ w["embedding.weight"].T + w["embedding.bias"]
        for convolution in self.convolutions:
            atoms = convolution(atoms, lengths, which, graph)
        first = np.searchsorted(graph.crystal, np.arange(graph.n_crystals))
        total = np.add.reduceat(atoms, first)
        mean = total / np.bincount(graph.crystal)[:, None]
        hidden = softplus(softplus(mean) @ w["conv_to_fc.weight"].T + w["conv_to_fc.bias"])
        output = hidden @ w["fc_out.weight"][0] + w["fc_out.bias"][0]
        return self.mean + self.sd * output


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


def check_elements(numbers: np.ndarray) -> None:
    """StructureError for an element that has no features."""
    unknown = numbers[(numbers < 1) | (numbers > 100)]
    if len(unknown):
        raise StructureError(
            f"expected elements H to Fm, found {chemical_symbols[int(unknown[0])]}"
        )


def load(path: Path) -> Predictor:
    """The network in a file.

    Raises:
        InputError: no such file, or one that holds no CGCNN.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: expected a network of CGCNN, found no such file")
    try:
        weights, facts = _read(path.read_bytes())
        mean, sd = float(facts["mean"]), float(facts["std"])
        n = sum(name.endswith("fc_full.bias") for name in weights)
        convolutions = tuple(_folded(weights, f"convs.{i}") for i in range(n))
        _check_shapes(weights, convolutions)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        found = " ".join(f"{type(error).__name__}: {error}".split())[:120]
        raise InputError(f"{path}: expected a network of CGCNN, found: {found}") from None
    return Predictor(weights, convolutions, mean, sd, facts)


def _read(content: bytes) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Tensors, as double precision, and facts of a safetensors file (its format, version 0.4)."""
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    facts = json.loads(header.pop("__metadata__")["dismai"])
    tensors = {}
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        flat = np.frombuffer(content[end + first : end + last], DTYPES[entry["dtype"]])
        tensors[name] = flat.reshape(entry["shape"]).astype(float)
    return tensors, facts


def _folded(weights: dict[str, np.ndarray], name: str) -> _Convolution:
    """The convolution of a name, with the running statistics of its normalisations."""
    scale, shift = _affine(weights, f"{name}.bn1")
    full = weights[f"{name}.fc_full.weight"].T * scale
    width = full.shape[1] // 2
    bias = weights[f"{name}.fc_full.bias"] * scale + shift
    own, other, bond = np.split(full, [width, 2 * width])
    return _Convolution(own, other, bond, bias, *_affine(weights, f"{name}.bn2"))


def _affine(weights: dict[str, np.ndarray], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Scale and shift of a batch normalisation that has learnt."""
    scale = weights[f"{name}.weight"] / np.sqrt(weights[f"{name}.running_var"] + BATCH_NORM_EPS)
    return scale, weights[f"{name}.bias"] - weights[f"{name}.running_mean"] * scale


def _check_shapes(weights: dict[str, np.ndarray], convolutions: Sequence[_Convolution]) -> None:
    """ValueError unless the layers fit each other."""
    width = len(weights["embedding.bias"])
    hidden = len(weights["conv_to_fc.bias"])
    expected = {
        "embedding.weight": (width, N_ELEMENT_FEATURES),
        "conv_to_fc.weight": (hidden, width),
        "fc_out.weight": (1, hidden),
        "fc_out.bias": (1,),
    }
    for name, shape in expected.items():
        if weights[name].shape != shape:
            raise ValueError(f"{name}: expected shape {shape}, found {weights[name].shape}")
    for number, one in enumerate(convolutions):
        if (*one.own.shape, *one.bond.shape) != (width, 2 * width, N_GAUSSIANS, 2 * width):
            raise ValueError(f"convs.{number}: expected width {width}, found {one.own.shape[0]}")
