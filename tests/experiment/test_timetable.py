import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.config import ProtocolSettings
from terrawatt.experiment.plan import ordered
from terrawatt.experiment.protocol import StepKind
from terrawatt.experiment.sitting import all_steps, sittings
from terrawatt.experiment.timetable import executions_in_window, timetable
from terrawatt.records import Order


@given(
    scenarios=st.integers(1, 5),
    repetitions=st.integers(1, 4),
    warmup=st.integers(0, 3),
    order=st.sampled_from(Order),
    waits=st.tuples(*[st.integers(0, 5)] * 3),
)
def test_it_counts_what_the_plan_would_do(
    scenarios: int, repetitions: int, warmup: int, order: Order, waits: tuple[int, int, int]
) -> None:
    cold_s, idle_s, pause_s = waits
    protocol = ProtocolSettings(
        repetitions=repetitions, warmup=warmup, cold_s=cold_s, idle_after_s=idle_s, pause_s=pause_s
    )
    left = sittings(ordered(scenarios, repetitions, order, 0), order, {})
    steps = [step for of_one in all_steps(protocol, left, order) for step in of_one]
    found = timetable(protocol, order, scenarios)
    assert found.sittings == len(left)
    assert found.warmups * scenarios == sum(step.kind is StepKind.WARMUP for step in steps)
    assert found.repetitions * scenarios == sum(step.kind is StepKind.REPETITION for step in steps)
    assert math.isclose(found.idle_s, sum(step.duration_s or 0.0 for step in steps))


@pytest.mark.parametrize(
    ("execution_s", "window_s", "times"), [(10, 0, 1), (10, 10, 1), (10, 10.1, 2), (3, 10, 4), (0, 10, 1)]
)
def test_a_window_is_filled_with_whole_executions(execution_s: float, window_s: float, times: int) -> None:
    assert executions_in_window(execution_s, window_s) == times
