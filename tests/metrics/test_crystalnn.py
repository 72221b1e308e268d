import warnings

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from dismai.base.errors import InputError, StructureError
from dismai.metrics import crystalnn
from dismai.metrics.crystalnn.elements import elements, radius
from tests.conftest import FRESH
from tests.makers import (
    GOLDEN,
    OXIDATION_STATES,
    interface264,
    random_cell,
    rattled_crystal,
    si256,
    slab,
)

SEEDS = st.integers(0, 2**32 - 1)
some = settings(max_examples=10)
SETTINGS = {
    "default": (crystalnn.DEFAULT, {}),
    "geometric": (
        crystalnn.GEOMETRIC,
        {"distance_cutoffs": None, "x_diff_weight": 0, "porous_adjustment": False},
    ),
    "cation_anion": (crystalnn.CATION_ANION, {"cation_anion": True}),
}


def fingerprints_of(atoms, sites, name, states=None):
    preset = crystalnn.Preset(SETTINGS[name][0], oxidation_states=states)
    return crystalnn.fingerprints(atoms, preset, crystalnn.tessellate(atoms, sites))


def to_pymatgen(atoms, states=None):
    structure = pytest.importorskip("pymatgen.io.ase").AseAtomsAdaptor.get_structure(atoms)
    if states:
        structure.add_oxidation_state_by_element(states)
    return structure


def matminer_fingerprints(atoms, sites, name, states=None):
    fingerprint = pytest.importorskip("matminer.featurizers.site").CrystalNNFingerprint
    featurizer = fingerprint.from_preset("ops", **SETTINGS[name][1])
    structure = to_pymatgen(atoms, states)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.array([featurizer.featurize(structure, int(i)) for i in sites])


def test_labels_are_those_of_the_reference():
    assert crystalnn.feature_names("amorphous_si") == GOLDEN["labels61"]
    assert crystalnn.feature_names("interface") == GOLDEN["labels109"]


def test_amorphous_cells_have_the_reference_fingerprints():
    golden = GOLDEN["si256"]
    first, second = (crystalnn.fingerprints(si256(seed)) for seed in (1, 2))
    np.testing.assert_allclose(first[0], golden["site0_fingerprint_seed1"], atol=2e-12)
    np.testing.assert_allclose(first.mean(0), golden["mean_fingerprint_seed1"], atol=2e-12)
    np.testing.assert_allclose(second.mean(0), golden["mean_fingerprint_seed2"], atol=2e-12)
    distance = np.linalg.norm(first.mean(0) - second.mean(0))
    np.testing.assert_allclose(distance, golden["d_motif_seed1_vs_seed2"], atol=1e-14)


def test_the_interface_cell_has_the_reference_fingerprints():
    golden, atoms = GOLDEN["interface264"], interface264()
    sites = crystalnn.sites(atoms, "interface")
    found = crystalnn.fingerprints(atoms, "interface")
    for element in ("Li", "Co", "Sc"):
        own = np.flatnonzero(atoms.symbols[sites] == element)
        assert sites[own[0]] == golden[f"first_{element}_site_index"]
        np.testing.assert_allclose(found[own[0]], golden[f"first_{element}"], atol=2e-12)
        np.testing.assert_allclose(found[own].mean(0), golden[f"mean_{element}"], atol=2e-12)


def test_spheres_grow_at_the_vacuum_as_in_the_reference():
    atoms = interface264()
    cells = crystalnn.tessellate(atoms, crystalnn.sites(atoms, "interface"))
    radii, counts = np.unique(cells.radius, return_counts=True)
    found = {f"{r:.6f}": int(n) for r, n in zip(radii, counts, strict=True)}
    assert found == GOLDEN["interface264"]["cutoff_radius_histogram"]


@pytest.mark.parametrize(
    ("key", "atoms", "name"),
    [
        ("diamond_a5.43_default", bulk("Si", a=5.43), "default"),
        ("diamond_geometric", bulk("Si", a=5.43), "geometric"),
        ("fcc_geometric", bulk("Cu", a=3.6), "geometric"),
        ("bcc_geometric", bulk("Fe", a=2.87), "geometric"),
        ("sc_geometric", bulk("Po", "sc", a=3.3), "geometric"),
    ],
)
def test_perfect_crystals_have_the_known_values(key, atoms, name):
    golden = GOLDEN["perfect_crystals"][key]
    expected = [golden.get(label, 0.0) for label in crystalnn.feature_names()]
    for cell in (atoms, atoms.repeat((2, 1, 2))):
        found = fingerprints_of(cell, np.arange(len(cell)), name)
        np.testing.assert_allclose(found, np.tile(expected, (len(cell), 1)), atol=1e-8)


