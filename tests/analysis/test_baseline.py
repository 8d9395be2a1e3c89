import math

import numpy as np
import pytest
from scipy.signal import lfilter

from terrawatt.analysis.baseline import baseline, idle_level
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
    assert idle.at(window(100, 200)).level == pytest.approx(42)
    assert idle.at(window(100, 150)).level == pytest.approx(41.5)
    assert idle.at(window(100, 150)).u == pytest.approx(4 / math.sqrt(12))  # no noise: only the drift
    one_sided = baseline(signal(range(1, 301), value), window(0, 100))
    assert (one_sided.at(window(100, 200)).level, one_sided.at(window(100, 200)).u) == (40, 0)


def test_an_idle_period_after_without_readings_is_left_out():
    idle = baseline(signal(range(100), [40.0] * 100), window(0, 50), window(200, 300))
    assert idle.before is not None
    assert idle.after is None


def test_two_readings_give_their_range_as_uncertainty():
    idle = baseline(signal([0, 30, 60, 90, 120], [40, 40, 43, 46, 200]), window(20, 95))
    assert idle.at(window(90, 120)).u == pytest.approx(3)  # two means lie inside: 43 W and 46 W
    idle = baseline(signal([0, 30, 60, 90], [40, 40, 43, 200], Semantics.INSTANTANEOUS), window(20, 70))
    assert idle.at(window(90, 120)).u == pytest.approx(3)


def ar1(rng, n, phi):
    steps = rng.normal(0, np.sqrt(1 - phi**2), n)
    steps[0] = rng.normal()
    return lfilter([1], [1, -phi], steps)


@pytest.mark.parametrize("is_two_sided", [False, True])
@pytest.mark.parametrize(("phi", "idle_s"), [(0.0, 120), (0.9, 120), (0.95, 300)])
def test_two_standard_uncertainties_hold_the_truth(phi, idle_s, is_two_sided):
    """[Level - the machine's own mean while the workload runs] is within 2 u in at least 93 % of the runs."""
    rng = np.random.default_rng(11)
    n, held = 2 * idle_s + 600, 0
    after = window(n - idle_s, n) if is_two_sided else None
    for _ in range(200):
        power = 40 + ar1(rng, n, phi)
        at = baseline(signal(range(1, n + 1), power, interval_s=1.0), window(0, idle_s), after).at(
            window(idle_s, idle_s + 600)
        )
        held += abs(at.level - power[idle_s : idle_s + 600].mean()) <= 2 * at.u
    assert held >= 0.93 * 200
