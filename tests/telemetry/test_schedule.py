"""A fixed rate without drift, under a clock that the test sets."""

import threading

from hypothesis import given
from hypothesis import strategies as st

from terrawatt.telemetry.schedule import Schedule, ticks

intervals_ms = st.integers(1, 10_000)
works_ns = st.lists(st.integers(0, 60_000_000_000), min_size=1, max_size=30)


@given(interval_ms=intervals_ms, start_ns=st.integers(0, 2**62), works_ns=works_ns)
def test_deadlines_lie_on_the_grid_and_none_is_made_up(interval_ms: int, start_ns: int, works_ns: list[int]) -> None:
    schedule, interval_ns = Schedule(interval_ms / 1000, start_ns), interval_ms * 1_000_000
    for taken, work_ns in enumerate(works_ns, start=1):
        now_ns = schedule.deadline_ns + work_ns
        schedule.advance(now_ns)
        assert schedule.deadline_ns > now_ns
        assert schedule.deadline_ns - now_ns <= interval_ns
        assert (schedule.deadline_ns - start_ns) % interval_ns == 0
        assert taken + schedule.missed == (schedule.deadline_ns - start_ns) // interval_ns


def test_waking_early_takes_the_next_deadline_all_the_same() -> None:
    schedule = Schedule(1.0, 5_000_000_000)
    schedule.advance(4_999_999_999)
    assert (schedule.deadline_ns, schedule.missed) == (6_000_000_000, 0)


def test_remaining_time_is_never_negative() -> None:
    schedule = Schedule(1.0, 2_000_000_000)
    assert schedule.remaining_s(500_000_000) == 1.5
    assert schedule.remaining_s(9_000_000_000) == 0


def test_ticks_end_when_asked() -> None:
    stop = threading.Event()
    count = 0
    for _ in ticks(Schedule(0.001, 0), stop):
        count += 1
        if count == 3:
            stop.set()
    assert count == 3
