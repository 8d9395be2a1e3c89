"""A fixed rate without drift: deadlines on the monotonic clock, not pauses between readings."""

import threading
import time
from collections.abc import Iterator

from terrawatt.units import NS_PER_S, s_to_ns


class Schedule:
    """The deadlines `start + n × interval`. One that has already passed is skipped and counted, never made up.

    Attributes:
        deadline_ns: the next deadline, on the monotonic clock.
        missed: how many deadlines were skipped.
    """

    def __init__(self, interval_s: float, start_ns: int) -> None:
        self.deadline_ns = start_ns
        self.missed = 0
        self._interval_ns = s_to_ns(interval_s)

    def remaining_s(self, now_ns: int) -> float:
        """Time until the deadline, in s; 0 when it has passed."""
        return max(0, self.deadline_ns - now_ns) / NS_PER_S

    def advance(self, now_ns: int) -> None:
        """Go on to the first deadline after the present one that is still to come."""
        steps = max(1, (now_ns - self.deadline_ns) // self._interval_ns + 1)
        self.missed += steps - 1
        self.deadline_ns += steps * self._interval_ns


def ticks(schedule: Schedule, stop: threading.Event) -> Iterator[None]:
    """Yield at each deadline until `stop` is set."""
    while not stop.wait(schedule.remaining_s(time.monotonic_ns())):
        yield
        schedule.advance(time.monotonic_ns())
