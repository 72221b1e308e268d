"""Relaxation in networks on a pretended GPU: alone and side by side, as on the CPU."""

import numpy as np
import pytest

from dismai.potentials import check_entry, load
from dismai.potentials.graphs import graph_or_error
from dismai.potentials.relax import relax_structure
from dismai.potentials.together import Batches
from tests.makers import rattled_cells
from tests.potentials.networks import network
from tests.pretended_gpu import OnGpu, pretended_gpu

LIMITS = {"fmax": 0.2, "max_steps": 3, "optimizer": "fire"}


@pytest.mark.parametrize("kind", ["chgnet", "m3gnet"])
def test_structures_relax_on_a_gpu(kind, tmp_path, monkeypatch):
    entry = check_entry(network(kind, tmp_path))
    structures = rattled_cells(2, 0.1)
    expected = [relax_structure(atoms, load(entry), **LIMITS) for atoms in structures]
    with pretended_gpu(monkeypatch):
        potential = load(entry, device="auto")
        network_of = getattr(potential, "model", getattr(potential, "potential", None))
        assert all(isinstance(one, OnGpu) for one in network_of.parameters())
        alone = [relax_structure(atoms, potential, **LIMITS) for atoms in structures]
        answers = Batches(
            potential, 2, "cuda", lambda some: [graph_or_error(potential, one) for one in some]
        ).answers(structures)
    for one, other in zip(alone, expected, strict=True):
        assert one.status == other.status
        assert one.energy_eV == pytest.approx(other.energy_eV, abs=1e-4)
    for (energy, forces), atoms in zip(answers, structures, strict=True):
        atoms.calc = load(entry)
        assert energy == pytest.approx(atoms.get_potential_energy(), abs=1e-4)
        np.testing.assert_allclose(forces, atoms.get_forces(), atol=1e-3)
