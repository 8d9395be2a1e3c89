import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.analysis.integrate import integrate
from terrawatt.analysis.signal import prepare
from terrawatt.analysis.uncertainty import (
    Component,
    accuracy_limit_w,
    accuracy_problem,
    combined,
    counter_resolution_u_j,
    counter_step,
    gaps_u_j,
    meter_u_j,
    resolution_u_j,
    sampling_u_j,
    timing_u_j,
)
from terrawatt.errors import AnalysisError
from terrawatt.records import AccuracyBand, Semantics, Series, SeriesKey, SourceDescription, Window

KEY = SeriesKey.of("power", "power_w", source="plug")
S = 1_000_000_000
PLUG = (AccuracyBand(below_w=300, plus_minus_w=3.0), AccuracyBand(plus_minus_percent=1.0))


def signal(t_s, value, semantics, interval_s=None):
    t_ns = np.array([round(t * S) for t in t_s], np.int64)
    return prepare(Series(KEY, t_ns, np.array(value, np.float64)), semantics, interval_s)


def window(start_s, end_s):
    return Window(round(start_s * S), round(end_s * S))


def description(accuracy=PLUG, resolution_w=0.1):
    return SourceDescription("plug", "mqtt", Semantics.MEAN, accuracy, KEY, resolution_w)


@pytest.mark.parametrize(("power_w", "limit_w"), [(0, 3), (100, 3), (299.9, 3), (300, 3), (500, 5), (-500, 5)])
def test_the_seeds_plug(power_w, limit_w):
    assert accuracy_limit_w(PLUG, power_w) == pytest.approx(limit_w)


def test_the_two_parts_of_a_band_add_up():
    assert accuracy_limit_w([AccuracyBand(plus_minus_w=1, plus_minus_percent=2)], 100) == pytest.approx(3)


@pytest.mark.parametrize(
    "bands",
    [
        [AccuracyBand(below_w=300, plus_minus_w=3)],
        [AccuracyBand(plus_minus_w=3), AccuracyBand(below_w=300, plus_minus_w=1)],
        [AccuracyBand(below_w=300), AccuracyBand(below_w=300)],
        [],
    ],
)
def test_bands_with_holes_or_out_of_order_are_refused(bands):
    assert accuracy_problem(bands)
    with pytest.raises(AnalysisError, match="accuracy"):
        accuracy_limit_w(bands, 400)
    assert math.isnan(meter_u_j(description(tuple(bands)), [90.0], 600))


def test_the_meter_errs_alike_for_the_whole_window_and_does_not_cancel_between_two_levels():
    assert meter_u_j(description(), [90.0], 600) == pytest.approx(600 * 3 / math.sqrt(3))
    assert meter_u_j(description(), [500.0, 90.0], 600) == pytest.approx(600 * math.hypot(5, 3) / math.sqrt(3))


def test_resolution():
    assert resolution_u_j(0.1, 1, 600) == pytest.approx(600 * 0.1 / math.sqrt(12))
    assert resolution_u_j(0.1, 2, 600) == pytest.approx(600 * 0.1 / math.sqrt(6))
    assert counter_resolution_u_j(3600) == pytest.approx(3600 / math.sqrt(6))


def test_the_step_of_a_counter_is_seen_where_it_stands_still():
    assert counter_step(signal(range(6), [0, 0, 3600, 3600, 7200, 7200], Semantics.COUNTER)) == 3600
    assert counter_step(signal(range(3), [0, 10, 21], Semantics.COUNTER)) == 0


def test_a_late_meter_moves_one_interval_of_the_step_and_no_more_than_the_window():
    readings = signal(range(0, 300, 30), [40.0] * 10, Semantics.MEAN)
    assert timing_u_j(readings, -50.0, 600) == pytest.approx(30 * 50 / math.sqrt(3))
    assert timing_u_j(readings, 50.0, 12) == pytest.approx(12 * 50 / math.sqrt(3))
    assert timing_u_j(signal([0, 1], [1, 2], Semantics.ON_CHANGE), 50.0, 12) == 0


def test_gaps():
    assert gaps_u_j(6.0, -50.0) == pytest.approx(300 / math.sqrt(3))


def test_means_and_counters_are_unsure_only_in_the_cells_at_the_ends():
    power = signal(range(0, 100, 10), [40] * 3 + [90] * 4 + [40] * 3, Semantics.MEAN)
    assert sampling_u_j(power, [window(20, 60)])[0] == 0  # the ends are readings
    counter = signal(range(0, 100, 10), np.cumsum([0, 400, 400, 900, 900, 900, 900, 400, 400, 400]), Semantics.COUNTER)
    assert sampling_u_j(counter, [window(20, 60)])[0] == 0


@given(st.floats(0.02, 0.98), st.floats(0.02, 0.98))
def test_a_step_at_the_windows_ends_is_within_the_limits_of_the_sampling(early, late):
    """Idle, a run that starts and ends inside a cell, idle: u √3 of each end is exactly the error made there."""
    start_s, end_s = 30 + 10 * early, 80 + 10 * late
    t_s = np.arange(10, 130, 10)
    running_s = np.clip(np.minimum(t_s, end_s) - np.maximum(t_s - 10, start_s), 0, None)
    power = signal(t_s, 40 + 50 * running_s / 10, Semantics.MEAN)
    run = window(start_s, end_s)
    error_j = abs(integrate(power, [run])[0].value - 90 * (end_s - start_s))
    at_start, at_end = early * (1 - early) * 500, late * (1 - late) * 500
    assert error_j == pytest.approx(at_start + at_end, rel=1e-6)
    assert sampling_u_j(power, [run])[0] == pytest.approx(math.hypot(at_start, at_end) / math.sqrt(3), rel=1e-6)


def test_a_counter_read_only_outside_a_short_window_knows_little():
    counter = signal([0, 30, 60, 90, 120], [0, 1200, 3400, 4600, 5800], Semantics.COUNTER)  # 40 W, and 1000 J more
    run = window(40, 50)
    found = integrate(counter, [run])[0].value
    assert found == pytest.approx(2200 / 3)
    true_j = 40 * 10 + 1000
    assert abs(true_j - found) <= math.sqrt(3) * sampling_u_j(counter, [run])[0]


def test_instantaneous_readings_are_a_sample_of_the_power():
    """Power that alternates faster than it is read: the error of the integral is that of a mean of random readings."""
    rng = np.random.default_rng(2)
    errors, stated = [], []
    for _ in range(300):
        readings = signal(range(62), rng.choice([60.0, 100.0], 62), Semantics.INSTANTANEOUS)
        run = window(1, 61)
        errors.append(integrate(readings, [run])[0].value - 80 * 60)
        stated.append(sampling_u_j(readings, [run])[0])
    assert np.std(errors) == pytest.approx(np.mean(stated), rel=0.1)


def test_sampling_adds_up_over_adjoining_windows_in_quadrature():
    readings = signal(range(20), np.arange(20) % 3, Semantics.INSTANTANEOUS)
    left, right, whole = sampling_u_j(readings, [window(2.3, 7.7), window(7.7, 15.1), window(2.3, 15.1)])
    assert math.hypot(left, right) == pytest.approx(whole)


def test_reports_on_change_miss_nothing():
    assert sampling_u_j(signal([0, 1, 2], [1, 5, 3], Semantics.ON_CHANGE), [window(0, 2)]).tolist() == [0]


def test_components_are_combined_in_quadrature():
    assert combined([Component("meter", 3.0), Component("timing", 4.0)]) == 5
    assert combined([]) == 0
