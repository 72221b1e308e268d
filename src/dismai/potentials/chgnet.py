"""CHGNet as a calculator that computes what it is asked for, and of several structures at once."""

import contextlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import all_changes
from chgnet.graph.crystalgraph import CrystalGraph
from chgnet.model import CHGNet
from chgnet.model.dynamics import CHGNetCalculator
from pymatgen.io.ase import AseAtomsAdaptor

ENERGY_AND_FORCES = frozenset({"energy", "free_energy", "forces"})


class Chgnet(CHGNetCalculator):
    """Leaves out stress and magnetic moments, half of the time, where nobody asks for them.

    everything: compute them always, for callers that ask for them after the forces.
    """

    everything = False

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: list[str] | None = None,
        system_changes: list[str] = all_changes,
    ) -> None:
        few = properties and ENERGY_AND_FORCES.issuperset(properties) and not self.everything
        super().calculate(atoms, properties, system_changes, task="ef" if few else "efsm")

    def graph(self, atoms: Atoms) -> CrystalGraph:
        """What the network reads of a structure."""
        return self.model.graph_converter(AseAtomsAdaptor.get_structure(atoms))

    def energies_and_forces(self, graphs: Sequence[Any]) -> list[tuple[float, np.ndarray]]:
        """Energy, eV, and forces, eV/Å, (n_atoms, 3), of each."""
        found = self.model.predict_graph(list(graphs), task="ef", batch_size=len(graphs))
        found = [found] if len(graphs) == 1 else found
        return [
            (float(one["e"] * len(graph.atomic_number)), one["f"])
            for one, graph in zip(found, graphs, strict=True)
        ]


def chgnet(weights: str, device: str) -> Chgnet:
    """The calculator of a set of weights inside the package."""
    with contextlib.redirect_stdout(io.StringIO()):  # each process would say its version
        model = CHGNet.load(model_name=weights, use_device=device, verbose=False)
        return Chgnet(model, use_device=device, on_isolated_atoms="ignore")
