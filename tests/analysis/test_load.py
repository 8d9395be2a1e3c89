import numpy as np
import pytest

from terrawatt.analysis.load import cpu_verdicts, temperature_verdicts
from terrawatt.records import Series, SeriesKey, Severity, Window

S = 1_000_000_000
KEY = SeriesKey.of("cpu", "usage_user")
COLD, AFTER = Window(0, 100 * S), Window(500 * S, 600 * S)
WINDOWS = [Window((100 + 100 * i) * S, (200 + 100 * i) * S) for i in range(4)]


def series(*levels):
    """100 s at each level: idle, four repetitions, idle."""
    value = np.repeat(np.array(levels, float), 100)
    return Series(KEY, np.arange(1, len(value) + 1, dtype=np.int64) * S, value)


def cpu(*levels):
    return cpu_verdicts(series(*levels), 1.0, WINDOWS, [(COLD, AFTER)] * len(WINDOWS))


def warm(*levels, durations=(100, 100, 100, 100)):
    return temperature_verdicts(series(*levels), 1.0, WINDOWS, durations)


def codes(found):
    return [[verdict.code for verdict in verdicts] for verdicts in found]


def test_a_quiet_machine_has_no_verdict():
    assert cpu(1, 50, 51, 49, 50, 2) == ((), (), (), ())


@pytest.mark.parametrize(("before", "after", "n"), [(8, 1, 2), (1, 8, 2), (8, 8, 2), (5, 5, 0)])
def test_what_runs_while_idle_is_foreign_and_concerns_all_repetitions(before, after, n):
    found = cpu(before, 50, 50, 50, 50, after)
    assert len({tuple(verdicts) for verdicts in found}) == 1
    assert len(found[0]) == n
    assert all(verdict.severity is Severity.DOUBTFUL and verdict.advice for verdict in found[0])


def test_a_change_while_idle_is_told():
    assert "idle-load-change" in codes(cpu(0, 50, 50, 50, 50, 8))[0]
    assert "went from 0.0 % to 8.0 %" in cpu(0, 50, 50, 50, 50, 8)[0][1].message


def test_a_repetition_that_uses_more_than_the_others():
    found = cpu(1, 50, 50, 60, 50, 1)
    assert codes(found) == [[], [], ["foreign-load"], []]
    assert "60.0 % of the CPUs busy, 10.0 % above the median" in found[2][0].message


def test_idle_periods_count_for_their_own_sitting():
    quiet, loud = (Window(0, 100 * S), None), (None, Window(500 * S, 600 * S))
    found = cpu_verdicts(series(1, 50, 50, 50, 50, 9), 1.0, WINDOWS, [quiet, quiet, loud, loud])
    assert codes(found) == [[], [], ["idle-load"], ["idle-load"]]


def test_without_idle_periods_and_with_two_repetitions_nothing_is_told():
    assert cpu_verdicts(series(50, 10, 90, 1, 1, 1), 1.0, WINDOWS[:2], [(None, None)] * 2) == ((), ())


def test_a_steady_temperature_has_no_verdict():
    assert warm(40, 60, 60.5, 61, 61, 50) == ((), (), (), ())


def test_a_rise_over_the_repetitions_is_a_note_and_a_far_one_doubtful():
    assert codes(warm(40, 60, 61, 63, 64, 50)) == [["temperature-drift"]] * 4
    found = warm(40, 50, 60, 60, 60, 50)
    assert codes(found)[0] == ["temperature-drift", "other-temperature"]
    assert found[0][1].severity is Severity.DOUBTFUL
    assert "10.0 °C below" in found[0][1].message


def test_a_fall_is_no_drift_of_warming_up():
    assert codes(warm(40, 63, 62, 60, 60, 50)) == [[], [], [], []]


def test_heat_is_a_note_and_with_a_long_duration_throttling():
    levels = (60, 92, 92, 92, 92, 60)
    assert codes(warm(*levels)) == [["hot"]] * 4
    found = warm(*levels, durations=(100, 100, 100, 110))
    assert codes(found) == [["hot"], ["hot"], ["hot"], ["throttling"]]
    assert found[3][0].severity is Severity.DOUBTFUL


def test_missing_readings_say_nothing():
    gone = Series(KEY, np.arange(1, 4, dtype=np.int64) * S, np.full(3, np.nan))
    assert cpu_verdicts(gone, 1.0, WINDOWS, [(COLD, AFTER)] * len(WINDOWS)) == ((), (), (), ())
    assert temperature_verdicts(gone, 1.0, WINDOWS, (1, 1, 1, 1)) == ((), (), (), ())
