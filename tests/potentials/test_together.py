"""Relaxation side by side ends where relaxation one by one does, whatever befalls a batch."""

import numpy as np
import pytest
import torch
from ase import Atoms

from dismai.potentials import check_entry, load
from dismai.potentials.graphs import graph_or_error, graphs_in_processes
from dismai.potentials.relax import relax, relax_structure
from dismai.potentials.together import Batches, relax_together
from tests.makers import rattled_cells
from tests.potentials.networks import network


class Springs:
    """Springs to the origin, of several structures at one time; some structures are at fault."""

    def __init__(self, memory=100, broken=False):
        self.memory, self.broken, self.sizes = memory, broken, []

    def graph(self, atoms):
        if atoms.symbols[0] == "Xe":
            raise ValueError("no graph of this one")
        return atoms.copy()

    def energies_and_forces(self, graphs):
        self.sizes.append(len(graphs))
        if len(graphs) > self.memory:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
        if self.broken:
            raise RuntimeError("CUDA error: an illegal memory access was encountered")
        if any(one.symbols[0] == "Kr" for one in graphs):
            raise RuntimeError("no neighbours")
        return [(0.5 * float((one.positions**2).sum()), -one.positions) for one in graphs]


def pairs(n, symbol="Ar"):
    return [Atoms(f"{symbol}2", [[0.1 * i, 0, 0], [0, 0.3, 0]], cell=[9] * 3) for i in range(n)]


def ended(structures, potential, width=3, **limits):
    batches = Batches(
        potential, width, "cpu", lambda some: [graph_or_error(potential, one) for one in some]
    )
    found = relax_together(structures, batches, width, lambda *one: relax_structure(*one, **limits))
    return dict(found), batches


@pytest.mark.parametrize("optimizer", ["scipy_cg", "fire", "lbfgs"])
def test_minimiser_steps_and_minimum_are_those_of_one_structure_alone(optimizer):
    structures = rattled_cells(5)

    class Batched:
        """Stillinger-Weber, one after another."""

        calculator = load({"kind": "sw"})

        def graph(self, atoms):
            return atoms.copy()

        def energies_and_forces(self, graphs):
            found = []
            for one in graphs:
                one.calc = self.calculator
                found.append((one.get_potential_energy(), one.get_forces()))
            return found

    alone, table = relax(structures, load({"kind": "sw"}), optimizer=optimizer)
    found, _ = ended(structures, Batched(), optimizer=optimizer)
    assert sorted(found) == list(range(5))
    for number, one in found.items():
        np.testing.assert_array_equal(one.atoms.positions, alone[number].positions)
        assert one.steps == table["steps"][number]
        assert one.energy_eV == table["energy_eV"][number]
        assert one.status == "ok"
    assert table["steps"].nunique() > 1  # each has a convergence of its own


def test_a_structure_that_ends_makes_room_for_the_next():
    potential = Springs()
    found, _ = ended(pairs(7), potential, width=3, optimizer="fire")
    assert sorted(found) == list(range(7))
    assert max(potential.sizes) == 3
    assert {one.status for one in found.values()} == {"ok"}


def test_what_the_memory_does_not_hold_is_halved_and_said(caplog):
    potential = Springs(memory=2)
    found, batches = ended(pairs(6), potential, width=6)
    assert {one.status for one in found.values()} == {"ok"}
    assert batches.most == 2
    assert caplog.text.count("do not fit the memory") == 2
    assert "relax_batch: 2" in caplog.text


@pytest.mark.parametrize(("symbol", "reason"), [("Xe", "no graph"), ("Kr", "no neighbours")])
def test_a_structure_at_fault_costs_itself_only(symbol, reason):
    found, _ = ended([*pairs(2), *pairs(1, symbol), *pairs(2)], Springs())
    assert [found[i].status == "ok" for i in range(5)] == [True, True, False, True, True]
    assert reason in found[2].status


def test_a_fault_of_the_machine_is_no_fate_of_a_structure():
    with pytest.raises(RuntimeError, match="illegal memory access"):
        ended(pairs(4), Springs(broken=True))
    with pytest.raises(torch.OutOfMemoryError):
        ended(pairs(1), Springs(memory=0), width=1)


@pytest.mark.parametrize("kind", ["chgnet", "m3gnet"])
def test_a_network_relaxes_side_by_side_as_one_by_one(kind, tmp_path):
    entry = check_entry(network(kind, tmp_path))
    potential = load(entry)
    structures = [atoms.repeat((1, 1, i)) for i, atoms in enumerate(rattled_cells(3, 0.1), 1)]
    limits = {"fmax": 0.1, "max_steps": 20, "optimizer": "fire"}
    alone, table = relax(structures, potential, **limits)
    found, _ = ended(structures, potential, width=2, **limits)
    for number, one in found.items():
        per_atom = abs(one.energy_eV - table["energy_eV"][number]) / len(one.atoms)
        assert per_atom < 1e-5  # eV
        np.testing.assert_allclose(one.atoms.positions, alone[number].positions, atol=1e-3)
        assert one.status == table["status"][number]
        assert abs(one.steps - table["steps"][number]) <= 1


def test_graphs_of_other_processes_are_the_same():
    potential = load({"kind": "chgnet"})
    setup = {"entry": {"kind": "chgnet"}, "elements": [], "n_processes": 2}
    structures = rattled_cells(2)
    with graphs_in_processes(potential, setup) as graphs:
        found = graphs(structures)
    for graph, atoms in zip(found, structures, strict=True):
        expected = potential.graph(atoms)
        assert torch.equal(graph.bond_graph, expected.bond_graph)
        assert torch.equal(graph.atom_frac_coord, expected.atom_frac_coord)


def test_energy_and_forces_without_stress_are_the_same_numbers():
    atoms = rattled_cells(1)[0]
    few, all_of_them = load({"kind": "chgnet"}), load({"kind": "chgnet"})
    all_of_them.everything = True
    atoms.calc = few
    energy, forces = atoms.get_potential_energy(), atoms.get_forces()
    assert "stress" not in few.results
    stress = atoms.get_stress()
    atoms.calc = all_of_them
    assert atoms.get_potential_energy() == energy
    np.testing.assert_array_equal(atoms.get_forces(), forces)
    np.testing.assert_array_equal(all_of_them.results["stress"], few.results["stress"])
    assert stress.shape == (6,)
