"""Figures of the interface: the histogram of interface energies."""

import numpy as np
import pandas as pd
import pytest

from dismai.base.card import DatasetSpec
from dismai.report.curves import plot_gamma

ENERGY = "energy_eV_per_atom"


@pytest.fixture
def spec():
    return DatasetSpec(
        name="interface",
        kind="interface",
        composition={"Li": 5, "Cl": 5},
        cell_A=((10, 0, 0), (0, 10, 0), (0, 0, 30)),
        statistics={"reference_energy_eV_per_atom": -4.0},
    )


def gammas(*values):
    """A table of structures of 10 atoms on 100 Å² with these interface energies, J/m²."""
    return pd.DataFrame({ENERGY: -4.0 + np.array(values) * 10 / 16.02176634})


def test_unrelaxed_sets_have_no_interface_energy(spec):
    sets = {"relaxed": gammas(-0.1, 0.2), "unrelaxed": pd.DataFrame({"structure": [0]})}
    figure = plot_gamma(gammas(-0.4, -0.2), sets, spec)
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["training (n = 2)", "relaxed (n = 2)"]
    assert figure._supxlabel.get_text() == "not relaxed: unrelaxed"
    assert figure.axes[0].get_xlim() == (-0.5, 0.5)


def test_without_any_relaxed_set_there_is_an_empty_figure_that_says_so(spec):
    bare = pd.DataFrame({"structure": [0]})
    figure = plot_gamma(bare, {"given": bare}, spec.model_copy(update={"statistics": {}}))
    assert figure._supxlabel.get_text() == "not relaxed: training, given"


def test_the_range_widens_where_a_set_is_wider(spec):
    figure = plot_gamma(gammas(-3.9, -0.2), {"none": gammas(), "far": gammas(2.02)}, spec)
    low, high = figure.axes[0].get_xlim()
    assert -4.0 < low <= -3.9
    assert 2.02 <= high < 2.15
