import math

import numpy as np
import pytest
from scipy.signal import lfilter

from terrawatt.analysis.baseline import DRIFT_PER_H, baseline, idle_level
from terrawatt.analysis.signal import prepare
from terrawatt.records import Semantics, Series, SeriesKey, Window

KEY = SeriesKey.of("power", "power_w", source="plug")
S = 1_000_000_000


def signal(t_s, value, semantics=Semantics.MEAN, interval_s=None):
    t_ns = np.array([round(t * S) for t in t_s], np.int64)
    return prepare(Series(KEY, t_ns, np.array(value, np.float64)), semantics, interval_s)


def window(start_s, end_s):
    return Window(round(start_s * S), round(end_s * S))


@pytest.mark.parametrize("semantics", [Semantics.INSTANTANEOUS, Semantics.MEAN])
def test_readings_behind_the_cold_period_never_get_into_the_baseline(semantics):
    readings = signal([0, 30, 60, 90, 120, 150], [40, 40, 40, 40, 200, 200], semantics)
    assert idle_level(readings, window(0, 115)).level == 40


def test_irregular_readings_weigh_by_their_time():
    readings = signal([0, 3, 4, 5, 6], [50, 40, 60, 60, 60])
    assert idle_level(readings, window(0, 7)).level == pytest.approx((3 * 40 + 3 * 60) / 6)


def test_a_counter_gives_its_rate_between_its_readings_inside():
    readings = signal([0, 10, 20, 30, 40], [0, 1000, 1400, 1800, 9000], Semantics.COUNTER)
    assert idle_level(readings, window(5, 35)).level == pytest.approx(40)


def test_reports_on_change_hold_until_the_period_ends():
    readings = signal([0, 10, 20], [10, 40, 60], Semantics.ON_CHANGE)
    assert idle_level(readings, window(5, 40)).level == pytest.approx((5 * 10 + 10 * 40 + 20 * 60) / 35)


@pytest.mark.parametrize("cold", [window(31, 59), window(20, 50), window(500, 600)])
def test_fewer_than_two_readings_are_no_baseline(cold):
    idle = baseline(signal([0, 30, 60], [40, 40, 40]), cold)
    assert idle.before is None
    assert "at least 2 needed" in idle.reason
    assert math.isnan(idle.at(window(60, 90)).level)


def test_without_a_cold_period_there_is_no_baseline():
    assert baseline(signal([0, 1, 2], [1, 1, 1]), None).reason == "no idle period before the repetitions"


def test_two_idle_periods_are_interpolated_at_the_middle_of_the_window():
    value = [40.0] * 100 + [90.0] * 100 + [44.0] * 100
    idle = baseline(signal(range(1, 301), value), window(0, 100), window(200, 300))
    assert idle.at(window(100, 200)).level == pytest.approx(42, abs=0.02)  # a second of the one after is left out
    assert idle.at(window(100, 150)).level == pytest.approx(41.5, abs=0.02)
    assert idle.at(window(100, 150)).u == pytest.approx(4 / math.sqrt(12), rel=1e-3)  # no noise: only the change
    assert idle.change() == (4, 0)


def test_one_idle_period_may_drift():
    idle = baseline(signal(range(1, 301), [40.0] * 300), window(0, 100))
    at = idle.at(window(100, 200))
    assert (at.level, at.u) == (40, pytest.approx(DRIFT_PER_H * 40 * 100 / 3600, rel=0.02))
    assert all(map(math.isnan, idle.change()))


def test_late_readings_of_the_workload_are_left_out_of_the_idle_period_after_it():
    value = [40.0] * 100 + [90.0] * 101 + [40.0] * 99
    idle = baseline(signal(range(1, 301), value), window(0, 100), window(200, 300))
    assert idle.after.level == 40
    reports = [0, 50, 100, 207, 250, 270], [40, 40, 90, 40, 41, 40]  # 90 W is in force when the idle period begins
    change = signal(*reports, Semantics.ON_CHANGE)
    assert baseline(change, window(0, 100), window(200, 300)).after.level == pytest.approx((73 * 40 + 20 * 41) / 93)


def test_an_idle_period_after_without_readings_is_left_out():
    idle = baseline(signal(range(100), [40.0] * 100), window(0, 50), window(200, 300))
    assert idle.before is not None
    assert idle.after is None


def test_few_readings_know_little():
    readings = signal([0, 30, 60, 90, 120], [40, 40, 43, 46, 200])  # two means lie inside: 43 W and 46 W
    two = baseline(readings, window(20, 95)).at(window(90, 120))
    assert two.level == 44.5
    assert two.u > 3 * 12 / math.sqrt(12)  # far above that of two independent readings: t with one degree of freedom
    assert 0 < two.u_shared <= two.u


def test_the_run_beside_tells_of_the_noise_only_where_its_load_is_steady():
    rng = np.random.default_rng(5)
    value = 40 + ar1(rng, 420, 0.9)
    steady, varied = value.copy(), value.copy()
    steady[120:] += 50
    varied[120:] += rng.choice([20, 50], 300)
    run = window(120, 420)
    for power, is_used in ((steady, True), (varied, False)):
        readings = signal(range(1, 421), power)
        idle = baseline(readings, window(0, 120))
        informed = idle.informed(readings, [run])
        assert (informed.noise.dof > idle.noise.dof) == is_used
        assert informed.at(run).level == idle.at(run).level


def ar1(rng, n, phi):
    steps = rng.normal(0, np.sqrt(1 - phi**2), n)
    steps[0] = rng.normal()
    return lfilter([1], [1, -phi], steps)
