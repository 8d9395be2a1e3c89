import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.units import format_duration, kwh_to_j, ns_to_s, s_to_ns, with_si_prefix


def test_a_kilowatt_hour_is_3600000_joules() -> None:
    assert kwh_to_j(1.0) == 3_600_000.0


@given(st.integers(-(10**15), 10**15))
def test_milliseconds_survive_the_way_through_seconds(milliseconds: int) -> None:
    assert s_to_ns(ns_to_s(milliseconds * 1_000_000)) == pytest.approx(milliseconds * 1_000_000, rel=1e-15)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12345.0, "12.3 kJ"),
        (-12345.0, "-12.3 kJ"),
        (0.0, "0 J"),
        (999.0, "999 J"),
        (0.0123, "12.3 mJ"),
        (3.6e6, "3.6 MJ"),
        (5e15, "5000 TJ"),
        (999.96, "1 kJ"),
        (float("nan"), "nan J"),
    ],
)
def test_si_prefix(value: float, text: str) -> None:
    assert with_si_prefix(value, "J") == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59.4, "59 s"), (185, "3 min 05 s"), (7620, "2 h 07 min"), (273_600, "3 d 04 h")],
)
def test_durations_for_people(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text
