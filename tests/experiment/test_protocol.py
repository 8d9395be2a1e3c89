from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.config import ProtocolSettings
from terrawatt.experiment.protocol import Step, StepKind, blocks, fill, remaining_s, steps, titles
from terrawatt.records import Scenario

protocols = st.builds(
    ProtocolSettings,
    cold_s=st.floats(0, 1000),
    idle_after_s=st.sampled_from([0.0, 5.0]),
    warmup=st.integers(0, 3),
    repetitions=st.integers(1, 20),
    pause_s=st.sampled_from([0.0, 2.0]),
    min_window_s=st.sampled_from([0.0, 30.0]),
)


def test_the_order_is_cold_warm_up_repetitions_idle() -> None:
    protocol = ProtocolSettings(cold_s=180, warmup=1, repetitions=2, pause_s=5, idle_after_s=120)
    assert steps(protocol) == (
        Step(StepKind.COLD, duration_s=180),
        Step(StepKind.WARMUP, 1),
        Step(StepKind.REPETITION, 1),
        Step(StepKind.PAUSE, duration_s=5),
        Step(StepKind.REPETITION, 2),
        Step(StepKind.IDLE, duration_s=120),
    )


@given(protocols)
def test_every_repetition_is_there_once(protocol: ProtocolSettings) -> None:
    plan = steps(protocol)
    numbers = [step.number for step in plan if step.kind is StepKind.REPETITION]
    assert numbers == list(range(1, protocol.repetitions + 1))
    assert plan[0].kind is StepKind.COLD
    assert len(blocks(protocol)) == protocol.repetitions


@given(protocols, st.floats(0.1, 100))
def test_the_time_left_is_that_of_all_steps(protocol: ProtocolSettings, execution_s: float) -> None:
    repetition_s = max(execution_s, protocol.min_window_s)
    expected_s = (
        protocol.cold_s
        + protocol.warmup * execution_s
        + protocol.repetitions * repetition_s
        + (protocol.repetitions - 1) * protocol.pause_s
        + protocol.idle_after_s
    )
    assert remaining_s(steps(protocol), execution_s, 0, protocol.min_window_s) == pytest.approx(expected_s)


def test_the_present_step_counts_only_what_is_left_of_it() -> None:
    left = (Step(StepKind.REPETITION, 1), Step(StepKind.IDLE, duration_s=10))
    assert remaining_s(left, execution_s=20, elapsed_s=15, min_window_s=0) == 15
    assert remaining_s(left, execution_s=20, elapsed_s=25, min_window_s=0) == 10  # longer than expected: none left


def test_the_time_left_is_unknown_before_the_first_execution() -> None:
    assert remaining_s(steps(ProtocolSettings()), None, 0, 0) is None
    assert remaining_s((Step(StepKind.IDLE, duration_s=10),), None, 4, 0) == 6


def test_placeholders_are_whole_arguments() -> None:
    scenario = Scenario({}, ("run", "{seed}", "{output}", "{repetition}", "x{seed}", "{other}"), seed=10)
    assert fill(scenario.command, scenario, 3, Path("/out")) == ("run", "12", "/out", "3", "x{seed}", "{other}")


def test_without_a_seed_its_placeholder_stays() -> None:
    scenario = Scenario({}, ("run", "{seed}"))
    assert fill(scenario.command, scenario, 1, Path("/out")) == ("run", "{seed}")


def test_a_title_tells_scenarios_apart() -> None:
    one = Scenario({"model": "a", "lr": 0.1}, ())
    assert titles([one]) == ["model a, lr 0.1"]
    assert titles([one, Scenario({"model": "b", "lr": 0.1, "hidden": 0}, ())]) == ["model a", "model b, hidden 0"]
