"""Pauses between windows that are so short that no reading shows them by itself.

Next to such a pause the levels on both sides of a window's end are those of the load, and say nothing of how the cell
at the end is divided. But when the machine paused is known, and what it draws then: so the cell's energy, less the idle
level times the pause, is that of the load, and the windows in the cell share it by the time that each has in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from terrawatt.analysis.integrate import bounds
from terrawatt.analysis.signal import Signal, seconds
from terrawatt.records import BoolArray, Float64Array, Int64Array, Window

_CELLS = 2.0  # a pause that is longer, and longer than readings may be late, is seen in a cell of its own


@dataclass(frozen=True, slots=True, eq=False)
class IdleAround:
    """The idle level at each window, and its standard uncertainty; (w,) each."""

    level: Float64Array
    u: Float64Array


@dataclass(frozen=True, slots=True, eq=False)
class Pauses:
    """The pauses before and after each window; all (w,).

    Attributes:
        before_s: to the end of the window before; infinite where there is none.
        after_s: to the start of the next one.
        is_short_before: whether no reading shows it by itself. Where there is no pause at all there is nothing to know.
        is_short_after: the same behind the window.
    """

    before_s: Float64Array
    after_s: Float64Array
    is_short_before: BoolArray
    is_short_after: BoolArray

    @classmethod
    def between(cls, signal: Signal, windows: Sequence[Window], late_s: float) -> "Pauses":
        """Those between some windows.

        Args:
            signal: the readings.
            windows: in any order.
            late_s: by how much readings may be late.
        """
        start_ns, end_ns = bounds(windows)
        order = np.argsort(start_ns, kind="stable")
        pause_s = seconds(start_ns[order][1:] - end_ns[order][:-1])
        before_s, after_s = np.full(len(windows), np.inf), np.full(len(windows), np.inf)
        before_s[order[1:]], after_s[order[:-1]] = pause_s, pause_s
        limit_s = late_s + _CELLS * float(np.median(signal.cell_s)) if len(signal) > 1 else 0.0
        short = [(side_s > 0) & (side_s < limit_s) for side_s in (before_s, after_s)]
        return cls(before_s, after_s, *short)

    def found_again_s(self, late_s: float, otherwise_s: Float64Array) -> Float64Array:
        """(w,) seconds by which readings may be late without that energy leaves the window.

        Between two short pauses the load moves out at one end what it moves in at the other, but for the pause. Beside
        one of them only, it may all be lost to the window next to it, or won from there.

        Args:
            late_s: the limit.
            otherwise_s: (w,) the same where no pause is short.
        """
        pause_s = np.maximum(self.before_s, self.after_s)
        found_s = np.where(self.is_short_before & self.is_short_after, np.maximum(late_s - pause_s, 0.0), 0.0)
        return np.where(self.is_short_before | self.is_short_after, found_s, otherwise_s)


@dataclass(frozen=True, slots=True, eq=False)
class Stretches:
    """The stretches from one reading to another at the ends of windows; all (w,).

    Attributes:
        left_ns, right_ns: where each begins and ends.
        inside_s: of its window.
        energy: the integral over it.
    """

    left_ns: Int64Array
    right_ns: Int64Array
    inside_s: Float64Array
    energy: Float64Array

    def shared_out(
        self,
        windows: Sequence[Window],
        idle: IdleAround,
        variances: tuple[Float64Array, Float64Array],
        cell_s: Float64Array,
    ) -> tuple[Float64Array, Float64Array]:
        """(w,) the part of the energy that is the window's own, and its variance.

        The part x of a load's stretch of x + y, whose sum is known, has the variance s² · cell · x y/(x + y).

        Args:
            windows: all of them.
            idle: the level in the pauses.
            variances: of the level of one cell while idle, and under the load.
            cell_s: (w,) length of a cell.
        """
        own_s = self.inside_s
        others_s = np.maximum(_covered_s(windows, self.right_ns) - _covered_s(windows, self.left_ns) - own_s, 0.0)
        pause_s = np.maximum(seconds(self.right_ns - self.left_ns) - own_s - others_s, 0.0)
        share = own_s / np.maximum(own_s + others_s, 1e-9)
        of_idle, of_load = variances
        variance = of_load * cell_s * share * others_s
        variance = variance + share**2 * (pause_s**2 * idle.u**2 + of_idle * cell_s * pause_s)
        return share * (self.energy - idle.level * pause_s), variance


def _covered_s(windows: Sequence[Window], t_ns: Int64Array) -> Float64Array:
    """(n,) seconds that lie in windows before each time; overlapping windows count as one after the other."""
    start_ns, end_ns = bounds(windows)
    order = np.argsort(start_ns, kind="stable")
    start_ns, end_ns = start_ns[order], end_ns[order]
    begun = np.searchsorted(start_ns, t_ns, side="right")
    whole_s = np.concatenate(([0.0], np.cumsum(seconds(end_ns - start_ns))))
    last = np.maximum(begun - 1, 0)
    missing_s = seconds(np.maximum(end_ns[last] - t_ns, 0))
    return np.where(begun > 0, whole_s[begun] - missing_s, 0.0)
