"""Failed reads, wrap-arounds and restarts of a counter, told apart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.analysis.counter import failed_zeros, unwrap
from terrawatt.analysis.integrate import integrate
from terrawatt.analysis.signal import prepare
from terrawatt.records import Semantics, Series, SeriesKey, Window

S = 1_000_000_000
RANGE_J = 262_143.328850  # max_energy_range_uj of a RAPL package
KEY = SeriesKey.of("power", "energy_j", source="rapl")


def at(value, interval_s=1):
    return np.arange(len(value), dtype=np.int64) * interval_s * S, np.array(value, np.float64)


def test_a_counter_that_only_rises_is_untouched():
    t_ns, value = at([5.0, 7.0, 7.0, 9.0])
    found = unwrap(t_ns, value)
    assert found.value is value
    assert not found.is_reset.any()
    assert not found.is_broken.any()


def test_a_wrap_adds_the_range():
    found = unwrap(*at([262_000, 262_100, 56.67115, 156.67115]), RANGE_J)
    assert found.value.tolist() == pytest.approx([262_000, 262_100, 262_200, 262_300])
    assert found.n_wraps == 1


def test_a_drop_to_near_zero_that_no_wrap_explains_is_a_restart():
    found = unwrap(*at([100_000, 100_050, 20, 70, 120]), RANGE_J)  # as a wrap: 162 kW
    assert found.n_wraps == 0
    assert found.is_reset.tolist() == [False, True, False, False]
    assert found.value.tolist() == pytest.approx([100_000, 100_050, 100_100, 100_150, 100_200])


def test_without_a_known_range_a_drop_to_near_zero_is_a_restart():
    assert unwrap(*at([262_000, 262_100, 57, 157])).is_reset.tolist() == [False, True, False]


def test_a_restart_loses_no_energy_that_the_counter_shows_after_it():
    found = unwrap(*at([900, 900, 910, 25, 25, 25]))  # idle around it; 25 J since the restart
    assert found.value[3] - found.value[2] == 25


def test_a_counter_that_restarts_twice():
    t_ns, value = at([5000, 5050, 5100, 30, 80, 130, 10, 60, 110])
    found = unwrap(t_ns, value, RANGE_J)
    assert np.flatnonzero(found.is_reset).tolist() == [2, 5]
    assert found.value.tolist() == pytest.approx(list(range(5000, 5450, 50)))
    signal = prepare(Series(KEY, t_ns, value), Semantics.COUNTER, 1.0, RANGE_J)
    (integral,) = integrate(signal, [Window(0, 8 * S)])
    assert (integral.value, integral.gap_s, signal.n_resets) == (pytest.approx(400), 2, 2)


def test_a_jump_back_that_is_no_restart_is_broken():
    assert unwrap(*at([5000, 5050, 5100, 4000, 4050]), RANGE_J).is_broken.tolist() == [False, False, True, False]


def test_two_readings_cannot_tell_a_restart():
    assert unwrap(*at([500, 3])).is_broken.tolist() == [True]


@pytest.mark.parametrize(("value", "n_wraps"), [([262_000, 100], 1), ([131_000, 10], 0)])
def test_with_nothing_to_compare_a_wrap_advances_less_than_half_the_range(value, n_wraps):
    found = unwrap(*at(value), RANGE_J)
    assert found.n_wraps == n_wraps
    assert found.is_broken.tolist() == [not n_wraps]


def test_a_stretch_in_which_the_counter_may_have_gone_round_unseen_is_broken():
    t_ns = np.array([0, 1, 2, 3000, 3001], np.int64) * S  # at 100 W once round in 44 minutes
    found = unwrap(t_ns, np.array([0.0, 100, 200, 38_000, 38_100]), RANGE_J)
    assert found.is_broken.tolist() == [False, False, True, False]


def test_readings_above_the_range_are_no_wrap():
    assert unwrap(*at([500_000, 500_050, 500_100, 20, 70]), RANGE_J).n_wraps == 0


@pytest.mark.parametrize(
    ("value", "failed"),
    [
        ([100, 150, 0, 250, 300], [2]),
        ([1000, 1050, 0, 0, 0, 1250], [2, 3, 4]),
        ([0, 5000, 5010, 5020], [0]),  # 5 kW in the first second, else 10 W
        ([1000, 1010, 0], [2]),  # never read again
        ([100, 0, 350], [1]),
        ([0, 0, 0], []),
        ([0, 10, 20], []),
        ([0, 0, 3600, 3600, 7200], []),  # a coarse counter from its start
        ([1000, 1050, 0, 50, 100], []),  # a restart
        ([5, 8, 0, 9, 12, 30], []),  # a restart just after the start: 9 W is seen elsewhere
        ([5, 8, 0, 9, 12], [2]),  # no more than 3 W elsewhere
        ([], []),
        ([7], []),
    ],
)
def test_zeros_that_are_failed_reads(value, failed):
    assert np.flatnonzero(failed_zeros(*at(value))).tolist() == failed


WINDOW = Window(0, 100 * S)


@pytest.mark.parametrize("failed", [np.nan, 0.0, np.inf])
@pytest.mark.parametrize("start_j", [1000.0, RANGE_J - 120.0])
@pytest.mark.parametrize("position", range(1, 10))
def test_250_joules_stay_250_joules(failed, start_j, position):
    """With one failed reading anywhere, over a wrap or not."""
    true_j = start_j + np.arange(0, 275, 25.0)
    t_ns, value = at(true_j % RANGE_J, 10)
    value[position] = failed
    (found,) = integrate(prepare(Series(KEY, t_ns, value), Semantics.COUNTER, 10.0, RANGE_J), [WINDOW])
    assert found.value == pytest.approx(250)
    if start_j == 1000:  # beside a wrap a zero may be taken for a low reading
        assert found.gap_s == 10


@given(st.lists(st.floats(1, 300), min_size=4, max_size=60), st.floats(2000, 1e5), st.floats(0, 1))
def test_however_often_it_goes_round(power_w, wrap, start):
    true_j = start * wrap + np.concatenate(([0.0], np.cumsum(power_w)))
    power_w = np.array(power_w)
    wrapped = true_j % wrap
    found = unwrap(*at(wrapped), wrap)
    calm = power_w[np.diff(wrapped) >= 0]  # what is left to judge by
    if len(calm) and power_w.max() <= calm.max() and not found.is_broken.any() and not found.is_reset.any():
        np.testing.assert_allclose(found.value - found.value[0], true_j - true_j[0], rtol=1e-9, atol=1e-6)
    assert np.all(np.diff(found.value) >= 0)


@given(st.lists(st.floats(0, 1e9), min_size=0, max_size=40), st.none() | st.floats(1, 1e6))
def test_whatever_a_counter_shows_it_rises_afterwards(value, wrap):
    found = unwrap(*at(value), wrap)
    assert len(found.value) == len(value)
    assert np.all(np.diff(found.value) >= -1e-13 * (1 + found.value.max(initial=0)))  # but for rounding
