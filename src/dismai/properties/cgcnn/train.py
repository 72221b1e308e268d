"""Training of CGCNN on crystals with a known property (XIE 2018), and the file of the network."""

import json
import logging
from collections.abc import Sequence
from numbers import Real
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from ase import Atoms
from torch import Tensor, nn

from dismai.base.atomic import write_atomically
from dismai.base.errors import InputError, StructureError
from dismai.base.seeds import generator_for, seed_for
from dismai.properties.cgcnn.files import check_elements, element_features
from dismai.properties.cgcnn.graph import Graph, graph_of, joined
from dismai.properties.cgcnn.network import Network, bond_features
from dismai.properties.settings import CgcnnTraining

logger = logging.getLogger(__name__)


class Trained(NamedTuple):
    """Weights of the best epoch, scale of the property, and mean absolute errors by epoch.

    errors: of training and of held-out crystals, in the unit of the property, (n_epochs, 2).
    """

    weights: dict[str, Tensor]
    mean: float
    std: float
    errors: np.ndarray


def values_of(crystals: Sequence[Atoms], name: str, source: Path | str) -> np.ndarray:
    """The known property of every crystal, (n_crystals,).

    Raises:
        InputError: a crystal without it.
    """
    for place, atoms in enumerate(crystals):
        value = atoms.info.get(name)
        if not isinstance(value, Real) or not np.isfinite(value):
            raise InputError(
                f"{source}: structure {place}: expected a finite number {name}, found {value!r}"
            )
    return np.array([atoms.info[name] for atoms in crystals], dtype=float)


def split(crystals: Sequence[Atoms], share: float, seed: int) -> np.ndarray:
    """Which crystals are held out, (n_crystals,): all of a formula or none of it.

    Raises:
        InputError: crystals of one formula only, or none.
    """
    formulae = [f"{atoms.symbols.formula.reduce()[0]:hill}" for atoms in crystals]
    names = sorted(set(formulae))
    if len(names) < 2:
        raise InputError(f"expected crystals of at least two formulae, found {len(names)}")
    order = generator_for(seed, "split", "cgcnn").permutation(len(names))
    n_held_out = min(max(1, round(share * len(names))), len(names) - 1)
    held_out = {names[k] for k in order[:n_held_out]}
    return np.array([formula in held_out for formula in formulae])


def train(
    crystals: Sequence[Atoms],
    values: np.ndarray,
    settings: CgcnnTraining,
    seed: int,
    source: Path | str = "crystals",
) -> Trained:
    """Train a network; the weights of the epoch with the least held-out error.

    Args:
        crystals: what to learn from.
        values: their property, (n_crystals,).
        settings: of network and training.
        seed: root of the split, of the first weights and of the order of the crystals.
        source: what messages call the crystals.

    Raises:
        InputError: a crystal that has no graph, or crystals of one formula only.
    """
    graphs = _graphs(crystals, source)
    held_out = split(crystals, settings.validation_share, seed)
    known = [place for place in range(len(crystals)) if not held_out[place]]
    mean, std = float(values[known].mean()), float(values[known].std()) or 1.0
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_for(seed, "weights", "cgcnn"))
        network = Network(settings.width, settings.n_convolutions, settings.hidden)
    optimizer = torch.optim.Adam(network.parameters(), settings.learning_rate)
    rng = generator_for(seed, "order", "cgcnn")
    scaled, errors, best = (values - mean) / std, [], {}
    for epoch in range(settings.epochs):
        network.train()
        for batch in _batches(rng.permutation(known), settings.batch):
            optimizer.zero_grad()
            target = torch.tensor(scaled[batch], dtype=torch.float32)
            nn.functional.mse_loss(_output(network, graphs, batch), target).backward()
            optimizer.step()
        network.eval()
        off = std * np.abs(_outputs(network, graphs, settings.batch) - scaled)
        errors.append((off[~held_out].mean(), off[held_out].mean()))
        logger.info("epoch %d: mean error %.4g, held out %.4g", epoch + 1, *errors[-1])
        if errors[-1][1] <= min(error for _, error in errors):
            best = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    return Trained(best, mean, std, np.array(errors))


def _graphs(crystals: Sequence[Atoms], source: Path | str) -> list[Graph]:
    """Graphs with shared ties, as predictions take them."""
    graphs = []
    for place, atoms in enumerate(crystals):
        try:
            check_elements(atoms.numbers)
            graphs.append(graph_of(atoms, "shared"))
        except StructureError as error:
            raise InputError(f"{source}: structure {place}: {error}") from None
    return graphs


def _batches(places: np.ndarray, size: int) -> list[np.ndarray]:
    """Parts of about equal size: one crystal alone has no spread to normalise by."""
    return np.array_split(places, max(1, -(-len(places) // size)))


def _output(network: Network, graphs: Sequence[Graph], batch: np.ndarray) -> Tensor:
    graph = joined([graphs[place] for place in batch])
    elements = torch.tensor(element_features()[graph.numbers], dtype=torch.float32)
    bonds = bond_features(torch.tensor(graph.distances, dtype=torch.float32))
    neighbours, crystal = torch.tensor(graph.neighbours), torch.tensor(graph.crystal)
    weights = torch.tensor(graph.weights, dtype=torch.float32)
    return network(elements, bonds, neighbours, weights, crystal, graph.n_crystals)


@torch.no_grad()
def _outputs(network: Network, graphs: Sequence[Graph], size: int) -> np.ndarray:
    """Outputs of all crystals, (n_crystals,)."""
    parts = _batches(np.arange(len(graphs)), size)
    return np.concatenate([_output(network, graphs, part).numpy() for part in parts])


def write_network(trained: Trained, path: Path, **facts: object) -> None:
    """Write a safetensors file that `files.load` reads; facts: what it says of itself."""
    from safetensors.torch import save

    least = trained.errors[:, 1].min()
    told = {"mean": trained.mean, "std": trained.std, "validation_error": float(least), **facts}
    metadata = {"dismai": json.dumps(told, sort_keys=True)}
    weights = {name: tensor.contiguous() for name, tensor in trained.weights.items()}
    write_atomically(path, save(weights, metadata))