@FRESH
@given(SEEDS)
def test_amorphous_silicon_agrees_with_matminer(seed):
    atoms = random_cell(np.random.default_rng(seed), 16)
    sites = np.arange(4)
    for name in ("default", "geometric"):
        np.testing.assert_allclose(
            fingerprints_of(atoms, sites, name),
            matminer_fingerprints(atoms, sites, name),
            atol=1e-8,
            err_msg=f"seed {seed}",
        )


@FRESH
@given(SEEDS)
def test_rattled_crystals_agree_with_matminer(seed):
    atoms = rattled_crystal(np.random.default_rng(seed))
    sites = np.arange(3)
    for name in ("default", "geometric"):
        np.testing.assert_allclose(
            fingerprints_of(atoms, sites, name),
            matminer_fingerprints(atoms, sites, name),
            atol=1e-8,
            err_msg=f"seed {seed}",
        )


@FRESH
@given(SEEDS)
def test_surface_atoms_below_a_vacuum_agree_with_matminer(seed):
    rng = np.random.default_rng(seed)
    atoms = slab(rng, rattle=rng.choice([0.01, 0.15]))
    cells = crystalnn.tessellate(atoms, crystalnn.sites(atoms, "interface"))
    sites = cells.sites[np.argsort(-cells.radius, kind="stable")[:5]]
    try:
        own = crystalnn.fingerprints(atoms, "interface", crystalnn.tessellate(atoms, sites))
    except StructureError:  # a cation among cations, an error in the libraries too
        reject()
    peer = matminer_fingerprints(atoms, sites, "cation_anion", OXIDATION_STATES)
    np.testing.assert_allclose(own[:, :61], peer, atol=1e-8, err_msg=f"seed {seed}")


@FRESH
@given(SEEDS)
def test_two_species_agree_with_matminer_with_and_without_charges(seed):
    rng = np.random.default_rng(seed)
    cation, anion = rng.choice(["Na", "Mg", "Ti", "Fe"]), rng.choice(["O", "S", "Cl"])
    atoms = random_cell(rng, 12, [cation, anion])
    atoms.symbols[0], atoms.symbols[1] = cation, anion
    charges = {cation: float(rng.choice([1, 2, 2.5])), anion: float(rng.choice([-1, -2]))}
    sites = np.arange(3)
    for name, states in (("default", None), ("default", charges), ("cation_anion", charges)):
        try:
            own = fingerprints_of(atoms, sites, name, states)
        except StructureError:  # no anion next to a cation, an error in pymatgen too
            reject()
        peer = matminer_fingerprints(atoms, sites, name, states)
        np.testing.assert_allclose(own, peer, atol=1e-8, err_msg=f"seed {seed}, {name}, {states}")


@FRESH
@given(SEEDS)
def test_neighbors_are_those_of_pymatgen(seed):
    rng = np.random.default_rng(seed)
    atoms = random_cell(rng, 10, ["Na", "Cl"], 25.0)
    atoms.symbols[:2] = ["Na", "Cl"]
    charges = {"Na": 1, "Cl": -1}
    own, kwargs = SETTINGS["cation_anion"]
    peer = pytest.importorskip("pymatgen.analysis.local_env").CrystalNN(**kwargs)
    try:
        index, shift, weight = crystalnn.neighbors(atoms, 0, own, charges)
    except StructureError:  # no anion next to the cation, an error in pymatgen too
        reject()
    data = peer.get_nn_data(to_pymatgen(atoms, charges), 0)
    expected = data.cn_nninfo[max(data.cn_weights, key=data.cn_weights.get)]
    vectors = atoms.positions[index] + shift @ atoms.cell.array
    assert list(index) == [entry["site_index"] for entry in expected], f"seed {seed}"
    peer_vectors = np.reshape([entry["site"].coords for entry in expected], (-1, 3))
    np.testing.assert_allclose(vectors, peer_vectors, atol=1e-8)
    np.testing.assert_array_equal(weight, [entry["weight"] for entry in expected])
    likelihood = crystalnn.coordination_likelihoods(atoms, own, charges)[0]
    for number, chance in data.cn_weights.items():
        np.testing.assert_allclose(likelihood[number], chance, atol=1e-8)


