import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.report.export.brackets import in_brackets


@pytest.mark.parametrize(
    ("value", "u", "text"),
    [
        (5.0, 0.49, "5.00(49)"),
        (2989, 147, "2990(150)"),
        (12.34, 1.5, "12.3(15)"),
        (0.5731, 0.00012, "0.57310(12)"),
        (5.0, 0.0996, "5.00(10)"),  # rounding gives the uncertainty a digit more
        (5.0, 9.96, "5(10)"),
        (-0.001, 0.5, "0.00(50)"),  # no minus before a zero
        (-12.34, 0.5, "-12.34(50)"),
        (1.23456e-9, 5.6e-11, "1.235(56)e-9"),
        (3e8, 2e6, "3.000(20)e8"),
        (5.0, 0.0, "5.000"),
        (5.0, None, "5.000"),
        (5.0, math.nan, "5.000"),
        (math.nan, 1.0, ""),
    ],
)
def test_two_digits_of_the_uncertainty_and_the_value_to_the_same_place(
    value: float, u: float | None, text: str
) -> None:
    assert in_brackets(value, u) == text


@given(st.floats(-1e6, 1e6), st.floats(1e-5, 1e6))
def test_what_is_written_is_the_value_and_its_uncertainty(value: float, u: float) -> None:
    written = in_brackets(value, u)
    if "(" not in written:  # an uncertainty that is mere rounding
        assert u <= 1e-12 * abs(value)
        return
    number, _, rest = written.partition("(")
    digits, _, power = rest.partition(")")
    exponent = int(power.removeprefix("e") or 0)
    decimals = len(number.partition(".")[2])
    assert len(digits.rstrip("0")) <= 2
    shown_u = Decimal(digits).scaleb(exponent - decimals)
    assert float(shown_u) == pytest.approx(u, rel=0.051)
    assert abs(float(Decimal(number).scaleb(exponent)) - value) <= 0.051 * u
