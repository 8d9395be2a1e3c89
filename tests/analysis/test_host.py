import math

import numpy as np
import pytest

from terrawatt.analysis.host import above_cold, disk_reads
from terrawatt.records import Semantics, Series, SeriesKey, Window

S = 1_000_000_000
COLD, RUN = Window(0, 20 * S), Window(20 * S, 30 * S)


def series(value):
    t_ns = np.arange(1, len(value) + 1, dtype=np.int64) * S
    return Series(SeriesKey.of("cpu", "usage_user", cpu="cpu-total"), t_ns, np.array(value, np.float64))


def test_above_the_cold_level():
    (found,) = above_cold(series([5.0] * 20 + [80.0] * 20), Semantics.MEAN, 1.0, [RUN], COLD)
    assert found.level == 5
    assert found.value == pytest.approx((80 - 5) * 10)


def test_free_memory_falls_below_the_cold_level():
    (found,) = above_cold(series([90.0] * 19 + [70.0] * 20), Semantics.INSTANTANEOUS, 1.0, [RUN], COLD)
    assert found.value == pytest.approx(-200)


def test_missing_readings_and_missing_cold_give_reasons():
    (no_readings,) = above_cold(series([]), Semantics.MEAN, 1.0, [RUN], COLD)
    (no_cold,) = above_cold(series([5.0] * 40), Semantics.MEAN, 1.0, [RUN], None)
    (short_cold,) = above_cold(series([5.0] * 40), Semantics.MEAN, 1.0, [RUN], Window(0, S // 2))
    for found in (no_readings, no_cold, short_cold):
        assert math.isnan(found.value)
        assert found.reason


def test_reads_since_the_start_of_the_window_whatever_the_counter_stood_at():
    for uptime in (0, 10**12):
        counter = uptime + np.concatenate((np.zeros(20), np.arange(5, 105, 5)))  # 5 reads a second from 20 s on
        (found,) = disk_reads(series(counter), 1.0, [RUN])
        assert found.count.value == pytest.approx(50)
        assert found.integral.value == pytest.approx(5 * 10**2 / 2)


def test_no_read_is_a_true_zero():
    (found,) = disk_reads(series([777] * 40), 1.0, [RUN])
    assert (found.count.value, found.integral.value) == (0, 0)
    assert found.count.reason == found.integral.reason == ""


@pytest.mark.parametrize("value", [[], [5], [5] * 22, [9] * 25 + [1] * 10])
def test_reads_that_cannot_be_told_are_missing(value):
    (found,) = disk_reads(series(value), 1.0, [RUN])
    for part in (found.count, found.integral):
        assert math.isnan(part.value)
        assert part.reason


def test_reads_over_a_restart_are_bridged_and_told():
    counter = np.concatenate((1000 + 5 * np.arange(25), 5 * np.arange(15)))  # 5 reads a second, restarted at 25 s
    (found,) = disk_reads(series(counter), 1.0, [RUN])
    assert found.count.value == pytest.approx(50)
    assert found.integral.value == pytest.approx(5 * 10**2 / 2)
    assert found.count.gap_s == found.integral.gap_s == 1


def test_a_failed_read_of_the_counter_is_no_restart():
    counter = 1000.0 + 5 * np.arange(40)
    counter[[22, 24]] = [np.nan, 0.0]
    (found,) = disk_reads(series(counter), 1.0, [RUN])
    assert (found.count.value, found.count.gap_s) == (pytest.approx(50), 2)
    assert found.integral.value == pytest.approx(5 * 10**2 / 2)
