"""Labels as batches of graphs; split into training, validation and test set."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from ase.stress import voigt_6_to_full_3x3_stress
from matgl.ext.ase import Atoms2Graph
from torch import Tensor
from torch.utils.data import Dataset
from torch_geometric.data import Batch

from dismai.base.errors import InputError
from dismai.base.seeds import generator_for
from dismai.potentials.labels import Label

logger = logging.getLogger(__name__)

SHARES = (0.8, 0.1, 0.1)
"""Of training, validation and test set, as published."""


@dataclass(frozen=True)
class Split:
    """Indices of the labels of the three sets."""

    train: list[int]
    val: list[int]
    test: list[int]


def split_labels(labels: Sequence[Label], by: str, seed: int) -> Split:
    """A random split 80 / 10 / 10 of relaxations, or of single structures.

    Labels of one relaxation share the note `relaxation` of their provenance; a label without it
    stands for itself. Validation and test set get at least one relaxation.
    """
    groups: dict[object, list[int]] = {}
    for index, label in enumerate(labels):
        key = label.provenance.get("relaxation") if by == "relaxation" else None
        groups.setdefault(("single", index) if key is None else key, []).append(index)
    if len(groups) < 3:
        raise InputError(f"labels: expected at least 3 relaxations to split, found {len(groups)}")
    order = generator_for(seed, "split").permutation(len(groups))
    members = list(groups.values())
    held_out = max(1, round(SHARES[1] * len(groups)))
    parts = (order[2 * held_out :], order[:held_out], order[held_out : 2 * held_out])
    return Split(*(sorted(i for k in part for i in members[k]) for part in parts))


def reference_energies(labels: Sequence[Label], elements: Sequence[str]) -> np.ndarray:
    """Energy of each element, eV, (n_elements,): least squares over the total energies.

    Where compositions do not tell elements apart, as in a set of one composition, the solution is
    the one of least norm.
    """
    counts = np.array(
        [[label.atoms.symbols.formula.count().get(e, 0) for e in elements] for label in labels],
        dtype=float,
    )
    energies = np.array([label.energy_eV for label in labels])
    return np.linalg.lstsq(counts, energies, rcond=None)[0]


class Graphs(Dataset):
    """Graphs of structures with their labels; takes a list of indices, returns a batch.

    A batch: graph; cells, Å, (B, 3, 3); energies, eV, (B,); atoms per structure, (B,); forces,
    eV/Å, (n_atoms, 3); stresses, GPa, (3 B, 3), or none of all NaN.
    """

    def __init__(self, labels: Sequence[Label], elements: Sequence[str], cutoff_A: float):
        converter = Atoms2Graph(tuple(elements), cutoff_A)
        self.items = []
        for label in labels:
            graph, cell, _ = converter.get_graph(label.atoms)
            stress = label.stress_GPa
            stress = np.full(6, np.nan) if stress is None else stress
            self.items.append(
                (
                    graph,
                    cell.reshape(3, 3).to(torch.float32),
                    torch.tensor(label.energy_eV, dtype=torch.float32),
                    torch.tensor(len(label.atoms), dtype=torch.float32),
                    torch.tensor(label.forces_eV_per_A, dtype=torch.float32),
                    torch.tensor(voigt_6_to_full_3x3_stress(stress), dtype=torch.float32),
                )
            )

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, items: list[int]) -> tuple[Batch, Tensor, Tensor, Tensor, Tensor, Tensor]:
        graphs, cells, energies, sizes, forces, stresses = zip(
            *(self.items[i] for i in items), strict=True
        )
        return (
            Batch.from_data_list(list(graphs)),
            torch.stack(cells),
            torch.stack(energies),
            torch.stack(sizes),
            torch.cat(forces),
            torch.cat(stresses),
        )
