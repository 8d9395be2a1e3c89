"""The two clocks: wall-clock time stamps readings, the monotonic clock keeps the rate."""

import time
from collections.abc import Callable
from typing import TypeVar

from terrawatt.units import ns_to_s

T = TypeVar("T")


def stamped(read: Callable[[], T]) -> tuple[int, T]:
    """A reading and the wall-clock time (ns) in the middle of taking it."""
    before_ns = time.time_ns()
    value = read()
    return (before_ns + time.time_ns()) // 2, value


def wall_minus_monotonic_s() -> float:
    """The offset of the wall clock from the monotonic one, in s; it jumps when somebody sets the clock.

    As a float it resolves 0.24 µs.
    """
    monotonic_ns, wall_ns = time.monotonic_ns(), time.time_ns()
    return ns_to_s(wall_ns - monotonic_ns)
