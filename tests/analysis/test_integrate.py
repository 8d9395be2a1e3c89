"""Truths that can be computed by hand, and laws that hold for any readings."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from terrawatt.analysis.integrate import integrate
from terrawatt.analysis.signal import prepare
from terrawatt.errors import AnalysisError
from terrawatt.records import Semantics, Series, SeriesKey, Window

KEY = SeriesKey.of("power", "power_w", source="plug")
S = 1_000_000_000
EPOCH = 1_790_000_000 * S + 123_456_789
POWER_SEMANTICS = [Semantics.INSTANTANEOUS, Semantics.MEAN, Semantics.ON_CHANGE]


def series(t_s, value, origin_ns=EPOCH):
    return Series(KEY, np.array([origin_ns + round(t * S) for t in t_s], np.int64), np.array(value, np.float64))


def window(start_s, end_s, origin_ns=EPOCH):
    return Window(origin_ns + round(start_s * S), origin_ns + round(end_s * S))


def integral(readings, semantics, *bounds_s, interval_s=None):
    return integrate(prepare(readings, semantics, interval_s), [window(*bounds_s)])[0]


@pytest.mark.parametrize("semantics", POWER_SEMANTICS)
@pytest.mark.parametrize("bounds_s", [(2, 8), (2.3, 7.9), (2.999999999, 8.000000001)])
def test_a_constant_power(semantics, bounds_s):
    found = integral(series(range(12), [42.0] * 12), semantics, *bounds_s)
    assert found.value == pytest.approx(42 * (bounds_s[1] - bounds_s[0]), rel=1e-12)
    assert found.gap_s == 0
    assert found.mean == pytest.approx(42)


def test_a_ramp_of_instantaneous_readings_is_exact_between_readings():
    found = integral(series(range(0, 40, 10), [0, 10, 20, 30]), Semantics.INSTANTANEOUS, 3.7, 28.1)
    assert found.value == pytest.approx((28.1**2 - 3.7**2) / 2, rel=1e-12)


def test_steps_of_means_hold_backwards():
    readings = series([10, 20, 30, 40], [5, 7, 11, 13])  # 5 W until 10 s, 7 W until 20 s, ...
    assert integral(readings, Semantics.MEAN, 4, 33).value == pytest.approx(6 * 5 + 10 * 7 + 10 * 11 + 3 * 13)


def test_steps_of_reports_on_change_hold_forwards():
    readings = series([10, 20, 30, 40], [5, 7, 11, 13])
    assert integral(readings, Semantics.ON_CHANGE, 14, 133).value == pytest.approx(6 * 5 + 10 * 7 + 10 * 11 + 93 * 13)


def test_a_counter_is_interpolated_at_both_ends():
    readings = series([0, 10, 20, 30], [1000, 1100, 1250, 1300])
    assert integral(readings, Semantics.COUNTER, 5, 22).value == pytest.approx(50 + 150 + 10)


def test_a_counter_with_a_failed_reading_keeps_its_energy():
    readings = series([0, 10, 20, 30], [1000, 1100, np.nan, 1250])
    found = integral(readings, Semantics.COUNTER, 0, 30)
    assert found.value == pytest.approx(250)
    assert (found.n_readings, found.gap_s) == (2, 10)


def test_a_window_between_two_readings_is_missing_not_zero():
    for semantics in POWER_SEMANTICS:
        found = integral(series([0, 30, 60], [40, 40, 40]), semantics, 31, 51)
        assert math.isnan(found.value)
        assert "needed" in found.reason


def test_a_window_between_two_readings_of_a_counter_has_its_share():
    assert integral(series([0, 30, 60], [0, 900, 3900]), Semantics.COUNTER, 31, 51).value == pytest.approx(2000)


@pytest.mark.parametrize("bounds_s", [(-5, 5), (5, 35)])
def test_a_counter_not_read_on_one_side_is_missing(bounds_s):
    found = integral(series([0, 10, 20, 30], [0, 1, 2, 3]), Semantics.COUNTER, *bounds_s)
    assert math.isnan(found.value)
    assert found.reason == "the counter was not read before and after"


def test_a_counter_that_jumps_back_is_missing_only_where_it_does():
    signal = prepare(series(range(8), [1000, 1010, 1020, 900, 910, 920, 930, 940]), Semantics.COUNTER)
    found = integrate(signal, [window(0, 2), window(1, 4), window(2.4, 2.6), window(3, 5)])
    assert [part.value for part in found if not part.reason] == pytest.approx([20, 20])
    assert all("cannot be followed" in part.reason for part in found[1:3])


def test_a_restart_is_a_gap_of_the_window_that_holds_it():
    signal = prepare(series(range(0, 80, 10), [5000, 5400, 5800, 120, 520, 920, 1320, 1720]), Semantics.COUNTER)
    whole, before, after = integrate(signal, [window(0, 70), window(0, 20), window(30, 70)])
    assert whole.value == pytest.approx(7 * 400)  # the 280 J before the restart from the power around it
    assert (whole.gap_s, whole.gap_value) == (10, pytest.approx(400))
    assert (before.gap_s, after.gap_s) == (0, 0)
    assert (before.value, after.value) == (pytest.approx(800), pytest.approx(1600))


def test_a_wrap_of_the_known_range_is_no_gap():
    signal = prepare(series([0, 10, 20, 30], [262_000, 262_100, 6, 106]), Semantics.COUNTER, wrap=262_144.0)
    (found,) = integrate(signal, [window(0, 30)])
    assert found.value == pytest.approx(250)
    assert found.gap_s == 0


def test_a_failed_read_as_zero_adds_no_range():
    readings = series([0, 10, 20, 30], [262_000 - 250, 262_000 - 150, 0, 262_000])
    found = integrate(prepare(readings, Semantics.COUNTER, wrap=262_144.0), [window(0, 30)])[0]
    assert found.value == pytest.approx(250)
    assert (found.n_readings, found.gap_s) == (2, 10)


def test_the_share_of_the_energy_that_a_gap_bridges():
    readings = series([0, 1, 2, 3, 13, 14, 15], [10.0] * 4 + [30.0] * 3)
    found = integral(readings, Semantics.INSTANTANEOUS, 0, 15, interval_s=1.0)
    assert found.gap_share == pytest.approx(10 / 15)
    assert found.gap_value == pytest.approx(200)
    assert found.gap_value_share == pytest.approx(200 / (30 + 200 + 60))
    outside = integral(readings, Semantics.INSTANTANEOUS, -2, 2, interval_s=1.0)
    assert outside.gap_value == pytest.approx(20)


@pytest.mark.parametrize("semantics", list(Semantics))
@pytest.mark.parametrize("values", [[], [7.0], [np.nan] * 5])
def test_too_short_series_give_reasons(semantics, values):
    found = integral(series(range(len(values)), values), semantics, 0, 5)
    assert math.isnan(found.value)
    assert found.reason


@pytest.mark.parametrize("semantics", POWER_SEMANTICS)
def test_readings_far_from_the_window_do_not_count(semantics):
    found = integral(series([100, 101, 102], [1, 2, 3]), semantics, 0, 50)
    assert math.isnan(found.value)
    assert found.n_readings == 0
    assert found.gap_s == found.duration_s


@pytest.mark.parametrize("semantics", POWER_SEMANTICS)
@pytest.mark.parametrize("failed", [np.nan, np.inf, -np.inf])
def test_failed_readings_reach_no_number(semantics, failed):
    value = [40.0, failed, 40.0, failed, failed, 40.0, 40.0, 40.0]
    found = integral(series(range(8), value), semantics, 0, 7)
    assert found.value == pytest.approx(280)
    assert found.gap_s == pytest.approx(3)


@pytest.mark.parametrize("semantics", list(Semantics))
def test_only_failed_readings_are_no_energy(semantics):
    found = integral(series(range(5), [np.nan, np.inf, np.nan, -np.inf, np.nan]), semantics, 0, 4)
    assert math.isnan(found.value)
    assert math.isnan(found.gap_value)
    assert found.reason


def test_time_going_backwards_is_sorted():
    readings = series([0, 1, 2, 1.5, 3, 4], [40, 40, 40, 100, 40, 40])
    assert integral(readings, Semantics.INSTANTANEOUS, 0, 4).value == pytest.approx(160 + 60 / 2)


@pytest.mark.parametrize("length_s", [0, -5])
def test_a_window_that_does_not_end_after_it_starts_is_refused(length_s):
    with pytest.raises(AnalysisError, match="must end after it starts"):
        window(10, 10 + length_s)


def test_time_without_readings_at_the_ends_is_a_gap():
    found = integral(series(range(11), [5.0] * 11), Semantics.INSTANTANEOUS, -2, 13)
    assert found.value == pytest.approx(15 * 5)
    assert found.gap_s == pytest.approx(5)


def test_a_first_mean_speaks_of_the_interval_before_it():
    assert integral(series(range(11), [5.0] * 11), Semantics.MEAN, -1, 10).gap_s == 0
    assert integral(series(range(11), [5.0] * 11), Semantics.MEAN, -3, 10).gap_s == pytest.approx(2)


def test_a_gap_is_bridged_and_its_seconds_inside_the_window_counted():
    readings = series([0, 1, 2, 3, 13, 14, 15], [10.0] * 7)
    found = integral(readings, Semantics.INSTANTANEOUS, 1, 8, interval_s=1.0)
    assert found.value == pytest.approx(70)
    assert found.gap_s == pytest.approx(5)


def test_many_windows_at_once_in_any_order():
    signal = prepare(series(range(100), np.arange(100.0)), Semantics.INSTANTANEOUS)
    windows = [window(start, start + 7) for start in (50, 3, 80, 3)]
    assert [part.value for part in integrate(signal, windows)] == [
        pytest.approx(7 * (start + 3.5)) for start in (50, 3, 80, 3)
    ]
    assert integrate(signal, []) == ()


def test_no_nanosecond_is_lost_to_rounding():
    t_ns = EPOCH + np.arange(20, dtype=np.int64) * 7  # 7 ns apart: below the resolution of float64 since 1970
    signal = prepare(Series(KEY, t_ns, np.full(20, 1e9)), Semantics.INSTANTANEOUS)
    (found,) = integrate(signal, [Window(EPOCH + 3, EPOCH + 104)])
    assert found.value == pytest.approx(101.0, rel=1e-12)


# Any readings: irregular times, any values, some failed.
values = st.floats(-1e4, 1e4, allow_subnormal=False)
semantics_of_power = st.sampled_from(POWER_SEMANTICS)


@st.composite
def readings_and_cuts(draw):
    gaps_ms = draw(st.lists(st.integers(1, 5000), min_size=14, max_size=40))
    t_s = np.cumsum(gaps_ms) / 1000
    value = np.array(draw(st.lists(values, min_size=len(t_s), max_size=len(t_s))))
    failed = np.array(draw(st.lists(st.booleans(), min_size=len(t_s), max_size=len(t_s))))
    value[failed & (np.arange(len(t_s)) % 3 == 1)] = np.nan
    cells = (0, len(t_s) // 2, len(t_s) - 2)  # enough readings between the cuts
    shares = draw(st.tuples(*[st.floats(0, 1)] * 3))
    return t_s, value, [t_s[i] + share * (t_s[i + 1] - t_s[i]) for i, share in zip(cells, shares, strict=True)]


def three_windows(cuts):
    first, middle, last = cuts
    return [window(first, middle), window(middle, last), window(first, last)]


@given(readings_and_cuts(), st.sampled_from(list(Semantics)))
def test_integrals_over_adjoining_windows_add_up(drawn, semantics):
    t_s, value, cuts = drawn
    readings = np.nancumsum(np.abs(value)) + 1 if semantics is Semantics.COUNTER else value
    left, right, whole = integrate(prepare(series(t_s, readings), semantics), three_windows(cuts))
    assert left.value + right.value == pytest.approx(whole.value, rel=1e-9, abs=1e-6)
    assert left.gap_s + right.gap_s == pytest.approx(whole.gap_s, abs=1e-6)
    assert left.gap_value + right.gap_value == pytest.approx(whole.gap_value, rel=1e-9, abs=1e-6)
    if semantics is not Semantics.ON_CHANGE:  # the report in force counts in both parts
        assert left.n_readings + right.n_readings == whole.n_readings


@given(readings_and_cuts(), semantics_of_power, st.integers(-(10**18), 10**18))
def test_a_shift_in_time_changes_nothing(drawn, semantics, shift_ns):
    t_s, value, cuts = drawn
    here = integrate(prepare(series(t_s, value), semantics), three_windows(cuts))
    windows = [Window(w.start_ns + shift_ns, w.end_ns + shift_ns) for w in three_windows(cuts)]
    there = integrate(prepare(series(t_s, value, EPOCH + shift_ns), semantics), windows)
    for one, other in zip(here, there, strict=True):
        assert one.value == other.value or (one.reason and one.reason == other.reason)


@given(readings_and_cuts(), semantics_of_power, st.floats(0.001, 1000))
def test_integrals_scale_with_the_readings(drawn, semantics, factor):
    t_s, value, cuts = drawn
    one = integrate(prepare(series(t_s, value), semantics), three_windows(cuts))
    scaled = integrate(prepare(series(t_s, value * factor), semantics), three_windows(cuts))
    for plain, times in zip(one, scaled, strict=True):
        assert times.value == pytest.approx(plain.value * factor, rel=1e-9, abs=1e-6, nan_ok=True)


@given(readings_and_cuts(), st.sampled_from(list(Semantics)), st.randoms(use_true_random=False))
def test_the_order_of_the_readings_does_not_matter(drawn, semantics, random):
    t_s, value, cuts = drawn
    order = list(range(len(t_s)))
    random.shuffle(order)
    sorted_ones = integrate(prepare(series(t_s, value), semantics), three_windows(cuts))
    shuffled = integrate(prepare(series(t_s[order], value[order]), semantics), three_windows(cuts))
    for one, other in zip(sorted_ones, shuffled, strict=True):
        assert one.value == other.value or (one.reason and one.reason == other.reason)


@given(st.lists(st.integers(1, 900), min_size=30, max_size=60), semantics_of_power, values)
def test_a_constant_is_the_same_however_it_is_sampled(gaps_ms, semantics, level):
    t_s = np.cumsum(gaps_ms) / 1000
    start_s, end_s = t_s[3], t_s[-3]
    found = integral(series(t_s, np.full(len(t_s), level)), semantics, start_s, end_s)
    assert found.value == pytest.approx(level * (end_s - start_s), rel=1e-9, abs=1e-9)


@given(st.lists(st.integers(1, 900), min_size=5, max_size=40), st.data())
def test_a_counter_and_the_means_between_its_readings_agree(gaps_ms, data):
    t_s = np.cumsum(gaps_ms) / 1000
    mean_w = np.array(data.draw(st.lists(st.floats(0, 1e4), min_size=len(t_s), max_size=len(t_s))))
    counter_j = 5000 + np.concatenate(([0.0], np.cumsum(mean_w[1:] * np.diff(t_s))))
    start_s, end_s = t_s[0] + (t_s[-1] - t_s[0]) * 0.13, t_s[-1]
    by_counter = integral(series(t_s, counter_j), Semantics.COUNTER, start_s, end_s)
    by_power = integral(series(t_s, mean_w), Semantics.MEAN, start_s, end_s, interval_s=1.0)
    assume(not by_power.reason)
    assert by_counter.value == pytest.approx(by_power.value, rel=1e-6, abs=1e-4)


@given(readings_and_cuts(), st.sampled_from(list(Semantics)))
def test_no_zero_that_is_not_a_true_zero(drawn, semantics):
    t_s, value, cuts = drawn
    positive = np.abs(value) + 1
    readings = positive if semantics is not Semantics.COUNTER else np.nancumsum(positive)
    for part in integrate(prepare(series(t_s, readings), semantics), three_windows(cuts)):
        assert part.value > 0 or part.reason
