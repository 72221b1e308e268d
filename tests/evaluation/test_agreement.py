"""Rank correlation with a published order, and its interval."""

import pandas as pd
import pytest

from dismai.evaluation.agreement import agreement
from dismai.evaluation.runs import published_run

HEADLINES = {"alloy_300K_wide": "d_cluster", "alloy_1500K_wide": "d_cluster"}


def trainings(levels, spread=0.001, datasets=HEADLINES):
    """Three trainings of every model, their values near a level."""
    return pd.DataFrame(
        {
            **{"dataset": dataset, "model": model, "kind": "trained", "seed": seed},
            **{"metric": "d_cluster", "unit": "1", "value": level + spread * (seed - 1)},
            **{"ci_low": level - spread, "ci_high": level + spread},
            **{"n_accepted": 40, "n_generated": 40},
        }
        for dataset in datasets
        for model, level in levels.items()
        for seed in range(3)
    )


@pytest.fixture(scope="module")
def published():
    return published_run()


# On alloy_300K_wide the paper has CDVAE, DiffCSP, CryinGAN; on alloy_1500K_wide the first two
# change places.
SAME = {"cdvae": 0.1, "diffcsp": 0.2, "cryingan": 0.3}


def test_the_same_order_and_the_reverse_are_the_ends(published):
    table = agreement(trainings(SAME), published, HEADLINES).set_index("dataset")
    assert table.loc["alloy_300K_wide", ["tau", "tau_low", "tau_high"]].tolist() == [1, 1, 1]
    assert table.loc["alloy_1500K_wide", "tau"] == pytest.approx(1 / 3)  # one pair of three
    reverse = trainings({name: 1 - level for name, level in SAME.items()})
    table = agreement(reverse, published, HEADLINES).set_index("dataset")
    assert table.loc["alloy_300K_wide", "tau"] == -1
    assert table["n_models"].tolist() == [3, 3, 3]


def test_an_order_that_is_not_sure_has_a_wide_interval(published):
    wide = agreement(trainings(SAME, spread=0.3), published, HEADLINES).set_index("dataset")
    low, high = wide.loc["overall", ["tau_low", "tau_high"]]
    assert low < wide.loc["overall", "tau"] <= high
    assert high - low > 0.5


def test_models_and_datasets_that_the_paper_does_not_have_do_not_count(published):
    more = pd.concat(
        [trainings(SAME), trainings({"melt": 0.01}), trainings({"melt": 0.5}, datasets=["mine"])]
    )
    headlines = {**HEADLINES, "mine": "d_cluster"}
    table = agreement(more, published, headlines)
    assert table.equals(agreement(trainings(SAME), published, HEADLINES))
    assert agreement(trainings({"melt": 0.1}), published, HEADLINES).empty


def test_a_model_that_was_not_run_on_a_dataset_does_not_count_there(published):
    few = pd.concat([trainings(SAME), trainings({"unimat": 0.4}, datasets=["alloy_300K_wide"])])
    table = agreement(few, published, HEADLINES).set_index("dataset")
    assert table["n_models"].tolist() == [4, 3, 3]
    assert table.loc["alloy_300K_wide", "tau"] == 1  # last, as in the paper
    one = agreement(trainings({"cdvae": 0.1}), published, HEADLINES)
    assert one["tau"].isna().all()
