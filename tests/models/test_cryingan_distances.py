"""Facts about the six nearest distances: known crystals, symmetry, gradients."""

import numpy as np
import pytest
import torch
from ase.build import bulk, make_supercell
from ase.neighborlist import neighbor_list
from numpy.testing import assert_allclose

from dismai.models.cryingan.distances import nearest_distances, smallest_width

SKEWED = torch.tensor([[8.0, 0.5, 0.0], [-2.5, 7.0, 1.0], [1.0, -1.5, 9.0]], dtype=torch.float64)


def random_coordinates(n_structures=3, n_atoms=24, seed=0):
    random = torch.Generator().manual_seed(seed)
    return torch.rand(n_structures, n_atoms, 3, generator=random, dtype=torch.float64)


def of_crystal(atoms):
    x = torch.tensor(atoms.get_scaled_positions())[None]
    return nearest_distances(x, torch.tensor(atoms.cell.array), 6)[0].numpy()


@pytest.mark.parametrize("repeat", [1, 2, 4])
def test_fcc(repeat):
    distances = of_crystal(bulk("Ni", a=3.6, cubic=True) * (repeat, repeat, repeat))
    assert_allclose(distances, 2.545584, atol=1e-6)


def test_diamond():
    distances = of_crystal(bulk("Si", a=5.43, cubic=True) * (2, 2, 2))
    assert_allclose(distances, np.tile([2.3513] * 4 + [3.8396] * 2, (64, 1)), atol=1e-4)


def test_agrees_with_the_neighbour_list_of_ase():
    atoms = make_supercell(bulk("Si", a=5.43), [[2, 0, 0], [0, 2, 0], [0, 0, 2]])
    atoms.rattle(0.3, seed=5)
    first, distance = neighbor_list("id", atoms, 7.0)
    expected = [np.sort(distance[first == i])[:6] for i in range(len(atoms))]
    assert_allclose(of_crystal(atoms), expected, atol=1e-9)


@pytest.mark.parametrize("cell", [torch.eye(3, dtype=torch.float64) * 9.0, SKEWED])
def test_minimum_images_and_27_copies_agree(cell):
    x = random_coordinates(n_atoms=60)
    quick = nearest_distances(x.float(), cell.float(), 6)
    exact = nearest_distances(x, cell, 6, shortcut=False)
    assert_allclose(quick.numpy(), exact.numpy(), atol=1e-4)


def test_shift_and_rotation_change_nothing():
    x, cell = random_coordinates(), SKEWED
    reference = nearest_distances(x.float(), cell.float(), 6)
    shift = torch.tensor([0.31, 0.77, 0.05], dtype=torch.float64)
    shifted = nearest_distances(((x + shift) % 1).float(), cell.float(), 6)
    rotation = torch.linalg.qr(random_coordinates(1, 3, seed=1)[0]).Q
    rotated = nearest_distances(x.float(), (cell @ rotation).float(), 6)
    assert_allclose(shifted, reference, atol=1e-4)
    assert_allclose(rotated, reference, atol=1e-4)


@pytest.mark.parametrize("shortcut", [True, False])
def test_gradient_agrees_with_central_differences(shortcut):
    x = random_coordinates(1, 12).requires_grad_()
    nearest_distances(x, SKEWED, 6, shortcut).sum().backward()
    step = 1e-6
    for atom, axis in ((0, 0), (5, 1), (11, 2)):
        ends = []
        for sign in (1, -1):
            moved = x.detach().clone()
            moved[0, atom, axis] += sign * step
            ends.append(nearest_distances(moved, SKEWED, 6, shortcut).sum().item())
        slope = (ends[0] - ends[1]) / (2 * step)
        assert_allclose(x.grad[0, atom, axis].item(), slope, rtol=1e-6)


def test_coincident_atoms_have_a_finite_gradient():
    x = torch.full((1, 8, 3), 0.5, requires_grad=True)
    nearest_distances(x, SKEWED.float(), 6).sum().backward()
    assert torch.isfinite(x.grad).all()


def test_fewer_atoms_than_neighbours():
    distances = nearest_distances(torch.zeros(1, 1, 3), 3.0 * torch.eye(3), 6)
    assert_allclose(distances, 3.0 * np.ones((1, 1, 6)), rtol=1e-6)


def test_smallest_width_of_a_skewed_cell():
    volume = torch.linalg.det(SKEWED)
    areas = [torch.linalg.cross(SKEWED[i], SKEWED[j]).norm() for i, j in ((0, 1), (1, 2), (0, 2))]
    assert_allclose(smallest_width(SKEWED).item(), (volume / max(areas)).item(), rtol=1e-12)