def test_the_neighbor_list_is_that_of_all_atoms():
    atoms = random_cell(np.random.default_rng(5), 20)
    i, j, shift, weight = crystalnn.neighbor_list(atoms)
    for site in range(20):
        own = crystalnn.neighbors(atoms, site)
        for column, expected in zip((j, shift, weight), own, strict=True):
            np.testing.assert_array_equal(column[i == site], expected)


@some
@given(SEEDS)
def test_fingerprints_do_not_change_with_the_frame(seed):
    rng = np.random.default_rng(seed)
    atoms = random_cell(rng, 14)
    expected = crystalnn.fingerprints(atoms)
    moved = atoms.copy()
    moved.positions += rng.normal(0, 30, 3)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))  # rotation or reflection
    moved.positions = moved.positions @ turn
    moved.cell = moved.cell.array @ turn
    np.testing.assert_allclose(crystalnn.fingerprints(moved), expected, atol=1e-9)
    order = rng.permutation(14)
    np.testing.assert_allclose(crystalnn.fingerprints(atoms[order]), expected[order], atol=1e-9)


@some
@given(SEEDS)
def test_fingerprints_of_a_supercell_are_the_same(seed):
    rng = np.random.default_rng(seed)
    atoms = random_cell(rng, 8)
    expected = crystalnn.fingerprints(atoms)
    found = crystalnn.fingerprints(atoms.repeat(rng.integers(1, 4, 3)))
    np.testing.assert_allclose(found, np.tile(expected, (len(found) // 8, 1)), atol=1e-9)


@some
@given(SEEDS)
def test_voronoi_cells_fill_space(seed):
    rng = np.random.default_rng(seed)
    atoms = random_cell(rng, 12, volume_per_atom=15.0)
    cells = crystalnn.tessellate(atoms, search_radius=12.0)
    volume = (cells.area * cells.distance).sum() / 6
    np.testing.assert_allclose(volume, atoms.get_volume(), rtol=1e-11)
    solid_angle = np.add.reduceat(cells.solid_angle, cells.start[:-1])
    np.testing.assert_allclose(solid_angle, 4 * np.pi, rtol=1e-11)


@some
@given(SEEDS)
def test_cells_below_a_vacuum_are_closed(seed):
    rng = np.random.default_rng(seed)
    for rattle in (0.0, 0.01, 0.15):  # the flatter, the farther away the corners
        cells = crystalnn.tessellate(slab(rng, rattle))
        solid_angle = np.add.reduceat(cells.solid_angle, cells.start[:-1])
        np.testing.assert_allclose(solid_angle, 4 * np.pi, rtol=1e-9)


def test_vectors_follow_from_indices_and_translations():
    atoms = random_cell(np.random.default_rng(8), 9)
    cells = crystalnn.tessellate(atoms)
    first = np.repeat(cells.sites, np.diff(cells.start))
    vectors = atoms.positions[cells.neighbor] + cells.shift @ atoms.cell.array
    np.testing.assert_allclose(vectors - atoms.positions[first], cells.vector, atol=1e-9)


@pytest.mark.parametrize("height", [1e-2, 1e-3, 1e-6])
def test_a_cell_that_closes_far_away_is_exact(height):
    # four atoms a little above a fifth: its cell is a pyramid with the tip at 9 / (2 height)
    ring = [(3, 0, height), (0, 3, height), (-3, 0, height), (0, -3, height)]
    atoms = Atoms("Si6", [(0, 0, 0), *ring, (0, 0, -2)], cell=[60, 60, 60], pbc=True)
    cells = crystalnn.tessellate(atoms, [0])
    tip = (9 + height**2) / (2 * height)
    half_side = ((9 + height**2) / 2 + height) / 3  # of the square base at z = -1
    assert cells.radius[0] == 7
    volume = (cells.area * cells.distance).sum() / 6
    exact = 4 * half_side**2 * (tip + 1) / 3
    np.testing.assert_allclose(volume, exact, rtol=max(1e-12, 1e-15 / height))
    np.testing.assert_allclose(cells.solid_angle.sum(), 4 * np.pi, rtol=1e-12)


@pytest.mark.parametrize("name", ["He", "C", "Cl", "Mn", "Fe", "La", "U", "Cm"])
def test_radii_of_ions_are_those_of_pymatgen(name):
    local_env = pytest.importorskip("pymatgen.core.local_env")
    core = pytest.importorskip("pymatgen.core")
    for state in (-3, -2, -1.5, -1, 0, 1, 2, 2.4, 2.5, 3, 3.7, 4, 6, 8):
        site = core.Site(core.Species(name, state), [0, 0, 0])
        expected = float(local_env._get_radius(site) or 0)
        np.testing.assert_allclose(radius(elements()[name], state), expected, rtol=1e-15)


def test_the_element_table_is_that_of_pymatgen():
    core = pytest.importorskip("pymatgen.core")
    local_env = pytest.importorskip("pymatgen.core.local_env")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for element in core.Element:
            if element.symbol in ("D", "T"):
                continue
            own = elements()[element.symbol]
            covalent = local_env.CovalentRadius.radius.get(element.symbol, np.nan)
            atomic = np.nan if element.atomic_radius is None else element.atomic_radius
            np.testing.assert_equal(own.electronegativity, element.X)
            np.testing.assert_equal(own.covalent_radius, covalent)
            np.testing.assert_equal(own.atomic_radius, float(atomic))
            assert own.ionic_radii == {k: float(v) for k, v in element.ionic_radii.items()}


def test_an_atom_without_neighbors_in_reach_has_only_zeros():
    atoms = Atoms("Si2", [(0, 0, 0), (4, 0, 0)], cell=[8, 8, 8], pbc=True)
    assert not crystalnn.fingerprints(atoms).any()
    likelihoods = crystalnn.coordination_likelihoods(atoms)
    np.testing.assert_array_equal(likelihoods[:, 0], 1.0)
    assert len(crystalnn.neighbors(atoms, 0)[0]) == 0


@pytest.mark.parametrize(
    ("atoms", "reason"),
    [
        (Atoms(cell=[5, 5, 5], pbc=True), "found none"),
        (Atoms("Si", [(np.nan, 0, 0)], cell=[5, 5, 5], pbc=True), "finite"),
        (Atoms("Si", [(0, 0, 0)], cell=[5, np.inf, 5], pbc=True), "finite"),
        (Atoms("Si", [(0, 0, 0)], pbc=True), "volume"),
        (Atoms("Si2", [(0, 0, 0), (0, 0, 5)], cell=[5, 5, 5], pbc=True), "same point"),
        (Atoms("Si", [(0, 0, 0)], cell=[0.01, 0.01, 0.01], pbc=True), "points"),
        (
            Atoms("Si9", np.random.default_rng(0).random((9, 3)), cell=[0.05] * 3, pbc=True),
            "points",
        ),
    ],
)
def test_a_structure_without_sense_costs_itself(atoms, reason):
    with pytest.raises(StructureError, match=reason):
        crystalnn.fingerprints(atoms)


def test_a_huge_box_takes_no_longer():
    atoms = si256(1)
    atoms.set_cell([1e6] * 3)
    cells = crystalnn.tessellate(atoms, np.arange(0, 256, 16))
    solid_angle = np.add.reduceat(cells.solid_angle, cells.start[:-1])
    np.testing.assert_allclose(solid_angle, 4 * np.pi, rtol=1e-6)


def test_a_thin_cell_is_refused_at_once():
    atoms = si256(1)
    atoms.set_cell([[4.253, 16.665, 0.005], [4.258, 16.664, 0], [0, 0, 32]])
    with pytest.raises(StructureError, match="points|thin"):
        crystalnn.fingerprints(atoms)


def test_a_cation_without_anions_fails():
    atoms = bulk("Li", a=3.5).repeat(2)
    with pytest.raises(StructureError, match="opposite charge"):
        crystalnn.fingerprints(atoms, "interface")


def test_missing_periodic_flags_are_taken_as_set():
    atoms = bulk("Si", a=5.43)
    expected = crystalnn.fingerprints(atoms)
    atoms.pbc = False
    with pytest.warns(UserWarning, match="periodic"):
        np.testing.assert_array_equal(crystalnn.fingerprints(atoms), expected)


def test_wrong_arguments_are_named():
    atoms = bulk("NaCl", "rocksalt", a=5.64)
    with pytest.raises(InputError, match="preset"):
        crystalnn.fingerprints(atoms, "silicon")
    with pytest.raises(InputError, match="site"):
        crystalnn.neighbors(atoms, 2)
    with pytest.raises(InputError, match="oxidation state"):
        crystalnn.neighbors(atoms, 0, crystalnn.CATION_ANION)
    with pytest.raises(InputError, match="oxidation states"):
        crystalnn.neighbors(atoms, 0, crystalnn.CATION_ANION, [1.0])
