"""The cells at the ends of windows, in which the workload begins or ends at a moment between two readings.

Of the cell that holds a window's end, means and counters tell the energy, and nothing of how it is divided. Write f and
g for the shares of the cell inside and outside the window, m for its mean power, and v for the levels of the next cells
on both sides. The power is L_o outside the end and L_i inside, with a step d between them, and fluctuates: a stretch of
length x has the variance s² · cell/x. Then m = f p_i + g p_o exactly, v_o = L_o + noise, v_i = L_i + noise, and p_o has
a best linear estimate from the three (GUM-S1's Bayesian reading of a linear model; the level has a flat prior, the step
the variance (v_o - v_i)²). Where the step stands out from the fluctuations, it is placed where the cell's energy says;
where there is none, the cell is divided evenly. Beside a pause that no reading shows by itself, it is divided by what
is known of the pause (`pauses`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from terrawatt.analysis.integrate import bounds, count_readings, cumulative_at
from terrawatt.analysis.noise import IdleNoise
from terrawatt.analysis.pauses import IdleAround, Pauses, Stretches
from terrawatt.analysis.signal import Signal, seconds
from terrawatt.records import BoolArray, Float64Array, Int64Array, Semantics, Window
from terrawatt.units import NS_PER_S

_LONGEST_REPORT_S = 60.0  # a step that is reported later than this is not taken for one at the window's start
_SEEN = 4.0  # variances that the levels on both sides must differ by for a step to be seen between them
_NEIGHBOURS = 6  # cells on one side from whose differences the fluctuations there are judged


def is_past(signal: Signal) -> bool:
    """Whether a reading speaks of the time before it."""
    return signal.semantics in (Semantics.MEAN, Semantics.COUNTER)


@dataclass(frozen=True, slots=True, eq=False)
class Division:
    """For each window: what is added to its integral, and the variance of that."""

    correction: Float64Array
    variance: Float64Array


def best_division(
    f: Float64Array,
    g: Float64Array,
    level: tuple[Float64Array, Float64Array],
    part: tuple[Float64Array, Float64Array],
    step2: Float64Array,
    seen: tuple[Float64Array, Float64Array],
) -> tuple[Float64Array, Float64Array]:
    """The power of the part outside less the cell's mean: best linear estimate, and its variance.

    With x = f (d + e_o - e_i), y_o = f d + z_o - f e_i - g e_o and y_i = -g d + z_i - f e_i - g e_o, of independent
    errors: x is estimated from y by Cov(x, y) Var(y)⁻¹ y. The terms in which Var(d)² cancels are left out.

    Args:
        f: (w,) share of the cell inside.
        g: (w,) share outside.
        level: variances of the neighbours' levels z_o, z_i.
        part: g Var(e_o) and f Var(e_i), of the fluctuations of the two parts of the cell.
        step2: (w,) Var(d) of the step.
        seen: y_o and y_i, the neighbours' levels less the cell's mean.
    """
    (a, b), (ga, fb) = level, part
    w = f * fb + g * ga
    k = f * (fb - ga)
    determinant = step2 * (f**2 * b + g**2 * a + w) + a * b + w * (a + b)
    of_outer = (step2 * (f**2 * b + f * w + g * k) + k * b) / determinant
    of_inner = (step2 * (f * k - f * g * a - f * w) + k * a) / determinant
    prior = f**2 * (step2 + ga / np.maximum(g, 1e-9) + fb / f)
    told = of_outer * (f**2 * step2 + k) + of_inner * (k - f * g * step2)
    return of_outer * seen[0] + of_inner * seen[1], np.maximum(prior - told, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class WindowEnds:
    """The stretches at the starts (or ends) of windows that are divided anew, from one reading to another.

    Attributes:
        left: (w,) the reading at which the stretch begins.
        right: (w,) the one at which it ends.
        outwards: -1 at the start, 1 at the end.
        inside_s: (w,) seconds of the stretch inside the window.
        outside_s: (w,) seconds before the window (or after it).
        measured: (w,) the integral over the part inside.
        measured_outside: (w,) that over the other part.
        is_known: (w,) whether the stretch, and for means and counters the next cell outwards, were read.
        has_two: (w,) whether the window holds two readings.
        has_inner: (w,) whether the next cell inwards lies in the window as a whole.
        is_outer_run: (w,) whether the next cell outwards lies in another window: the workload runs there too.
        late_s: by how much readings may be late.
        is_short: (w,) whether the pause outside is so short that no reading shows it by itself.
        windows: all of them.
    """

    signal: Signal
    left: Int64Array
    right: Int64Array
    outwards: int
    inside_s: Float64Array
    outside_s: Float64Array
    measured: Float64Array
    measured_outside: Float64Array
    is_known: BoolArray
    has_two: BoolArray
    has_inner: BoolArray
    is_outer_run: BoolArray
    late_s: float
    is_short: BoolArray
    windows: Sequence[Window]

    @classmethod
    def at_start(cls, signal: Signal, windows: Sequence[Window], late_s: float, pauses: Pauses) -> "WindowEnds":
        """Those where the windows start; a reading exactly there is inside, but of a mean speaks of the time before."""
        start_ns, _ = bounds(windows)
        left = np.searchsorted(signal.t_ns, start_ns, side="right" if is_past(signal) else "left") - 1
        late_ns = 0 if is_past(signal) else round(late_s * NS_PER_S)
        right = np.maximum(np.searchsorted(signal.t_ns, start_ns + late_ns, side="left"), left + 1)
        return cls._of(signal, left, right, -1, windows, late_s, pauses.is_short_before)

    @classmethod
    def at_end(cls, signal: Signal, windows: Sequence[Window], late_s: float, pauses: Pauses) -> "WindowEnds":
        """Those where the windows end; a reading exactly there is outside, but a mean speaks of the time before."""
        _, end_ns = bounds(windows)
        left = np.searchsorted(signal.t_ns, end_ns, side="left") - 1
        late_ns = np.where(pauses.is_short_after, 0, round(late_s * NS_PER_S) if is_past(signal) else 0)
        right = np.maximum(np.searchsorted(signal.t_ns, end_ns + late_ns, side="left"), left + 1)
        return cls._of(signal, left, right, 1, windows, late_s, pauses.is_short_after)

    @classmethod
    def _of(
        cls,
        signal: Signal,
        left: Int64Array,
        right: Int64Array,
        outwards: int,
        windows: Sequence[Window],
        late_s: float,
        is_short: BoolArray,
    ) -> "WindowEnds":
        start_ns, end_ns = bounds(windows)
        last = len(signal) - 1
        is_known = (left >= 0) & (right <= last)
        left, right = np.clip(left, 0, last - 1), np.clip(right, 1, last)
        unread = np.concatenate(([0], np.cumsum(signal.is_bridged | signal.is_broken)))
        is_known &= unread[right] == unread[left]
        if is_past(signal):
            next_one = left - 1 if outwards < 0 else right
            is_known &= (next_one >= 0) & (next_one < last)
            next_one = np.clip(next_one, 0, last - 1)
            is_known &= unread[next_one + 1] == unread[next_one]
        inner = np.clip(right + 1 if outwards < 0 else left - 1, 0, last)
        inner_ns, is_there = signal.t_ns[inner], (right < last) if outwards < 0 else (left > 0)
        left_ns, right_ns = signal.t_ns[left], signal.t_ns[right]
        inside = np.clip(start_ns, left_ns, right_ns), np.clip(end_ns, left_ns, right_ns)
        outside = (left_ns, inside[0]) if outwards < 0 else (inside[1], right_ns)
        return cls(
            signal=signal,
            left=left,
            right=right,
            outwards=outwards,
            inside_s=seconds(inside[1] - inside[0]),
            outside_s=seconds(outside[1] - outside[0]),
            measured=cumulative_at(signal, inside[1]) - cumulative_at(signal, inside[0]),
            measured_outside=cumulative_at(signal, outside[1]) - cumulative_at(signal, outside[0]),
            is_known=is_known,
            has_two=count_readings(signal, start_ns, end_ns) > 1,
            has_inner=is_there & ((inner_ns <= end_ns) if outwards < 0 else (inner_ns >= start_ns)),
            is_outer_run=_are_in_windows(signal, left - 1 if outwards < 0 else right, start_ns, end_ns),
            late_s=late_s,
            is_short=is_short,
            windows=windows,
        )

    @property
    def inner(self) -> Int64Array:
        """(w,) the reading at the stretch's end that lies inside the window."""
        return self.right if self.outwards < 0 else self.left

    @property
    def is_open(self) -> BoolArray:
        """(w,) whether the window ends inside the stretch, and something can be said of it."""
        return self.is_known & (self.outside_s > 0)

    @property
    def is_corrected(self) -> BoolArray:
        """(w,) whether `correction` says how the stretch is divided."""
        if self.signal.semantics is Semantics.ON_CHANGE:
            soon = self.inside_s <= min(2 * report_interval_s(self.signal), _LONGEST_REPORT_S)
            return self.is_known & soon & (self.outwards < 0)
        if is_past(self.signal):
            return self.is_open
        return self.is_known & (self.inside_s > 0) & ~self.is_outer_run

    def from_neighbour(self) -> Float64Array:
        """(w,) what is added where the power inside is that of the first reading inside: looks, reports on change."""
        more = self.inside_s * self.signal.value[self.inner] - self.measured
        return np.where(self.is_corrected, more, 0.0)

    def divided(self, inside: float, noise: IdleNoise | None, idle: IdleAround | None) -> "Division":
        """The stretch of means and counters divided by what is seen on both sides, or by the pause beside it.

        Args:
            inside: variance of one cell's level under the load; infinite where it is not known.
            noise: of idle readings.
            idle: the idle level at each window.
        """
        length_s = np.maximum(self.inside_s + self.outside_s, 1e-9)
        g = self.outside_s / length_s
        f = np.maximum(1 - g, 1e-9)
        mean = (self.measured + self.measured_outside) / length_s
        outer, inner = self._level(1), self._level(-self._n_cells())
        apart2 = (outer - inner) ** 2
        tiny = 1e-16 * (outer**2 + inner**2 + mean**2) + 1e-30  # nothing fluctuates: 0/0 else
        b = np.where(np.isfinite(inside), inside, apart2) + tiny
        a = np.where(self.is_outer_run, b, self._fluctuation(noise) + tiny)
        step2 = np.maximum(apart2 - _SEEN * (a + b), 0.0)
        cell = self._cell_s() / length_s
        late2 = (self.late_s / length_s / f) ** 2 * step2 / 3
        estimate = best_division(f, g, (a, b), (a * cell, b * cell + f * late2), step2, (outer - mean, inner - mean))
        alone = outer - mean, a * (1 + cell / np.maximum(g, 1e-9))  # by what is outside only
        off = np.where(self.has_inner, estimate[0], alone[0])
        variance = np.where(self.has_inner, estimate[1], alone[1])
        more, of_more = self.measured_outside - self.outside_s * (mean + off), variance * self.outside_s**2
        if idle is not None and self.is_short.any():
            own, of_own = self._stretches().shared_out(
                self.windows, idle, (self._fluctuation(noise), b), self._cell_s()
            )
            is_known = self.is_short & self._is_inner_inside() & np.isfinite(idle.level)
            more, of_more = np.where(is_known, own - self.measured, more), np.where(is_known, of_own, of_more)
        return Division(np.where(self.is_open, more, 0.0), np.where(self.is_open, of_more, self._blind_variance()))

    def _stretches(self) -> Stretches:
        left_ns, right_ns = self.signal.t_ns[self.left], self.signal.t_ns[self.right]
        return Stretches(left_ns, right_ns, self.inside_s, self.measured + self.measured_outside)

    def _is_inner_inside(self) -> BoolArray:
        """(w,) whether the stretch ends inside the window, so that it is not that of the window's other end too."""
        start_ns, end_ns = bounds(self.windows)
        inner_ns = self.signal.t_ns[self.inner]
        return np.asarray((start_ns <= inner_ns) & (inner_ns <= end_ns))

    def _fluctuation(self, noise: IdleNoise | None) -> Float64Array:
        """(w,) variance of one cell's level outside: the mean of what the next ones and the idle readings say."""
        steps = [(self._level(i) - self._level(i + 1)) ** 2 / 2 for i in range(1, _NEIGHBOURS + 1)]
        here = np.mean(steps, axis=0)
        return np.asarray(here if noise is None else (here + noise.rms_difference**2 / 2) / 2)

    def _n_cells(self) -> Int64Array:
        """(w,) cells of the stretch."""
        return np.asarray(self.right - self.left)

    def _blind_variance(self) -> Float64Array:
        """(w,) where the next cell outwards was not read: from the difference to the neighbours there are.

        The half-width is the smaller part of the cell times the larger difference; u that by √3. Without two readings
        in the window all of the cell's excess over its neighbour outside may be inside.
        """
        to_outer = np.abs(self._level(0) - self._level(1))
        to_inner = np.abs(self._level(0) - self._level(-1))
        smaller = np.minimum(self.inside_s, self.outside_s) * np.maximum(to_outer, to_inner)
        off = np.where(self.has_two, smaller, self.outside_s * to_outer)
        return np.where(self.inside_s > 0, off, 0.0) ** 2 / 3

    def _cell_s(self) -> Float64Array:
        """(w,) of the stretch's outermost cell."""
        outer = self.left if self.outwards < 0 else self.right - 1
        return self.signal.cell_s[outer]

    def _level(self, steps: int | Int64Array) -> Float64Array:
        """(w,) of the cell that lies some steps outwards of the stretch's outermost one."""
        outer = self.left if self.outwards < 0 else self.right - 1
        cell = np.clip(outer + steps * self.outwards, 0, len(self.signal.level) - 1)
        return np.asarray(self.signal.level[cell])


def _are_in_windows(signal: Signal, cell: Int64Array, start_ns: Int64Array, end_ns: Int64Array) -> BoolArray:
    """Whether the middle of each cell lies in any of the windows."""
    cell = np.clip(cell, 0, len(signal) - 2)
    middle_ns = signal.t_ns[cell] + (signal.t_ns[cell + 1] - signal.t_ns[cell]) // 2
    begun = np.searchsorted(np.sort(start_ns), middle_ns, side="right")
    return np.asarray(begun > np.searchsorted(np.sort(end_ns), middle_ns, side="right"))


def report_interval_s(signal: Signal) -> float:
    """About the shortest time between two readings: how often an on-change source looks whether to report."""
    return float(np.percentile(signal.cell_s, 5)) if len(signal) > 1 else 0.0
