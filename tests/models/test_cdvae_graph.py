"""CDVAE's graphs: bonds for the encoder, nearest neighbours for the decoder, by either rule."""

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.neighborlist import neighbor_list
from numpy.testing import assert_allclose

from dismai.geometry.fcc import fractional_sites
from dismai.models.cdvae.encoder import bond_graph, join_graphs
from dismai.models.cdvae.graph import nearest_graph

CUTOFF = 7.0


def decoder_graph(atoms, rule, neighbours=20):
    x = torch.from_numpy(atoms.get_scaled_positions())[None]
    cell = torch.from_numpy(atoms.cell.array)[None]
    return nearest_graph(x, cell, CUTOFF, neighbours, rule)


def fcc(rattle=0.0, supercell=(4, 4, 4)):
    """Nickel with a = 3.6 Å."""
    sites = fractional_sites(supercell)
    cell = 3.6 * np.array(supercell)
    atoms = Atoms(f"Ni{len(sites)}", scaled_positions=sites, cell=cell, pbc=True)
    atoms.rattle(rattle, seed=1)
    return atoms


def skewed(n=20, seed=0):
    random = np.random.default_rng(seed)
    cell = [[5.0, 0.3, 0.0], [1.9, 6.2, 0.4], [-0.8, 1.1, 7.3]]
    return Atoms(f"Si{n}", scaled_positions=random.random((n, 3)), cell=cell, pbc=True)


def edges_of(graph):
    """Edges as a sorted list of source, target, vector rounded to 1e-5 Å."""
    vector = (graph.unit * graph.distance[:, None]).numpy().round(5) + 0.0
    pairs = zip(graph.source.tolist(), graph.target.tolist(), vector.tolist(), strict=True)
    return sorted((s, t, *v) for s, t, v in pairs)


def slow_edges(atoms, rule, neighbours=20):
    """Selections of the nearest from ASE's list, one by one."""
    # ASE's vector goes from i to j; an edge goes from source j to target i.
    i, j, shift, d, vector = neighbor_list("ijSdD", atoms, CUTOFF)
    kept = set()
    chosen = {}
    for a in range(len(atoms)):
        mine = np.flatnonzero(i == a)
        mine = mine[np.argsort(d[mine], kind="stable")]
        nearest = mine[:neighbours]
        if rule == "symmetric" and len(mine) > neighbours:  # whole shells only
            nearest = nearest[d[nearest] < d[mine[neighbours]] - 1e-4]
        chosen[a] = nearest
    for a, rows in chosen.items():
        for row in rows:
            b, n = j[row], tuple(shift[row])
            negative = n < (0, 0, 0)
            if rule == "reference" and not (b < a or (b == a and negative)):
                continue
            kept.add((b, a, *(-vector[row]).round(5) + 0.0))
            kept.add((a, b, *vector[row].round(5) + 0.0))
    return sorted(kept)


@pytest.mark.parametrize("rule", ["symmetric", "reference"])
@pytest.mark.parametrize("atoms", [fcc(0.1), skewed()], ids=["fcc", "small_skewed_cell"])
def test_edges_agree_with_a_slow_selection(atoms, rule):
    expected = np.array(slow_edges(atoms, rule))
    found = np.array(edges_of(decoder_graph(atoms, rule)))
    assert len(found) == len(expected)
    assert_allclose(found, expected, atol=2e-5)


@pytest.mark.parametrize("rule", ["symmetric", "reference"])
def test_reverse_edges_are_opposite_and_edges_are_sorted_by_target(rule):
    g = decoder_graph(skewed(), rule)
    torch.testing.assert_close(g.unit[g.reverse], -g.unit)
    torch.testing.assert_close(g.distance[g.reverse], g.distance)
    assert torch.equal(g.source[g.reverse], g.target)
    assert torch.equal(g.reverse[g.reverse], torch.arange(len(g.source)))
    assert (g.target.diff() >= 0).all()
    assert len(g.source) % 2 == 0


def test_a_table_has_every_edge_once():
    g = decoder_graph(skewed(), "symmetric")
    x = torch.arange(1.0, len(g.source) + 1)
    table = g.table(x)
    assert table.shape == (g.n_atoms, g.n_slots)
    torch.testing.assert_close(g.edges(table), x)
    torch.testing.assert_close(table.sum(1), g.sum_over_edges(x))


