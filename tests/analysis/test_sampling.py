import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.analysis.integrate import integrate
from terrawatt.analysis.noise import Readings, idle_noise
from terrawatt.analysis.sampling import sampling
from terrawatt.analysis.signal import prepare
from terrawatt.analysis.window_ends import report_interval_s
from terrawatt.records import Semantics, Series, SeriesKey, Window

KEY = SeriesKey.of("power", "power_w", source="plug")
S = 1_000_000_000


def signal(t_s, value, semantics, interval_s=None):
    t_ns = np.array([round(t * S) for t in t_s], np.int64)
    return prepare(Series(KEY, t_ns, np.array(value, np.float64)), semantics, interval_s)


def window(start_s, end_s):
    return Window(round(start_s * S), round(end_s * S))


def corrected_j(power, run, late_s=0.0):
    return integrate(power, [run])[0].value + sampling(power, [run], None, late_s).correction[0]


def test_nothing_is_open_where_the_ends_are_readings():
    power = signal(range(0, 100, 10), [40] * 3 + [90] * 4 + [40] * 3, Semantics.MEAN)
    counter = signal(range(0, 100, 10), np.cumsum([0, 400, 400, 900, 900, 900, 900, 400, 400, 400]), Semantics.COUNTER)
    for readings in (power, counter):
        found = sampling(readings, [window(20, 60)])
        assert (found.correction[0], found.u[0]) == (0, 0)


@given(st.floats(0.02, 0.98), st.floats(0.02, 0.98), st.sampled_from([Semantics.MEAN, Semantics.INSTANTANEOUS]))
def test_a_step_at_the_windows_ends_is_found_wherever_it_lies_in_its_cell(early, late, semantics):
    start_s, end_s = 30 + 10 * early, 80 + 10 * late
    t_s = np.arange(10, 130, 10)
    running_s = np.clip(np.minimum(t_s, end_s) - np.maximum(t_s - 10, start_s), 0, None)
    share = running_s / 10 if semantics is Semantics.MEAN else (t_s > start_s) & (t_s < end_s)
    power, run = signal(t_s, 40 + 50 * share, semantics), window(start_s, end_s)
    assert corrected_j(power, run) == pytest.approx(90 * (end_s - start_s), rel=1e-6)


@given(st.floats(0, 100), st.floats(0.5, 100), st.floats(0, 2), st.sampled_from(list(Semantics)))
def test_a_constant_needs_no_correction(start_s, length_s, late_s, semantics):
    value = np.arange(60) * 5 * 40.0 if semantics is Semantics.COUNTER else np.full(60, 40.0)
    power = signal(np.arange(60) * 5.0, value, semantics)
    found = sampling(power, [window(10 + start_s, 10 + start_s + length_s)], None, late_s)
    assert found.correction[0] == pytest.approx(0, abs=1e-4)
    assert found.u[0] == pytest.approx(0, abs=1e-4)


def test_a_gap_at_the_end_is_not_divided():
    value = [40.0, 40.0, 40.0, math.nan, 90.0, 90.0, 90.0, 90.0, 40.0, 40.0, 40.0]
    power = signal(range(10, 120, 10), value, Semantics.MEAN, 10.0)
    found = sampling(power, [window(45, 85)], None, 1.0)
    start, end = (sampling(power, [run], None, 1.0).correction[0] for run in (window(45, 80), window(50, 85)))
    assert start == pytest.approx(0, abs=1e-6)  # the cell outside was not read
    assert found.correction[0] == pytest.approx(end, rel=1e-6)
    assert found.u[0] > 0


def test_late_energy_is_found_behind_the_window():
    """The run ends at 60 s; its readings come 0.8 s late."""
    t_s = np.arange(1, 121)
    power = signal(t_s, np.where((t_s > 20.8) & (t_s < 61), 90, np.where(t_s == 61, 40 + 50 * 0.8, 40)), Semantics.MEAN)
    run = window(21, 60)
    assert corrected_j(power, run) < 90 * 39 + 1
    assert corrected_j(power, run, 1.0) == pytest.approx(90 * 39 + 50 * 0.8)
    assert sampling(power, [run], None, 1.0).late_s[0] == 1


