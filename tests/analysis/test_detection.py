import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from terrawatt.analysis.comparison import p_value, welch
from terrawatt.analysis.detection import (
    LEVEL,
    POWER,
    detectable,
    detectable_with,
    repetitions_needed,
    scatter,
)
from terrawatt.errors import AnalysisError


def test_a_textbook_case():
    """Cohen 1988: two groups, d = 0.8, level 5 %, power 80 %, two-sided: 26 in each."""
    assert repetitions_needed(0.8, 1.0, 0.0) == 26
    assert repetitions_needed(0.5, 1.0, 0.0) == 64


def test_what_is_detectable_is_detected_as_often_as_promised():
    rng = np.random.default_rng(0)
    difference = detectable_with(8, 0.03, 0.01)
    first = rng.normal(difference, 0.03, (20_000, 8)) + rng.normal(0, 0.01, (20_000, 1))
    found = p_value(welch(first, rng.normal(0, 0.03, (20_000, 8)), 0.01)) < LEVEL
    assert found.mean() == pytest.approx(POWER, abs=0.02)


@given(st.floats(0.005, 0.3), st.floats(0.001, 0.1), st.floats(0, 0.02))
def test_the_number_is_the_smallest_that_is_enough(difference, sd, u_common):
    n = repetitions_needed(difference, sd, u_common)
    if n is None:
        assert detectable(u_common, math.inf) > 0.95 * difference
    else:
        assert detectable_with(n, sd, u_common) <= difference
        assert n == 3 or detectable_with(n - 1, sd, u_common) > difference


def test_what_does_not_shrink_is_a_floor():
    floor = detectable(0.01, math.inf)
    assert floor == pytest.approx((stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) * 0.01)
    assert repetitions_needed(0.99 * floor, 0.03, 0.01) is None
    assert detectable_with(10_000, 0.03, 0.01) == pytest.approx(floor, rel=0.01)
    assert detectable(0.0, math.inf) == 0
    assert detectable_with(3, 0.0, 0.0) == 0


def test_few_repetitions_cost_more_than_their_root():
    assert detectable_with(3, 0.03, 0) > math.sqrt(10 / 3) * detectable_with(10, 0.03, 0)


def test_the_scatter_of_a_pilot_is_relative_and_has_an_upper_limit():
    found = scatter(np.array([95.0, 100, 105, 100]), 0.01)
    assert found.sd == pytest.approx(np.log([95, 100, 105, 100]).std(ddof=1))
    assert found.sd_upper == pytest.approx(found.sd * math.sqrt(3 / stats.chi2.ppf(0.2, 3)))
    assert (found.n, found.u_common) == (4, 0.01)


@pytest.mark.parametrize(("values", "message"), [([1, 2], "at least 3"), ([], "0 usable"), ([1, 2, 0], "not above 0")])
def test_a_pilot_that_says_nothing_is_refused(values, message):
    with pytest.raises(AnalysisError, match=message):
        scatter(np.array(values, dtype=float))
