"""CDVAE's networks: sizes, symmetries, and sums over triplets against slow ones."""

import math

import numpy as np
import pytest
import torch
from ase import Atoms
from numpy.testing import assert_allclose
from scipy.special import eval_legendre, spherical_jn
from torch.nn import functional

import dismai.models
from dismai.geometry.fcc import fractional_sites
from dismai.models.cdvae.bases import (
    BesselBasis,
    SineBasis,
    legendre_harmonics,
    polynomial_envelope,
    singular_envelope,
)
from dismai.models.cdvae.decoder import Bases, Decoder
from dismai.models.cdvae.denoise import denoise
from dismai.models.cdvae.encoder import Encoder, bond_graph, join_graphs
from dismai.models.cdvae.graph import nearest_graph
from dismai.models.cdvae.hparams import Hparams

ENERGY_BRANCHES = 467_456


@pytest.mark.parametrize(
    ("dataset", "published"),
    [
        ("amorphous_si", 4_934_939),
        ("alloy_300K_narrow", 4_940_329),
        ("interface", 4_942_000),
    ],
)
def test_parameters_are_the_published_ones_without_the_energy_branches(dataset, published):
    assert dismai.models.parameter_count("cdvae", dataset) == published - ENERGY_BRANCHES


def test_parameters_of_every_part():
    model = dismai.models.create("cdvae", dismai.models.paper_spec("interface"))
    networks = model.new_networks(0)
    count = {
        name: sum(p.numel() for p in part.parameters()) for name, part in networks.named_children()
    }
    assert count["encoder"] == 2_213_510
    assert count["decoder"] == 2_322_944 - ENERGY_BRANCHES
    assert count["mean"] + count["log_variance"] == 131_584
    assert [count[name] for name in ("number", "lattice", "composition")] == [133897, 67334, 72731]


def alloy(seed=0):
    """Fcc with 0.1 Å of noise: positions, (1, 256, 3), species blocks, cell, z."""
    random = torch.Generator().manual_seed(seed)
    sites = torch.from_numpy(fractional_sites((4, 4, 4))).float()
    x = sites[torch.randperm(256, generator=random)]
    x = (x + torch.randn(256, 3, generator=random) * 0.1 / 14.4) % 1.0
    numbers = torch.tensor([24] * 51 + [26] * 154 + [28] * 51)[None]
    z = torch.randn(1, 256, generator=random)
    return x[None], numbers, torch.eye(3)[None] * 14.4, z


@pytest.fixture(scope="module")
def decoder():
    return Decoder(Hparams(), 28, torch.Generator().manual_seed(0)).requires_grad_(False)


def score(decoder, x, numbers, cell, z, **changes):
    return denoise(decoder, Hparams(**changes), z, x, numbers, cell)[0]


def test_the_output_does_not_change_with_a_translation(decoder):
    x, *rest = alloy()
    before = score(decoder, x, *rest)
    after = score(decoder, (x + torch.tensor([0.123, 0.456, 0.789])) % 1.0, *rest)
    assert 0.3 < before.std() < 3
    assert (after - before).abs().max() < 1e-4


