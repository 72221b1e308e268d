"""The network (Chen & Ong, Nat. Comput. Sci. 2022, 2, 718; matgl) and its files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import yaml
from ase import Atoms
from ase.calculators.calculator import Calculator
from matgl.apps.pes import Potential
from matgl.ext.ase import PESCalculator
from matgl.models import M3GNet
from torch import Tensor
from torch_geometric.data import Batch, Data

from dismai.base.atomic import write_atomically
from dismai.base.errors import InputError
from dismai.files.tensors import read_tensors, write_tensors
from dismai.potentials.m3gnet.settings import M3gnet

KIND = "m3gnet"
MODEL_FILE = "model.safetensors"


def build(
    elements: Sequence[str],
    settings: M3gnet,
    reference_eV: np.ndarray,
    scale_eV_per_A: float,
    seed: int,
) -> Potential:
    """An untrained potential: E = scale * M3GNet + sum of reference energies of the elements.

    Args:
        elements: symbols that it knows.
        settings: sizes.
        reference_eV: energy of each element, (n_elements,).
        scale_eV_per_A: spread of the forces in training, which scales the output of the network.
        seed: of the initial weights.
    """
    with torch.random.fork_rng(devices=[]):  # matgl draws weights from the global generator
        torch.default_generator.manual_seed(seed)
        network = M3GNet(
            element_types=tuple(elements),
            is_intensive=False,
            dim_node_embedding=settings.units,
            dim_edge_embedding=settings.units,
            units=settings.units,
            nblocks=settings.n_blocks,
            max_n=settings.max_n,
            max_l=settings.max_l,
            cutoff=settings.cutoff_A,
            threebody_cutoff=settings.threebody_cutoff_A,
        )
    return Potential(
        network,
        data_std=scale_eV_per_A,
        element_refs=np.asarray(reference_eV, dtype=float),
        calc_stresses=True,
    )


def save(path: Path, potential: Potential, settings: M3gnet) -> None:
    """Write weights with elements and settings in the header, and hparams.yaml beside."""
    header = {
        "kind": KIND,
        "elements": list(potential.model.element_types),
        "settings": settings.model_dump(mode="json"),
    }
    write_tensors(path, potential.state_dict(), header)
    text = yaml.safe_dump({key: header[key] for key in ("kind", "elements", "settings")})
    write_atomically(Path(path).with_name("hparams.yaml"), text.encode())


def read(path: Path) -> Potential:
    """The potential of a file that `save` wrote; InputError if it is anything else."""
    tensors, header = read_tensors(path)
    if not isinstance(header, dict) or header.get("kind") != KIND:
        raise InputError(f"{path}: header: expected kind m3gnet, found a file of no M3GNet")
    try:
        elements, settings = header["elements"], M3gnet(**header["settings"])
        potential = build(elements, settings, np.zeros(len(elements)), 1.0, seed=0)  # overwritten
        potential.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        found = " ".join(f"{type(error).__name__}: {error}".split())[:120]
        raise InputError(f"{path}: expected the weights of its header, found {found}") from None
    return potential.eval()


class M3gnetCalculator(PESCalculator):
    """The calculator of matgl, which also computes several structures at once."""

    def graph(self, atoms: Atoms) -> tuple[Data, Tensor]:
        """What the network reads of a structure: bonds, and the cell, Å, (3, 3)."""
        graph, cell, _ = self._atoms2graph.get_graph(atoms)
        return graph, cell.reshape(3, 3)

    def energies_and_forces(
        self, graphs: Sequence[tuple[Data, Tensor]]
    ) -> list[tuple[float, np.ndarray]]:
        """Energy, eV, and forces, eV/Å, (n_atoms, 3), of each."""
        bonds, cells = zip(*graphs, strict=True)
        together = Batch.from_data_list(list(bonds))
        energies, forces, *_ = self.potential(together, torch.stack(cells))
        parts = forces.detach().cpu().split([one.num_nodes for one in bonds])
        energies = energies.detach().cpu().reshape(-1).tolist()
        return [(energy, part.numpy()) for energy, part in zip(energies, parts, strict=True)]


def calculator(potential: Potential) -> Calculator:
    """ASE calculator of a potential in memory."""
    return M3gnetCalculator(potential, stress_unit="eV/A3", use_voigt=True)
