import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.analysis.outlier import modified_z, outlier_verdicts
from terrawatt.records import Severity

TEN = np.array([100.0, 101, 99, 100.5, 99.5, 100.2, 99.8, 101.5, 98.5, 100])


def test_the_score_by_hand():
    # Median 3, deviations 2 1 0 1 7, their median 1; with the factor for five values.
    z = modified_z(np.array([1.0, 2, 3, 4, 10]))
    assert z == pytest.approx(0.6745 / 1.206 * np.array([-2, -1, 0, 1, 7]))


def test_one_that_is_far_is_flagged_and_no_other():
    found = outlier_verdicts("Energy (plug)", np.append(TEN, 120.0))
    assert [verdict is not None for verdict in found] == [False] * 10 + [True]
    assert found[-1].severity is Severity.DOUBTFUL
    assert found[-1].column == "Energy (plug)"
    assert "120 is far from the scenario's median of 100 (+20.0%)" in found[-1].message


def test_two_that_are_far_do_not_hide_each_other():
    found = outlier_verdicts("Duration", np.concatenate((TEN, [130.0, 140.0])))
    assert sum(verdict is not None for verdict in found) == 2


def test_too_few_cannot_be_told():
    assert np.isnan(modified_z(np.array([1.0, 1, 1, 100]))).all()
    assert outlier_verdicts("Duration", np.array([1.0, 1, 1, np.nan, 100])) == (None,) * 5


def test_a_missing_value_is_not_judged_and_the_others_are():
    found = outlier_verdicts("Duration", np.concatenate(([np.nan], TEN, [150.0])))
    assert found[0] is None
    assert found[-1] is not None


def test_a_scatter_that_is_not_believed_flags_nothing():
    nearly_equal = np.array([5.0] * 9 + [5.001])
    assert outlier_verdicts("Duration", nearly_equal)[-1] is not None
    assert outlier_verdicts("Duration", nearly_equal, least_scatter=0.005) == (None,) * 10


def test_equal_values_are_no_outliers():
    assert outlier_verdicts("Duration", np.zeros(10)) == (None,) * 10


@given(st.permutations(range(11)), st.floats(0.1, 1e6), st.floats(-1e3, 1e3))
def test_order_unit_and_origin_do_not_matter(order, scale, shift):
    values = np.append(TEN, 120.0)
    assert modified_z(values[list(order)] * scale + shift) == pytest.approx(modified_z(values)[list(order)], abs=1e-4)


def test_false_alarms_are_as_few_as_the_documentation_says():
    rng = np.random.default_rng(1)
    has_one = [np.any(np.abs(modified_z(rng.normal(100, 1, 10))) > 3.5) for _ in range(1000)]
    assert 0.06 < np.mean(has_one) < 0.13
