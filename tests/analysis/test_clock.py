import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.analysis.clock import clock_jump_s, clock_verdicts, restart_verdicts
from terrawatt.records import Series, SeriesKey, Severity, Window

S = 1_000_000_000
KEY = SeriesKey.of("terrawatt", "wall_minus_monotonic_s")
IDLE, RUN = Window(0, 100 * S), Window(100 * S, 200 * S)


def offsets(jump_s=0.0, at_s=150, slew=0.0):
    """The clock's offset as the sampler records it: at monotonic times, stamped by the clock itself."""
    monotonic_s = np.arange(0.5, 300)
    offset_s = 1.79e9 + slew * monotonic_s + np.where(monotonic_s > at_s, jump_s, 0.0)
    t_ns = ((monotonic_s + offset_s - 1.79e9) * S).astype(np.int64)
    order = np.argsort(t_ns, kind="stable")  # a store keeps them by time
    return Series(KEY, t_ns[order], offset_s[order])


@given(st.floats(-5e-4, 5e-4))
def test_a_clock_that_is_steered_has_not_jumped(slew):
    assert clock_jump_s(offsets(slew=slew), RUN) == 0.0


@pytest.mark.parametrize("jump_s", [0.5, -0.5, 20.0, -20.0, 3600.0])
def test_a_clock_that_is_set_forward_or_back(jump_s):
    assert clock_jump_s(offsets(jump_s), RUN) == pytest.approx(abs(jump_s))
    assert clock_jump_s(offsets(jump_s), Window(10 * S, 60 * S)) == 0.0


def test_a_jump_between_two_readings_at_the_end_of_a_window_is_seen():
    assert clock_jump_s(offsets(5.0, at_s=99.9), Window(50 * S, 100 * S)) == pytest.approx(5)


@pytest.mark.parametrize(
    ("jump_s", "severity"), [(0.5, Severity.NOTE), (5.0, Severity.DOUBTFUL), (20.0, Severity.UNUSABLE)]
)
def test_it_weighs_by_its_share_of_the_window(jump_s, severity):
    ((found,),) = clock_verdicts(offsets(jump_s), [RUN], [IDLE])
    assert (found.code, found.severity) == ("clock-jump", severity)
    assert found.advice


def test_in_an_idle_period_it_is_a_note():
    ((found,),) = clock_verdicts(offsets(5.0, at_s=50), [RUN], [IDLE])
    assert found.severity is Severity.NOTE
    assert "idle period" in found.message


def test_no_readings_no_verdict():
    empty = Series(KEY, np.empty(0, np.int64), np.empty(0))
    assert clock_verdicts(empty, [RUN], [IDLE]) == ((),)
    assert restart_verdicts(empty, [RUN], [IDLE]) == ((),)


def starts(*at_s):
    return Series(KEY, np.array(at_s, np.int64) * S, np.arange(len(at_s), dtype=float))


def test_the_first_start_of_the_sampler_is_none_and_a_later_one_a_restart():
    assert restart_verdicts(starts(50), [RUN], [IDLE]) == ((),)
    ((found,),) = restart_verdicts(starts(-5, 150), [RUN], [IDLE])
    assert (found.code, found.severity) == ("sampler-restarted", Severity.DOUBTFUL)
    assert found.message == "the sampler was restarted once in the window"
    ((found,),) = restart_verdicts(starts(-5, 40, 60), [RUN], [IDLE])
    assert (found.severity, "2 times in an idle period" in found.message) == (Severity.NOTE, True)
    assert restart_verdicts(starts(-5, 250), [RUN], [IDLE]) == ((),)
