"""Descriptors as columns: equal to the plain functions, and at home in scikit-learn."""

import numpy as np
import pytest
from ase.build import bulk
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from dismai.errors import InputError
from dismai.metrics import Featurizer
from dismai.metrics.rdf import rdf
from tests.makers import diamonds


def test_columns_are_those_of_the_plain_functions():
    structures = diamonds(3)
    featurizer = Featurizer().fit(structures)
    assert 2.6 < featurizer.cutoff_A_ < 3.4  # between the shells of diamond at 2.35 and 3.84 Å
    names, columns = featurizer.get_feature_names_out(), featurizer.transform(structures).T
    table = dict(zip(names, columns, strict=True))
    np.testing.assert_allclose(
        table["g_2.350A"], [rdf(one, 10.0, 0.1)[1][23] for one in structures]
    )
    assert table["density_per_A3"] == pytest.approx(len(structures[0]) / structures[0].get_volume())
    assert (table["coordination_4_percent"] == 100).all()
    assert table["rings_6_per_atom"] == pytest.approx(2.0)  # of diamond
    angles = sum(value for name, value in table.items() if name.startswith("angle_"))
    assert angles == pytest.approx(1.0)
    motifs = sum(value for name, value in table.items() if name.startswith("share_"))
    assert motifs == pytest.approx(100.0)


def test_it_works_in_a_pipeline_and_names_columns_of_a_table():
    structures = [*diamonds(4), *diamonds(4, seed=70)]
    featurizer = Featurizer(families=["rdf", "coordination"], r_max=5.0)
    places = make_pipeline(featurizer, StandardScaler(), PCA(2)).fit_transform(structures)
    assert places.shape == (8, 2)
    assert clone(featurizer).get_params()["r_max"] == 5.0
    table = clone(featurizer).set_output(transform="pandas").fit_transform(structures)
    assert list(table) == list(featurizer.get_feature_names_out())
    assert "coordination_4_percent" in table


def test_rows_are_the_same_for_a_supercell():
    cell = bulk("Cu", cubic=True).repeat(2)
    cell.rattle(0.05)  # angles of a perfect crystal lie on the edges of bins
    featurizer = Featurizer(families=["density", "rdf", "coordination", "angles"])
    one, eight = featurizer.fit_transform([cell, cell.repeat(2)])
    np.testing.assert_allclose(one, eight, atol=1e-9)


@pytest.mark.parametrize(
    ("settings", "structures", "message"),
    [
        ({"families": ["rdff"]}, diamonds(1), "families: expected some of density"),
        ({}, [bulk("Si"), "Si"], "structure 1: expected an ase.Atoms"),
        ({}, [bulk("Si"), diamonds(1)[0][:0]], "structure 1: expected atoms"),
        ({}, [], "expected at least one structure"),
    ],
)
def test_what_the_user_can_mend_is_one_line(settings, structures, message):
    with pytest.raises(InputError, match=message):
        Featurizer(**settings).fit(structures)