def test_twenty_neighbours_in_fcc_split_the_third_shell_and_the_symmetric_rule_leaves_it_out():
    """12 x 2.5456, 6 x 3.6000, 2 of 24 x 4.4091 Å."""
    from dismai.models.cdvae.graph import nearest

    atoms = fcc()
    distance = torch.from_numpy(atoms.get_all_distances(mic=True))
    distance.fill_diagonal_(torch.inf)
    chosen = nearest(distance[None, :, :, None], 20)[0, :, :, 0]
    for row, mask in zip(distance, chosen, strict=True):
        near = [2.5456] * 12 + [3.6] * 6 + [4.4091] * 2
        assert_allclose(row[mask].sort().values, near, atol=1e-4)
    whole = decoder_graph(atoms, "symmetric")
    assert torch.bincount(whole.target).tolist() == [18] * 256
    degree = torch.bincount(decoder_graph(fcc(0.1), "reference").target)
    assert degree.min() >= 17  # 18 to 25 in the published code
    assert degree.max() <= 26
    assert abs(int(degree.sum()) / (20 * 256) - 1) < 0.015


def test_degrees_of_random_positions_are_those_of_the_published_rule():
    x = np.random.default_rng(0).random((256, 3))
    atoms = Atoms("Si256", scaled_positions=x, cell=[17.25] * 3, pbc=True)
    degree = torch.bincount(decoder_graph(atoms, "reference").target)
    assert 11 <= degree.min() <= 17  # 14 to 28
    assert 25 <= degree.max() <= 34
    assert abs(int(degree.sum()) / (20 * 256) - 1) < 0.015
    both_ends = torch.bincount(decoder_graph(atoms, "symmetric").target)
    assert both_ends.min() >= 19


@pytest.mark.parametrize(("rule", "equal"), [("symmetric", True), ("reference", False)])
def test_only_the_symmetric_rule_does_not_depend_on_the_order_of_atoms(rule, equal):
    atoms = fcc(0.1)
    order = np.random.default_rng(0).permutation(len(atoms))
    g, other = decoder_graph(atoms, rule), decoder_graph(atoms[order], rule)

    def lengths(graph, atom):
        return graph.distance[graph.target == atom].sort().values.tolist()

    same = [lengths(g, old) == pytest.approx(lengths(other, new)) for new, old in enumerate(order)]
    assert all(same) == equal


def test_angles_are_exact_in_half_precision():
    g = decoder_graph(fcc(0.1), "symmetric")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = g.cosines()
    assert torch.equal(half, g.cosines())


def test_atoms_on_top_of_each_other_and_lonely_atoms_have_no_edge():
    x = [[0, 0, 0], [0.0005, 0, 0], [0.5, 0.5, 0.5]]
    atoms = Atoms("Si3", scaled_positions=x, cell=[18.0] * 3, pbc=True)
    g = decoder_graph(atoms, "symmetric")
    assert len(g.source) == 0


def test_bonds_have_both_directions_and_the_vectors_of_their_images():
    atoms = skewed()
    g = bond_graph(atoms)
    torch.testing.assert_close(g.unit[g.reverse], -g.unit)
    assert torch.equal(g.source[g.reverse], g.target)
    end = atoms.positions[g.source] + (g.unit * g.distance[:, None]).numpy()
    remainder = (end - atoms.positions[g.target]) @ np.linalg.inv(atoms.cell.array)
    assert_allclose(remainder, remainder.round(), atol=1e-5)
    assert len(bond_graph(fcc(0.05)).source) == 12 * 256


def test_joined_graphs_are_the_single_ones_one_after_the_other():
    graphs = [bond_graph(skewed(20, 0)), bond_graph(skewed(15, 1))]
    both = join_graphs(graphs)
    x = torch.randn(len(both.source))
    first, second = x.split([len(g.source) for g in graphs])
    expected = torch.cat([graphs[0].sum_over_edges(first), graphs[1].sum_over_edges(second)])
    torch.testing.assert_close(both.sum_over_edges(x), expected)
    torch.testing.assert_close(both.edges(both.table(x)), x)
    assert torch.equal(both.source[both.reverse], both.target)
