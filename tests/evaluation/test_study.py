"""Numbers of several trainings: means, differences, and what they say of a statement."""

import numpy as np
import pytest

from dismai.evaluation.study import difference, held, mean_of
from dismai.metrics.statistics import UNDEFINED, Interval


def trainings(*values):
    return mean_of([Interval(value, value - 1, value + 1) for value in values])


def test_what_is_not_defined_has_no_interval_either():
    assert np.isnan(mean_of([UNDEFINED]).interval(0.0, 100.0)).all()


def test_trainings_that_agree_leave_the_error_to_the_other_one():
    agreeing = mean_of([Interval(9.0, 9.0, 9.0)] * 2)  # and so do all their structures
    single = mean_of([Interval(5.0, 3.0, 7.0)])
    np.testing.assert_allclose(difference(agreeing, single), (-4.0, -6.0, -2.0), rtol=1e-6)


def test_several_trainings_have_the_interval_of_student():
    mean = trainings(1.0, 2.0, 3.0)
    # Mean 2, standard deviation 1, t of two degrees of freedom 4.3027.
    assert mean.interval() == pytest.approx(
        (2 - 4.3027 / np.sqrt(3), 2 + 4.3027 / np.sqrt(3)), 1e-4
    )
    assert mean.interval(0.0)[0] == 0.0
    assert (mean.least, mean.greatest, mean.n_seeds) == (1.0, 3.0, 3)


def test_a_single_training_has_the_interval_of_its_structures():
    assert trainings(5.0).interval() == pytest.approx((4.0, 6.0))
    assert mean_of([Interval(0.0, 0.0, 39.0)]).interval() == (0.0, 39.0)
    assert mean_of([Interval(5.0, 4.0, 6.0), UNDEFINED]) == trainings(5.0)


def test_trainings_that_agree_by_chance_are_as_sure_as_their_structures():
    none = mean_of([Interval(0.0, 0.0, 39.2)] * 2)  # 0 of 6 structures, twice
    assert none.interval(0.0) == pytest.approx((0.0, 39.2 / 2 / np.sqrt(2)))
    other = mean_of([Interval(50.0, 30.0, 70.0)] * 2)
    assert difference(none, other).low < 50 - 20 / np.sqrt(2)


def test_a_difference_is_that_of_welch():
    found = difference(trainings(1.0, 2.0, 3.0), trainings(6.0, 8.0, 13.0))
    assert found.value == pytest.approx(8.0 - 1.0)
    # scipy.stats.ttest_ind([6, 8, 13], [1, 2, 3], equal_var=False).confidence_interval()
    assert (found.low, found.high) == pytest.approx((-1.2077016, 15.2077016))
    both = difference(trainings(1.0), trainings(2.0))
    assert (both.low, both.high) == pytest.approx((1 - np.sqrt(2), 1 + np.sqrt(2)))


def test_a_statement_holds_only_where_the_interval_leaves_no_doubt():
    assert held(Interval(1.0, 0.5, 1.5), 1) == "yes"
    assert held(Interval(1.0, 0.5, 1.5), -1) == "no"
    assert held(Interval(1.0, -0.5, 2.5), 1) == "open"
    assert held(difference(trainings(1.0), mean_of([])), 1) == "open"
