import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.report.numbers import mean_and_half_width, mean_and_sd, plain


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, "0"),
        (0.57312, "0.5731"),
        (12344.0, "12340"),
        (-3.14159, "-3.142"),
        (1.234e-7, "1.234e-07"),
        (float("nan"), ""),
    ],
)
def test_plain_numbers(value: float, expected: str) -> None:
    assert plain(value) == expected


@pytest.mark.parametrize(
    ("mean", "spread", "expected"),
    [
        (12.3456, 0.5678, "12.35 ± 0.57"),
        (1234.5, 123.4, "1230 ± 120"),
        (0.5, 0.0012, "0.5000 ± 0.0012"),
        (5.0, 0.0, "5.000 ± 0"),
        (0.0, 0.0, "0 ± 0"),
        (0.9, 1e-16, "0.9000 ± 0"),
        (-2.0, 830.0, "0 ± 830"),
        (-13.0, 88.0, "-13 ± 88"),
    ],
)
def test_the_mean_is_rounded_to_the_place_of_its_uncertainty(mean: float, spread: float, expected: str) -> None:
    assert mean_and_half_width(mean, spread) == expected


def test_a_mean_with_its_standard_deviation() -> None:
    assert mean_and_sd(0.5741, 0.0023) == "0.5741 (0.0023)"


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_rounding_never_hides_more_than_a_tenth_of_the_uncertainty(mean: float, spread: float) -> None:
    shown_mean, shown_spread = map(float, mean_and_half_width(mean, spread).split(" ± "))
    assert abs(shown_mean - mean) <= 0.051 * spread + 1e-9 * abs(mean)
    assert math.isclose(shown_spread, spread, rel_tol=0.051)
