"""Sittings: what is measured of a scenario in one go. A plan becomes a list of them. Pure.

In blocks each repetition is a sitting of its own, with idle periods of its own. One after another, a scenario is one
sitting; when a run is resumed in the midst of it, the repetitions that are left form the next.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from terrawatt.config import ProtocolSettings
from terrawatt.experiment.protocol import Step, gap_s, sitting_steps
from terrawatt.records import Order
from terrawatt.runs.plan import Entry


@dataclass(frozen=True, slots=True)
class Sitting:
    """One sitting.

    Attributes:
        scenario: its number, from 1.
        number: of the sitting of its scenario, from 1.
        block: in which it lies.
        repetitions: their numbers.
    """

    scenario: int
    number: int
    block: int
    repetitions: tuple[int, ...]


def sittings(
    entries: Sequence[Entry], order: Order, numbers: Mapping[int, int], finished: Collection[tuple[int, int]] = ()
) -> list[Sitting]:
    """The sittings that are left of a plan.

    Args:
        entries: of the plan.
        order: of the plan.
        numbers: scenario -> number of its next sitting, where the order is sequential; 1 where it is not there.
        finished: scenario and repetition of what is not to be measured (again).
    """
    left = [entry for entry in entries if (entry.scenario, entry.repetition) not in finished]
    if order is not Order.SEQUENTIAL:
        return [Sitting(entry.scenario, entry.repetition, entry.block, (entry.repetition,)) for entry in left]
    repetitions: dict[int, list[int]] = {}
    for entry in left:
        repetitions.setdefault(entry.scenario, []).append(entry.repetition)
    return [Sitting(scenario, numbers.get(scenario, 1), 1, tuple(some)) for scenario, some in repetitions.items()]


def all_steps(protocol: ProtocolSettings, left: Sequence[Sitting], order: Order) -> list[tuple[Step, ...]]:
    """The steps of each sitting of one go.

    Neighbours share the idle period between them: it is a step of the one before. In blocks one warm-up stands before
    each repetition, if the protocol has any.
    """
    warmups = protocol.warmup if order is Order.SEQUENTIAL else min(protocol.warmup, 1)
    gap = gap_s(protocol)
    plan = []
    for position, sitting in enumerate(left):
        is_first, is_last = position == 0, position == len(left) - 1
        cold_s = protocol.cold_s if is_first else (None if gap > 0 else 0.0)
        idle_s = protocol.idle_after_s if is_last else gap
        plan.append(sitting_steps(protocol, sitting.repetitions, warmups, cold_s, idle_s))
    return plan