def test_at_the_series_end_late_energy_is_not_found():
    power = signal(range(1, 61), [40.0] * 60, Semantics.MEAN)
    assert sampling(power, [window(20, 60)], None, 1.0).late_s[0] == 0


def test_a_counter_read_only_outside_a_short_window_gives_it_all_that_is_more_than_its_neighbours():
    counter = signal([0, 30, 60, 90, 120], [0, 1200, 3400, 4600, 5800], Semantics.COUNTER)  # 40 W, and 1000 J more
    assert corrected_j(counter, window(40, 50)) == pytest.approx(40 * 10 + 1000)


def test_power_that_alternates_faster_than_it_is_read_is_a_random_sample():
    rng = np.random.default_rng(2)
    errors, stated = [], []
    for _ in range(300):
        readings, run = signal(range(64), rng.choice([60.0, 100.0], 64), Semantics.INSTANTANEOUS), window(1.5, 61.5)
        errors.append(corrected_j(readings, run) - 80 * 60)
        stated.append(sampling(readings, [run]).u[0])
    assert np.sqrt(np.mean(np.square(stated))) == pytest.approx(np.std(errors), rel=0.15)


def test_steps_that_are_rare_are_known_to_a_twelfth_of_a_cell():
    rng = np.random.default_rng(3)
    errors, stated = [], []
    for _ in range(300):
        at_s = np.cumsum(rng.uniform(6, 20, 20))
        t_s = np.arange(102.0)
        readings = signal(t_s, 60.0 + 40 * (np.searchsorted(at_s, t_s) % 2), Semantics.INSTANTANEOUS)
        fine_s = np.arange(1, 101, 0.001) + 0.0005
        true_j = np.sum(60.0 + 40 * (np.searchsorted(at_s, fine_s) % 2)) * 0.001
        run = window(1, 101)
        errors.append(corrected_j(readings, run) - true_j)
        stated.append(sampling(readings, [run]).u[0])
    assert np.sqrt(np.mean(np.square(stated))) == pytest.approx(np.std(errors), rel=0.15)


def test_what_idle_readings_scatter_too_is_not_counted_again():
    rng = np.random.default_rng(4)
    noise = idle_noise([Readings(rng.normal(40, 1, 120), 1.0, is_mean=False)])
    readings = signal(range(300), rng.normal(90, 1, 300), Semantics.INSTANTANEOUS)
    assert sampling(readings, [window(10, 200)]).u[0] > 10
    assert sampling(readings, [window(10, 200)], noise).u[0] == 0


def test_reports_on_change_are_moved_to_the_start_only_when_they_came_soon():
    often = signal(
        [0, 10, 20, 30, 41, 50, 60, 70, 80, 90], [40, 41, 40, 41, 90, 91, 90, 91, 40, 41], Semantics.ON_CHANGE
    )
    assert report_interval_s(often) == pytest.approx(9, abs=0.5)
    run = window(33, 75)
    assert sampling(often, [run]).correction[0] == pytest.approx(8 * (90 - 41))
    assert sampling(signal([0, 1, 2, 41, 42], [40, 41, 40, 90, 91], Semantics.ON_CHANGE), [run]).correction[0] == 0


def test_an_on_change_source_that_looks_now_and_then_misses_what_is_faster():
    rng = np.random.default_rng(5)
    errors, stated = [], []
    for _ in range(300):
        value = rng.choice([60.0, 100.0], 64)  # looked at every second, of a power that alternates faster
        kept = np.concatenate(([True], value[1:] != value[:-1]))
        readings, run = signal(np.arange(64)[kept], value[kept], Semantics.ON_CHANGE), window(2.5, 62.5)
        errors.append(corrected_j(readings, run) - 80 * 60)
        stated.append(sampling(readings, [run]).u[0])
    assert np.sqrt(np.mean(np.square(stated))) == pytest.approx(np.std(errors), rel=0.2)
