import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.analysis.fieller import fieller, ratio_of_differences


@given(st.floats(-5, 5), st.floats(1, 5), st.floats(0.01, 0.4), st.floats(0.01, 0.4), st.floats(-0.9, 0.9))
def test_at_both_ends_the_numerator_is_t_uncertainties_away(
    a: float, b: float, u_a: float, u_b: float, r: float
) -> None:
    covariance = np.array([[u_a**2, r * u_a * u_b], [r * u_a * u_b, u_b**2]])
    found = fieller(a, b, covariance, 2.0)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.value <= found.high
    for end in (found.low, found.high):
        u = np.sqrt(max(np.array([1, -end]) @ covariance @ np.array([1, -end]), 0.0))
        assert abs(a - end * b) == pytest.approx(2 * u, abs=1e-6)


def test_with_a_certain_denominator_it_is_the_interval_of_the_numerator() -> None:
    found = fieller(3.0, 2.0, np.array([[0.04, 0.0], [0.0, 0.0]]), 1.96)
    assert (found.low, found.high) == pytest.approx((1.5 - 0.196, 1.5 + 0.196))


def test_where_the_denominator_may_be_zero_there_is_no_interval() -> None:
    found = fieller(3.0, 0.1, np.array([[0.01, 0.0], [0.0, 1.0]]), 2.0)
    assert not found.is_bounded
    assert found.value == pytest.approx(30.0)


def test_the_interval_holds_the_truth_in_at_least_95_percent() -> None:
    random = np.random.default_rng(0)
    held = []
    for _ in range(1000):
        first = random.normal([100.0, 0.5], [5.0, 0.02], (8, 2))
        second = random.normal([160.0, 0.6], [15.0, 0.02], (8, 2))
        found = ratio_of_differences(first, second)
        held.append(not found.is_bounded or found.low <= 600.0 <= found.high)  # type: ignore[operator]
    assert np.mean(held) >= 0.94
