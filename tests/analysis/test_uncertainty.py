import math

import numpy as np
import pytest

from terrawatt.analysis.noise import Readings, idle_noise
from terrawatt.analysis.signal import prepare
from terrawatt.analysis.uncertainty import (
    TIMING_S,
    Component,
    accuracy_limit_w,
    accuracy_problem,
    combined,
    combined_shared,
    counter_resolution,
    counter_step,
    gaps,
    late_limit_s,
    meter,
    resolution,
    timing,
)
from terrawatt.errors import AnalysisError
from terrawatt.records import AccuracyBand, MeterError, Semantics, Series, SeriesKey, SourceDescription

KEY = SeriesKey.of("power", "power_w", source="plug")
S = 1_000_000_000
PLUG = (AccuracyBand(below_w=300, plus_minus_w=3.0), AccuracyBand(plus_minus_percent=1.0))


def signal(t_s, value, semantics, interval_s=None):
    t_ns = np.array([round(t * S) for t in t_s], np.int64)
    return prepare(Series(KEY, t_ns, np.array(value, np.float64)), semantics, interval_s)


def description(accuracy=PLUG, **others):
    return SourceDescription("plug", "mqtt", Semantics.MEAN, accuracy, KEY, 0.1, **others)


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
    assert math.isnan(meter(description(tuple(bands)), 90.0, None, 600).u_j)


def test_gross_the_meter_errs_alike_for_the_whole_window():
    part = meter(description(), 90.0, None, 600)
    assert part.u_j == part.shared_u_j == pytest.approx(600 * 3 / math.sqrt(3))
    assert part.limits_j == (1800,)


@pytest.mark.parametrize(
    ("error", "power_w", "limits_j"),
    [
        (MeterError.UNKNOWN, 500.0, (3000, 1800)),  # both levels' limits
        (MeterError.OFFSET, 90.0, (0,)),  # equal limits cancel
        (MeterError.OFFSET, 500.0, (1200,)),
        (MeterError.GAIN, 500.0, (600 * 0.01 * 460,)),  # 1 % of the difference
        (MeterError.GAIN, 90.0, (600 * 3 / 90 * 50,)),
    ],
)
def test_net_what_cancels_is_said_by_the_kind_of_error(error, power_w, limits_j):
    part = meter(description(error=error), power_w, 40.0, 600)
    assert part.limits_j == pytest.approx(limits_j)
    assert part.u_j == pytest.approx(math.hypot(*limits_j) / math.sqrt(3))


def test_a_gain_without_power_is_no_error():
    assert meter(description(error=MeterError.GAIN), 0.0, 0.0, 600).u_j == 0


def test_readings_that_do_not_change_hide_half_a_step_each():
    assert resolution(0.1, 1, 600, None).u_j == pytest.approx(600 * 0.1 / math.sqrt(12))
    still = idle_noise([Readings(np.full(60, 40.0), 1.0, is_mean=True)])
    assert resolution(0.1, 2, 600, still).u_j == pytest.approx(600 * 0.1 / math.sqrt(6))
    assert resolution(0.0, 2, 600, still).u_j == 0


@pytest.mark.parametrize("scatter_w", [0.02, 0.03, 0.05])
def test_scatter_takes_the_steps_away(scatter_w):
    """The mean of rounded normal values is off by no more than stated, wherever the level lies between two steps."""
    rng = np.random.default_rng(1)
    values = rng.normal(0, scatter_w, 100_000)
    off = [np.mean(np.round((values + level) / 0.1) * 0.1 - values) - level for level in np.linspace(0, 0.1, 11)]
    noise = idle_noise([Readings(rng.normal(0, scatter_w, 2000), 1.0, is_mean=True)])
    assert np.sqrt(np.mean(np.square(off))) <= 1.1 * resolution(0.1, 1, 1, noise).u_j + 1e-4


def test_a_counter_is_read_twice_in_each_period():
    assert counter_resolution(3600, 600, []).u_j == pytest.approx(3600 / math.sqrt(6))
    assert counter_resolution(3600, 600, [300]).u_j == pytest.approx(3600 / math.sqrt(6) * math.hypot(1, 2))
    assert counter_resolution(3600, 600, [300, 300]).shared_u_j == pytest.approx(3600 / math.sqrt(6) * math.hypot(1, 1))


def test_the_step_of_a_counter_is_seen_where_it_stands_still():
    assert counter_step(signal(range(6), [0, 0, 3600, 3600, 7200, 7200], Semantics.COUNTER)) == 3600
    assert counter_step(signal(range(3), [0, 10, 21], Semantics.COUNTER)) == 0


def test_how_late_readings_may_be():
    slow, fast = (signal([0, step, 2 * step], [1, 2, 3], Semantics.MEAN) for step in (30.0, 0.1))
    assert late_limit_s(description(), slow) == TIMING_S
    assert late_limit_s(description(), fast) == pytest.approx(0.1)
    assert late_limit_s(description(timing_s=5.0), slow) == 5
    assert late_limit_s(description(latency_s=3.0, u_latency_s=0.2), slow) == 0


def test_a_late_meter_moves_the_step_and_no_more_than_the_window():
    assert timing(description(), 1.0, -50.0, 600).u_j == pytest.approx(50 / math.sqrt(3))
    assert timing(description(), 30.0, 50.0, 12).u_j == pytest.approx(12 * 50 / math.sqrt(3))
    calibrated = timing(description(u_latency_s=0.2), 0.0, -50.0, 600)
    assert (calibrated.u_j, calibrated.shared_u_j, calibrated.limits_j) == (10, 10, ())


def test_gaps_are_each_windows_own():
    part = gaps(6.0, -50.0)
    assert (part.u_j, part.shared_u_j) == (pytest.approx(300 / math.sqrt(3)), 0)


def test_components_are_combined_in_quadrature():
    parts = [Component("meter", 3.0, shared_u_j=3.0), Component("timing", 4.0)]
    assert combined(parts) == 5
    assert combined_shared(parts) == 3
    assert combined([]) == 0


def test_a_component_scales_in_all_that_it_says():
    part = Component.within("meter", 3.0, -4.0, is_shared=True).scaled(0.5)
    assert part == Component("meter", 2.5 / math.sqrt(3), (1.5, 2.0), 2.5 / math.sqrt(3))
