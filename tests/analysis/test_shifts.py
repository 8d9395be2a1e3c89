import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.analysis.shifts import moved_values
from terrawatt.analysis.signal import prepare
from terrawatt.records import Semantics, Series, SeriesKey, Window

S = 1_000_000_000
NONE = np.zeros(1)
KEY = SeriesKey.of("power", "power_w", source="plug")


def load(start_s: int, end_s: int):
    """Means of 1 s of 100 W, 0 W else, over 100 s."""
    t_s = np.arange(1, 101)
    return prepare(Series(KEY, t_s * S, np.where((t_s > start_s) & (t_s <= end_s), 100.0, 0.0)), Semantics.MEAN, 1.0)


def test_a_load_that_is_seen_behind_its_window_may_belong_to_it():
    assert (
        moved_values(load(35, 40), [Window(30 * S, 35 * S)], 6.0, np.zeros(1), NONE)[0] >= 500
    )  # all of it came 5 s late


def test_a_delay_that_is_short_for_the_window_is_the_step_s_business():
    assert moved_values(load(30, 70), [Window(30 * S, 70 * S)], 5.0, np.array([4000.0]), NONE).tolist() == [0]


def test_moves_out_of_the_time_of_the_readings_say_nothing():
    assert moved_values(load(0, 100), [Window(0, 100 * S)], 50.0, np.array([1e4]), np.array([100.0])).tolist() == [0]
    assert moved_values(load(0, 10), [], 5.0, np.empty(0), np.empty(0)).tolist() == []


@given(st.integers(10, 60), st.integers(1, 20), st.floats(0, 20))
def test_a_constant_power_moves_nothing_and_a_longer_limit_never_less(start_s, length_s, late_s):
    windows = [Window(start_s * S, (start_s + length_s) * S)]
    assert moved_values(
        load(-1, 101), windows, late_s, np.array([100.0 * length_s]), np.array([100.0])
    ) == pytest.approx([0], abs=1e-6)
    some = load(30, 50)
    assert (
        moved_values(some, windows, 2 * late_s, NONE, NONE)[0]
        >= 0.95 * moved_values(some, windows, late_s, NONE, NONE)[0]
    )