def test_the_output_turns_with_the_crystal(decoder):
    x, *rest = alloy()
    turn = torch.tensor([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    before = score(decoder, x, *rest) @ turn
    after = score(decoder, (x @ turn) % 1.0, *rest)
    assert (after - before).norm() / before.norm() < 5e-5


@pytest.mark.parametrize(
    ("rule", "low", "high"), [("symmetric", 0, 1e-5), ("reference", 0.035, 0.13)]
)
def test_the_order_of_atoms_of_a_species_matters_by_the_reference_rule_only(
    decoder, rule, low, high
):
    x, *rest = alloy()
    random = torch.Generator().manual_seed(1)
    blocks = zip((0, 51, 205), (51, 154, 51), strict=True)
    order = torch.cat([start + torch.randperm(n, generator=random) for start, n in blocks])
    before = score(decoder, x, *rest, graph=rule)[:, order]
    after = score(decoder, x[:, order], *rest, graph=rule)
    assert low <= (after - before).norm() / before.norm() < high


def test_a_batch_of_two_is_two_batches_of_one(decoder):
    first, second = alloy(0), alloy(1)
    both = score(decoder, *(torch.cat(pair) for pair in zip(first, second, strict=True)))
    for i, alone in enumerate((first, second)):
        assert (both[i] - score(decoder, *alone)[0]).abs().max() < 1e-5


@pytest.mark.parametrize("envelope", [polynomial_envelope, singular_envelope])
def test_an_envelope_ends_smoothly_at_the_cutoff(envelope):
    x = torch.tensor(1.0 - 1e-12, dtype=torch.float64, requires_grad=True)
    value = envelope(x)
    (slope,) = torch.autograd.grad(value, x, create_graph=True)
    (curvature,) = torch.autograd.grad(slope, x)
    assert max(abs(v.item()) for v in (value, slope, curvature)) < 1e-6
    assert envelope(torch.tensor(1.01)) == 0


def test_radial_parts_agree_with_bessel_functions():
    distance = np.array([0.3, 1.7, 2.5, 6.9])
    basis = BesselBasis(7, 6, 7.0)
    x = distance / 7.0
    for order in range(7):
        for n in range(6):
            zero = float(basis.zeros[order, n])
            assert abs(spherical_jn(order, zero)) < 1e-12
            norm = math.sqrt(2) / abs(spherical_jn(order + 1, zero))
            envelope = 1 / x - 28 * x**5 + 48 * x**6 - 21 * x**7
            expected = envelope * norm * spherical_jn(order, zero * x)
            found = basis(torch.from_numpy(distance))[:, order, n]
            assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    for order in range(7):
        cosine = torch.linspace(-1, 1, 9, dtype=torch.float64)
        expected = math.sqrt((2 * order + 1) / (4 * math.pi)) * eval_legendre(order, cosine.numpy())
        assert_allclose(legendre_harmonics(cosine, 7)[:, order], expected, atol=1e-12)


@pytest.mark.slow  # the library derives its bases symbolically
def test_bases_of_the_encoder_agree_with_the_library():
    from torch_geometric.nn.models.dimenet import BesselBasisLayer, SphericalBasisLayer

    random = torch.Generator().manual_seed(0)
    distance = 1.5 + 5 * torch.rand(10, generator=random)
    theirs = BesselBasisLayer(6, 7.0, 5)(distance)
    torch.testing.assert_close(SineBasis(6, 7.0)(distance), theirs)
    angle = math.pi * torch.rand(10, generator=random)
    theirs = SphericalBasisLayer(7, 6, 7.0, 5)(distance, angle, torch.arange(10))
    harmonics = legendre_harmonics(angle.cos(), 7)
    ours = BesselBasis(7, 6, 7.0)(distance) * harmonics[:, :, None]
    torch.testing.assert_close(ours.flatten(1), theirs, rtol=1e-3, atol=1e-3)


def random_silicon(n=12, seed=0):
    x = np.random.default_rng(seed).random((n, 3))
    return Atoms(f"Si{n}", scaled_positions=x, cell=[6.5, 7.0, 7.5], pbc=True)


def triplets(g, same_atom):
    """Pairs of edges (c->a, b->a), c != b; those with b = c in another image if same_atom."""
    return [
        (c, b)
        for c in range(len(g.source))
        for b in range(len(g.source))
        if g.target[c] == g.target[b] and c != b and (same_atom or g.source[c] != g.source[b])
    ]


def test_an_interaction_of_the_encoder_agrees_with_the_library():
    """The library gathers every triplet k->j->i."""
    from torch_geometric.nn.models.dimenet import InteractionPPBlock

    h = Hparams(encoder_blocks=1)
    encoder = Encoder(h, torch.Generator().manual_seed(0)).requires_grad_(False)
    ours = encoder.interactions[0]
    theirs = InteractionPPBlock(128, 64, 8, 7, 6, 1, 2, functional.silu)
    names = {
        "lin_rbf1": ours.radial[0],
        "lin_rbf2": ours.radial[1],
        "lin_sbf1": ours.spherical[0],
        "lin_sbf2": ours.spherical[1],
        "lin_kj": ours.neighbour,
        "lin_ji": ours.same,
        "lin_down": ours.down,
        "lin_up": ours.up,
        "lin": ours.skip,
    }
    for name, layer in names.items():
        getattr(theirs, name).load_state_dict(layer.state_dict())
    pairs = zip(
        [theirs.layers_before_skip[0], *theirs.layers_after_skip],
        [ours.before, *ours.after],
        strict=True,
    )
    for layer, own in pairs:
        layer.lin1.load_state_dict(own.first.state_dict())
        layer.lin2.load_state_dict(own.second.state_dict())

    g = bond_graph(random_silicon())
    x = torch.randn(len(g.source), 128, generator=torch.Generator().manual_seed(1))
    rbf, bessel = encoder.sine(g.distance), encoder.bessel(g.distance)
    c, kj = torch.tensor(triplets(g, same_atom=False)).T
    cosine = -(g.unit[c] * g.unit[kj]).sum(1)  # c is i->j: its reverse is the edge j->i
    sbf = (bessel[kj] * legendre_harmonics(cosine, 7)[:, :, None]).flatten(1)
    expected = theirs(x, rbf, sbf, kj, g.reverse[c])
    found = ours(x, rbf, bessel, encoder._angular(g), g)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_the_sum_over_triplets_of_the_decoder_agrees_with_a_slow_one():
    h = Hparams(hidden=8, triplet=6, basis=4, radial=10, latent=5, neighbours=6)
    decoder = Decoder(h, 14, torch.Generator().manual_seed(0)).requires_grad_(False)
    atoms = random_silicon()
    x = torch.from_numpy(atoms.get_scaled_positions()).float()[None]
    g = nearest_graph(x, torch.from_numpy(atoms.cell.array).float()[None], 7.0, 6, "symmetric")
    bases, block = Bases(decoder, g), decoder.blocks[0].triplets
    m = torch.randn(len(g.source), 8, generator=torch.Generator().manual_seed(1))

    def activate(y):
        return functional.silu(y) / 0.6

    rbf = decoder.gaussians(g.distance)
    t = activate(m @ block.message.weight.T)
    t = t * (rbf @ decoder.triplet_basis.weight.T @ block.radial.weight.T) * 18.873615
    t = activate(t @ block.down.weight.T)
    out = torch.zeros(len(g.source), 6)
    down = decoder.circular_basis  # (7, radial, basis)
    for c, b in triplets(g, same_atom=True):
        cosine = (g.unit[c] * g.unit[b]).sum().clamp(-1, 1)
        circular = torch.einsum("n,l,lni->i", rbf[c], legendre_harmonics(cosine, 7), down)
        out[c] += 7.996850 * torch.einsum("i,j,jik->k", circular, t[b], block.bilinear)
    expected = activate(out @ block.up.weight.T)
    expected = (expected + activate(out @ block.up_reverse.weight.T)[g.reverse]) / math.sqrt(2)
    found = block(m, bases.triplet, bases.circular, bases.angular, g)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_the_latent_mean_does_not_change_with_order_rotation_or_translation():
    h = Hparams()
    random = torch.Generator().manual_seed(0)
    encoder = Encoder(h, random).requires_grad_(False)
    for output in encoder.outputs:  # zero at the start
        torch.nn.init.orthogonal_(output.last.weight, generator=random)
    atoms = Atoms("Si32", scaled_positions=fractional_sites((2, 2, 2)), cell=[7.6] * 3, pbc=True)
    atoms.numbers[:9] = 28
    atoms.rattle(0.2, seed=1)
    changed = atoms[np.random.default_rng(0).permutation(32)]
    changed.rotate(37, (1, 2, 3), rotate_cell=True)
    changed.translate([0.3, 4.0, 2.0])
    changed.wrap()
    both = [
        encoder(torch.from_numpy(a.numbers), join_graphs([bond_graph(a)]), 1)
        for a in (atoms, changed)
    ]
    assert both[0].std() > 1e-3
    assert (both[1] - both[0]).abs().max() / both[0].abs().max() < 1e-5


def test_every_parameter_gets_a_gradient_but_the_rows_of_absent_elements():
    """What the published decoder computes in vain, 467,456 parameters, is not here."""
    from dismai.models.cdvae.module import CDVAEModule, bonded_structures
    from tests.makers import alloy_spec, permuted_alloys

    spec = alloy_spec()
    model = dismai.models.create("cdvae", spec)
    networks = model.new_networks(0)
    random = torch.Generator().manual_seed(1)
    for output in networks.encoder.outputs:  # zero at the start
        torch.nn.init.normal_(output.last.weight, std=1e-3, generator=random)
    data = bonded_structures(permuted_alloys(2), spec)
    numbers = torch.from_numpy(permuted_alloys(1)[0].numbers)
    module = CDVAEModule(networks, numbers, torch.tensor(spec.cell), model.hparams, 0)
    module.losses(data[[0, 1]], random, teacher_forcing=True)["loss"].backward()
    assert all(p.grad.abs().sum() > 0 for p in networks.parameters())
    tables = (networks.encoder.elements, networks.decoder.species)
    dead = sum(int((table.grad == 0).all(1).sum()) * table.shape[1] for table in tables)
    assert dead == model.dead_parameter_count() == (95 - 3) * 128 + (28 - 3) * 128
