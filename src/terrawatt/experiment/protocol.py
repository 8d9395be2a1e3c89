"""The protocol as data: which steps a sitting takes, and how long all of it will last. Pure.

Cold (idle) → warm-up executions, discarded → repetitions, one fresh process each → idle.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from terrawatt.config import ProtocolSettings
from terrawatt.records import Order, Scenario


class StepKind(StrEnum):
    """What happens in a step."""

    COLD = "cold"
    WARMUP = "warm-up"
    REPETITION = "repetition"
    PAUSE = "pause"
    IDLE = "idle"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a scenario.

    Attributes:
        kind: what happens.
        number: of the warm-up or repetition, from 1; 0 for others.
        duration_s: how long it lasts; None: as long as the workload takes.
    """

    kind: StepKind
    number: int = 0
    duration_s: float | None = None


def steps(protocol: ProtocolSettings) -> tuple[Step, ...]:
    """The steps of one scenario in one sitting, which is the only one of its run."""
    repetitions = range(1, protocol.planned_repetitions + 1)
    return sitting_steps(protocol, repetitions, protocol.warmup, protocol.cold_s, protocol.idle_after_s)


def sitting_steps(
    protocol: ProtocolSettings, repetitions: Sequence[int], warmups: int, cold_s: float | None, idle_s: float
) -> tuple[Step, ...]:
    """The steps of one sitting, in order.

    Args:
        protocol: tells the pause between repetitions.
        repetitions: their numbers.
        warmups: how many executions are discarded before.
        cold_s: how long it is idle before; even 0 s are a step, which opens times.txt. None: it has been idle already.
        idle_s: how long it is idle after; 0: not at all.
    """
    plan = [] if cold_s is None else [Step(StepKind.COLD, duration_s=cold_s)]
    plan += [Step(StepKind.WARMUP, number) for number in range(1, warmups + 1)]
    for position, number in enumerate(repetitions):
        if position > 0 and protocol.pause_s > 0:
            plan.append(Step(StepKind.PAUSE, duration_s=protocol.pause_s))
        plan.append(Step(StepKind.REPETITION, number))
    if idle_s > 0:
        plan.append(Step(StepKind.IDLE, duration_s=idle_s))
    return tuple(plan)


def gap_s(protocol: ProtocolSettings) -> float:
    """How long it is idle between two sittings: the idle period of the one, and the cold period of the next."""
    return protocol.idle_after_s or protocol.cold_s


def blocks(protocol: ProtocolSettings, order: Order = Order.SEQUENTIAL) -> tuple[int, ...]:
    """The block of each repetition.

    A block holds every scenario once. Run one after another, scenarios share no block but the run itself: all
    repetitions are in block 1, and nothing may be paired by block.
    """
    if order is Order.SEQUENTIAL:
        return (1,) * protocol.planned_repetitions
    return tuple(range(1, protocol.planned_repetitions + 1))


def remaining_s(left: Sequence[Step], execution_s: float | None, elapsed_s: float, min_window_s: float) -> float | None:
    """How long the steps that are left will take.

    Args:
        left: the present step and those after it.
        execution_s: how long one execution takes, from those that have ended; None before the first.
        elapsed_s: how long the present step has lasted.
        min_window_s: how long a repetition lasts at least.

    Returns:
        Seconds; None as long as it takes an execution to know.
    """
    total_s = 0.0
    for index, step in enumerate(left):
        if (duration_s := _duration_s(step, execution_s, min_window_s)) is None:
            return None
        total_s += max(duration_s - elapsed_s, 0.0) if index == 0 else duration_s
    return total_s


def _duration_s(step: Step, execution_s: float | None, min_window_s: float) -> float | None:
    if step.duration_s is not None or execution_s is None:
        return step.duration_s
    return max(execution_s, min_window_s) if step.kind is StepKind.REPETITION else execution_s


def fill(command: Sequence[str], scenario: Scenario, repetition: int, output: Path) -> tuple[str, ...]:
    """A command with its placeholders replaced: arguments that are exactly `{seed}`, `{output}` or `{repetition}`.

    A warm-up runs as repetition 1 does.
    """
    values: Mapping[str, str] = {"{output}": str(output), "{repetition}": str(repetition)}
    if scenario.seed is not None:
        values = {**values, "{seed}": str(scenario.seed + repetition - 1)}
    return tuple(values.get(argument, argument) for argument in command)


def titles(scenarios: Sequence[Scenario]) -> list[str]:
    """Each scenario in words: the parameters in which they differ; of a single one, all."""
    names = list(dict.fromkeys(name for scenario in scenarios for name in scenario.parameters))
    if len(scenarios) > 1:
        names = [name for name in names if len({scenario.parameters.get(name) for scenario in scenarios}) > 1]
    return [
        ", ".join(f"{name} {scenario.parameters[name]}" for name in names if name in scenario.parameters)
        for scenario in scenarios
    ]
