"""Noise of DiffCSP: the wrapped score, its normaliser, levels, sampling with a perfect network."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from dismai.models.diffcsp.hparams import Hparams
from dismai.models.diffcsp.noise import (
    NoiseSchedule,
    cosine_alpha_bar,
    lattice_matrix,
    mean_square_score,
    negative_score,
)
from dismai.models.diffcsp.sampler import (
    Streams,
    ancestral_step,
    predictor_corrector,
    visited_levels,
)


def schedule(**settings):
    settings = {"sigma_end": 0.1, **settings}
    return NoiseSchedule(Hparams(**settings), torch.Generator().manual_seed(0))


def g(x, sigma):
    x, sigma = torch.tensor([x, sigma], dtype=torch.float64)
    return negative_score(x, sigma)


@pytest.mark.parametrize(
    ("x", "sigma", "value"),
    [
        *((0.1, 0.1, 10.0), (0.25, 0.1, 25.0), (0.5, 0.1, 0.0), (0.9, 0.1, -10.0)),
        *((0.25, 0.5, 0.090376), (0.3, 0.005, 12_000.0)),  # the last: 0/0 as a plain quotient
    ],
)
def test_values_of_the_score(x, sigma, value):
    assert g(x, sigma).item() == pytest.approx(value, abs=5e-5 if sigma < 0.2 else 5e-7)


def test_the_score_is_odd_has_period_one_and_is_the_plain_quotient():
    x = torch.linspace(-0.7, 0.7, 57, dtype=torch.float64)
    for sigma in (0.02, 0.1, 0.3, 0.7):
        s = torch.tensor(sigma, dtype=torch.float64)
        assert_close(negative_score(-x, s), -negative_score(x, s))
        assert_close(negative_score(x + 1, s), negative_score(x, s), rtol=1e-7, atol=1e-7)
        if sigma > 0.05:
            shifted = x[:, None] + torch.arange(-10, 11)
            weight = torch.exp(-(shifted**2) / (2 * sigma**2))
            quotient = (shifted * weight).sum(1) / (sigma**2 * weight.sum(1))
            assert_close(negative_score(x, s), quotient, rtol=1e-9, atol=1e-9)


def test_the_score_is_finite_everywhere_also_in_single_precision():
    x = torch.linspace(-3, 3, 601)
    for sigma in (0.005, 0.1, 0.5):
        assert negative_score(x, torch.tensor(sigma)).isfinite().all()


@pytest.mark.parametrize(("end", "middle"), [(0.05, 0.0158), (0.1, 0.0223)])
def test_levels_rise_in_equal_ratios(end, middle):
    sigma = schedule(sigma_end=end).sigma
    assert len(sigma) == 1001
    assert sigma[[0, 1, 500, 1000]].tolist() == pytest.approx([0, 0.005, middle, end], abs=5e-5)


@pytest.mark.parametrize("sigma", [0.005, 0.02, 0.05, 0.08, 0.085])
def test_the_mean_square_score_is_one_over_sigma_squared_at_low_noise(sigma):
    s = torch.tensor([sigma], dtype=torch.float64)
    assert (mean_square_score(s) * s**2).item() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(("sigma", "value"), [(0.1, 0.999955358997855), (0.2, 0.763101913398713)])
def test_the_mean_square_score_where_images_overlap(sigma, value):
    """n sigma^2 by 40-digit quadrature (mpmath) of p g^2 over the cell, images -10..10.

    At 0.1 the exact number itself is 4.46e-5 below 1: neighbouring images begin to matter.
    """
    s = torch.tensor([sigma], dtype=torch.float64)
    assert (mean_square_score(s) * s**2).item() == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize("sigma", [0.05, 0.1, 0.2, 0.5])
def test_the_mean_square_score_agrees_with_an_integral_over_the_cell(sigma):
    x = torch.linspace(-0.5, 0.5, 20_001, dtype=torch.float64)
    images = x[:, None] + torch.arange(-10, 11)
    density = torch.exp(-(images**2) / (2 * sigma**2)).sum(1) / (sigma * np.sqrt(2 * np.pi))
    s = torch.tensor([sigma], dtype=torch.float64)
    integral = torch.trapezoid(density * negative_score(x, s) ** 2, x)
    assert_close(mean_square_score(s)[0], integral, rtol=1e-6, atol=0)


def test_the_published_normaliser_is_within_five_percent():
    drawn = schedule(normaliser="monte_carlo", timesteps=40, steps=40)
    exact = schedule(timesteps=40, steps=40)
    assert drawn.root_n[0] == 1
    assert_close(drawn.root_n**2, exact.root_n**2, rtol=0.05, atol=0)
    assert (drawn.root_n != exact.root_n)[1:].all()


def test_noise_is_what_was_drawn_and_a_network_that_answers_zero_has_loss_one():
    noise = schedule()
    random = torch.Generator().manual_seed(3)
    f = torch.rand(400, 16, 3, generator=random)
    t = torch.randint(1, 1001, (400,), generator=random)
    eps = torch.randn(f.shape, generator=random)
    f_t, target = noise.disturb(f, t, eps)
    assert f_t.min() >= 0
    assert f_t.max() <= 1
    back = torch.remainder(f_t - noise.sigma[t][:, None, None] * eps - f + 0.5, 1.0) - 0.5
    assert back.abs().max() < 1e-6
    assert target.square().mean().item() == pytest.approx(1.0, abs=0.02)
    assert_close(target[t < 900], eps[t < 900], rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("n_atoms", [4, 256])
def test_an_output_that_no_shift_changes_leaves_a_loss_of_one_over_n(n_atoms):
    """0.0039 for 256 atoms: the atom mean of the noise cannot be seen."""
    noise, random = schedule(sigma_end=0.05), torch.Generator().manual_seed(3)
    f = torch.rand(500, n_atoms, 3, generator=random)
    t = torch.randint(1, 1001, (500,), generator=random)
    _, target = noise.disturb(f, t, torch.randn(f.shape, generator=random))
    best = target - target.mean(1, keepdim=True)
    assert (best - target).square().mean().item() == pytest.approx(1 / n_atoms, rel=0.1)


class Oracle:
    """The exact scores of one structure."""

    def __init__(self, f, noise):
        self.f, self.noise, self.before_last = f, noise, None
        self.calls = []

    def __call__(self, f, t, lattice):
        sigma, root_n = self.noise.sigma[t[0]], self.noise.root_n[t[0]]
        self.calls.append(t[0].item())
        if t[0] == 1 and self.calls.count(1) == 1:
            self.before_last = self.error(f)
        return negative_score(f - self.f, sigma) / root_n, torch.zeros_like(lattice)

    def error(self, f):
        return (torch.remainder(f - self.f + 0.5, 1.0) - 0.5).abs().max().item()


def drawn_with_an_oracle(noise, n_atoms=8, **settings):
    noise = noise.double()
    f = torch.rand(n_atoms, 3, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    oracle = Oracle(f, noise)
    streams = Streams([0, 1], torch.device("cpu"))
    hparams = Hparams(**{"sigma_end": 0.1, **settings})
    lattice = torch.eye(3).expand(2, 3, 3)
    f, _ = predictor_corrector(oracle, noise, lattice, n_atoms, streams, hparams)
    return oracle, oracle.error(f)


def test_a_perfect_network_leads_to_its_structure():
    oracle, error = drawn_with_an_oracle(schedule(), n_atoms=256)
    assert error < 1e-6
    assert oracle.before_last == pytest.approx(0.02, rel=0.3)
    assert oracle.calls == [t for t in range(1000, 0, -1) for _ in range(2)]


def test_fewer_levels_do_as_well_and_the_published_rule_does_not():
    oracle, error = drawn_with_an_oracle(schedule(), steps=25)
    assert error < 1e-6
    assert oracle.before_last < 0.03
    assert len(oracle.calls) == 50
    published, _ = drawn_with_an_oracle(schedule(), steps=25, full_grid_noise=True, corrector=0.0)
    mended, _ = drawn_with_an_oracle(schedule(), steps=25, corrector=0.0)
    assert published.before_last > 3 * mended.before_last


def test_visited_levels_begin_at_the_highest_and_end_at_the_lowest():
    assert visited_levels(1000, 1000) == list(range(1000, 0, -1))
    for steps in (1, 2, 7, 50, 999):
        levels = visited_levels(1000, steps)
        assert len(set(levels)) == steps
        assert levels[0] == 1000
        assert steps == 1 or levels[-1] == 1
        assert levels == sorted(levels, reverse=True)


def test_the_cosine_schedule_ends_in_noise():
    left = cosine_alpha_bar(1000)
    assert left[0] == 1
    assert left[1000] < 1e-6
    betas = 1 - left[1:] / left[:-1]
    assert betas.min() >= 1e-4 - 1e-12
    assert betas.max() <= 0.9999 + 1e-12


def test_ancestral_steps_with_a_perfect_network_lead_to_the_lattice():
    left = cosine_alpha_bar(200)
    random = torch.Generator().manual_seed(0)
    lattice = 12.0 * torch.eye(3, dtype=torch.float64)
    x = torch.randn(3, 3, generator=random, dtype=torch.float64)
    for t in range(200, 0, -1):
        eps = (x - left[t].sqrt() * lattice) / (1 - left[t]).sqrt()
        noise = torch.randn(3, 3, generator=random, dtype=torch.float64) * (t > 1)
        x = ancestral_step(x, eps, left[t], left[t - 1], noise)
    assert_close(x, lattice, rtol=1e-9, atol=1e-9)


def test_the_lattice_matrix_is_the_same_cell_in_the_published_orientation():
    cell = np.array([[5.0, 0.3, -1.0], [0.5, 6.0, 2.0], [-1.0, 1.0, 7.0]])
    matrix = lattice_matrix(cell)
    np.testing.assert_allclose(matrix @ matrix.T, cell @ cell.T, atol=1e-12)
    assert matrix[0, 1] == matrix[2, 0] == matrix[2, 1] == 0
    assert np.linalg.det(matrix) * np.linalg.det(cell) > 0
