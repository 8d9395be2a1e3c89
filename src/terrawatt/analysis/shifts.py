"""What a long delay of the readings may have moved out of a window, or into it, by what they show themselves."""

from collections.abc import Sequence

import numpy as np

from terrawatt.analysis.integrate import MIN_READINGS, bounds, cumulative_at
from terrawatt.analysis.signal import Signal, seconds
from terrawatt.records import Float64Array, Window
from terrawatt.units import NS_PER_S

_LONG = 0.25  # of a window: by a shorter delay the power that is seen in it is nearly its own
_STEPS = 48  # of a delay
_EDGE = 0.5  # of a cell: a load that begins and ends inside cells is seen whole by no window of its length
_ALL = 1 / 0.95  # the true energy is often the largest that is found, which an interval of 95 % must hold


def moved_values(
    signal: Signal, windows: Sequence[Window], late_s: float, here: Float64Array, idle: Float64Array
) -> Float64Array:
    """(w,) by how much the integral over each window moved by up to a delay differs from that over the window itself.

    Readings that are late by d tell of a window [a, b) in [a + d, b + d). So the largest difference over all d up to
    the limit, either way, is how far the integral may be off, whatever the power did; where the delay is as long as the
    window, the power that is seen in the window says nothing of that. 0 where the limit is short for the window, and
    for the moves that leave the time of the readings.

    Args:
        signal: the readings.
        windows: one per repetition.
        late_s: the limit.
        here: (w,) the integrals over the windows themselves, as they are given.
        idle: (w,) the idle level; NaN where it is not known.
    """
    start_ns, end_ns = bounds(windows)
    duration_s = seconds(end_ns - start_ns)
    is_long = late_s > _LONG * duration_s
    if len(signal) < MIN_READINGS or not is_long.any():
        return np.zeros(len(windows))
    moved, highest = np.zeros(len(windows)), here.copy()
    for share in np.linspace(-1, 1, 2 * _STEPS + 1):
        by_ns = round(share * late_s * NS_PER_S)
        is_read = (start_ns + by_ns >= signal.t_ns[0]) & (end_ns + by_ns <= signal.t_ns[-1])
        there = np.where(is_read, cumulative_at(signal, end_ns + by_ns) - cumulative_at(signal, start_ns + by_ns), here)
        moved, highest = np.maximum(moved, np.abs(there - here)), np.fmax(highest, there)
    edge_s = np.minimum(_EDGE * float(np.median(signal.cell_s)), duration_s / 2)
    at_edges = edge_s / (duration_s - edge_s) * np.abs(highest - np.nan_to_num(idle) * duration_s)
    return np.where(is_long, (moved + at_edges) * _ALL, 0.0)
