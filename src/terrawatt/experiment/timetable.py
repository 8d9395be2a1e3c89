"""How often a sweep executes its workloads, and how long it idles: from its size, without making its plan. Pure."""

import math
from dataclasses import dataclass

from terrawatt.config import ProtocolSettings
from terrawatt.experiment.protocol import gap_s
from terrawatt.records import Order


@dataclass(frozen=True, slots=True)
class Timetable:
    """What is known of a sweep before anything was measured.

    Attributes:
        sittings: how many.
        warmups: executions that are discarded, of each scenario.
        repetitions: of each scenario; at most, where the interval ends them.
        idle_s: cold, idle and pauses of all of it.
    """

    sittings: int
    warmups: int
    repetitions: int
    idle_s: float


def timetable(protocol: ProtocolSettings, order: Order, scenarios: int) -> Timetable:
    """Of some scenarios, as `sitting.all_steps` would have them."""
    repetitions = protocol.planned_repetitions
    in_blocks = order is not Order.SEQUENTIAL
    sittings = scenarios * repetitions if in_blocks else scenarios
    pauses = 0 if in_blocks else scenarios * (repetitions - 1)
    idle_s = protocol.cold_s + gap_s(protocol) * (sittings - 1) + protocol.idle_after_s + protocol.pause_s * pauses
    warmups = min(protocol.warmup, 1) * repetitions if in_blocks else protocol.warmup
    return Timetable(sittings, warmups, repetitions, idle_s)


def executions_in_window(execution_s: float, min_window_s: float) -> int:
    """How often a workload is executed inside one window."""
    return max(math.ceil(min_window_s / execution_s), 1) if execution_s > 0 else 1
