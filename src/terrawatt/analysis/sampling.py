"""What may have happened between the readings of a window: at its ends, and inside.

A workload begins and ends between readings. The integral of a window (`integrate`) knows nothing of that: it goes on as
the semantics says, and so moves energy of up to half a cell times the step across each end. Outside, the machine idles
or runs the repetition before; inside, the workload has begun. So what is seen next to the end, on one side of it, tells
how the cell at the end is divided. That is a correction, with its uncertainty.

    means, counters      the cell's energy is known; the part outside is at the level of the next cell outwards
    instantaneous        the power inside is that of the first reading inside
    on-change            the same, where that report came within the time between two reports (at the start; at the end
                         the last report holds)

Means and counters miss nothing inside. Instantaneous readings do (`_inner_variance`), and so does an on-change source
that looks now and then (`_reported_variance`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from terrawatt.analysis.integrate import bounds, count_readings, cumulative_at
from terrawatt.analysis.noise import IdleNoise
from terrawatt.analysis.signal import Signal, seconds
from terrawatt.records import BoolArray, Float64Array, Int64Array, Semantics, Window
from terrawatt.units import NS_PER_S

_BRIDGE, _ALTERNATING = 1 / 12, 5 / 6  # see `_inner_variance`
_LONGEST_REPORT_S = 60.0  # a step that is reported later than this is not taken for one at the window's start


@dataclass(frozen=True, slots=True, eq=False)
class Sampling:
    """For each window: what is added to its integral, and the standard uncertainty of what was not seen.

    Attributes:
        correction: (w,) in the unit of the integral.
        u: (w,) in the same unit.
        late_s: (w,) seconds by which readings may be late without that energy leaves the window.
    """

    correction: Float64Array
    u: Float64Array
    late_s: Float64Array


def sampling(
    signal: Signal, windows: Sequence[Window], noise: IdleNoise | None = None, late_s: float = 0.0
) -> Sampling:
    """What the readings leave open.

    Args:
        signal: at least 2 readings.
        windows: one per repetition.
        noise: of idle readings. How far neighbours differ there is the baseline's business, and not counted again.
        late_s: by how much readings may be late. Late energy is sought that long after the end of a window, and a
            reading so soon after its start is not trusted to show the workload.
    """
    start, end = _End.at_start(signal, windows, late_s), _End.at_end(signal, windows, late_s)
    correction = start.correction() + end.correction()
    if signal.semantics is Semantics.INSTANTANEOUS:
        variance = _inner_variance(signal, start, end, noise)
    elif signal.semantics is Semantics.ON_CHANGE:
        variance = _reported_variance(signal, start, end, noise)
    else:
        variance = start.variance(noise) + end.variance(noise)
    absorbs = end.is_known if _is_past(signal) else start.is_corrected
    return Sampling(correction, np.sqrt(variance), np.where(absorbs, late_s, 0.0))


def _is_past(signal: Signal) -> bool:
    """Whether a reading speaks of the time before it."""
    return signal.semantics in (Semantics.MEAN, Semantics.COUNTER)


@dataclass(frozen=True, slots=True, eq=False)
class _End:
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

    @classmethod
    def at_start(cls, signal: Signal, windows: Sequence[Window], late_s: float) -> "_End":
        """Those where the windows start; a reading exactly there is inside, but of a mean speaks of the time before."""
        start_ns, end_ns = bounds(windows)
        left = np.searchsorted(signal.t_ns, start_ns, side="right" if _is_past(signal) else "left") - 1
        late_ns = 0 if _is_past(signal) else round(late_s * NS_PER_S)
        right = np.maximum(np.searchsorted(signal.t_ns, start_ns + late_ns, side="left"), left + 1)
        return cls._of(signal, left, right, -1, (start_ns, end_ns))

    @classmethod
    def at_end(cls, signal: Signal, windows: Sequence[Window], late_s: float) -> "_End":
        """Those where the windows end; a reading exactly there is outside, but a mean speaks of the time before."""
        start_ns, end_ns = bounds(windows)
        left = np.searchsorted(signal.t_ns, end_ns, side="left") - 1
        late_ns = round(late_s * NS_PER_S) if _is_past(signal) else 0
        right = np.maximum(np.searchsorted(signal.t_ns, end_ns + late_ns, side="left"), left + 1)
        return cls._of(signal, left, right, 1, (start_ns, end_ns))

    @classmethod
    def _of(
        cls,
        signal: Signal,
        left: Int64Array,
        right: Int64Array,
        outwards: int,
        window_ns: tuple[Int64Array, Int64Array],
    ) -> "_End":
        start_ns, end_ns = window_ns
        last = len(signal) - 1
        is_known = (left >= 0) & (right <= last)
        left, right = np.clip(left, 0, last - 1), np.clip(right, 1, last)
        unread = np.concatenate(([0], np.cumsum(signal.is_bridged | signal.is_broken)))
        is_known &= unread[right] == unread[left]
        if _is_past(signal):
            next_one = left - 1 if outwards < 0 else right
            is_known &= (next_one >= 0) & (next_one < last)
            next_one = np.clip(next_one, 0, last - 1)
            is_known &= unread[next_one + 1] == unread[next_one]
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
        return self.is_open if _is_past(self.signal) else self.is_known & (self.inside_s > 0)

    def correction(self) -> Float64Array:
        """(w,) what the part inside holds, less what the integral says."""
        if _is_past(self.signal):
            more = self.measured_outside - self.outside_s * self._next_level(1)
        else:
            more = self.inside_s * self.signal.value[self.inner] - self.measured
        return np.where(self.is_corrected, more, 0.0)

    def variance(self, noise: IdleNoise | None) -> Float64Array:
        """(w,) of the correction, for means and counters; where none could be made, of what it would have been.

        The level outside errs as far as neighbouring cells differ there: as two readings of variance s² each, where s²
        is the mean of what the idle readings say and what the two next cells outwards say.
        """
        here = (self._next_level(1) - self._next_level(2)) ** 2 / 2
        of_one = here if noise is None else (here + noise.rms_difference**2 / 2) / 2
        length_s = self._length_s()
        share = self.outside_s / length_s
        corrected = of_one * length_s**2 * (share + share**2)
        return np.where(self.is_open, corrected, self._blind_variance())

    def _blind_variance(self) -> Float64Array:
        """(w,) where the next cell outwards was not read: from the difference to the neighbours there are.

        The half-width is the smaller part of the cell times the larger difference; u that by √3. Without two readings
        in the window all of the cell's excess over its neighbour outside may be inside.
        """
        to_outer = np.abs(self._next_level(0) - self._next_level(1))
        to_inner = np.abs(self._next_level(0) - self._next_level(-1))
        smaller = np.minimum(self.inside_s, self.outside_s) * np.maximum(to_outer, to_inner)
        off = np.where(self.has_two, smaller, self.outside_s * to_outer)
        return np.where(self.inside_s > 0, off, 0.0) ** 2 / 3

    def _length_s(self) -> Float64Array:
        """(w,) of the stretch's outermost cell."""
        outer = self.left if self.outwards < 0 else self.right - 1
        return self.signal.cell_s[outer]

    def _next_level(self, steps: int) -> Float64Array:
        """(w,) of the cell that lies some steps outwards of the stretch's outermost one."""
        outer = self.left if self.outwards < 0 else self.right - 1
        return self.signal.level[np.clip(outer + steps * self.outwards, 0, len(self.signal.level) - 1)]


def _inner_variance(signal: Signal, start: _End, end: _End, noise: IdleNoise | None) -> Float64Array:
    """(w,) variance of what happened between instantaneous readings.

    Between two readings that differ by d lies one step at an unknown time, or a random walk: the trapezoid of a cell of
    length h errs with variance h² d²/12. Where the power alternates faster than it is read, the readings are a random
    sample of variance s², and a cell errs with h² s². Neighbouring differences tell the two apart: their product has
    the mean 0 in the first case and -s² in the second, their squares the mean 2 s². So the sum over the cells of
    h² (d²/12 - 5/6 d d'), not below its first term, is right in both. Of it is taken off what white noise as large as
    that of the idle readings gives, and twice the uncertainty of that.
    """
    first, last = start.inner, np.maximum(end.inner, start.inner)
    difference, cell_s = np.diff(signal.value), signal.cell_s
    n_cells = last - first
    square = _between(difference**2 * cell_s**2, first, last) / np.maximum(n_cells, 1)
    product = _between(difference[1:] * difference[:-1] * cell_s[1:] ** 2, first, last - 1) / np.maximum(n_cells - 1, 1)
    per_cell = _BRIDGE * square + _ALTERNATING * np.maximum(-product, 0.0)
    step2 = float(np.median(cell_s)) ** 2
    per_cell = np.maximum(per_cell - step2 * _of_noise(noise, n_cells), 0.0)
    at_ends = start.inside_s**2 * start.is_open + end.inside_s**2 * end.is_open
    return np.asarray(per_cell * (n_cells + at_ends / step2))


def _reported_variance(signal: Signal, start: _End, end: _End, noise: IdleNoise | None) -> Float64Array:
    """(w,) variance of what happened between the looks of an on-change source.

    A step of d is reported at the next look, up to the shortest time h between two reports later (or up to the time
    since the last report). Power that alternates faster is seen by chance, as by instantaneous readings: h² d²/2 for
    each report. Of rare steps that is an upper limit; those up and down then make up for each other.
    """
    first, last = start.inner, np.maximum(end.inner, start.inner)
    look_s = report_interval_s(signal)
    n_reports = last - first
    late = np.diff(signal.value) ** 2 / 2 * np.minimum(signal.cell_s, look_s) ** 2
    per_report = _between(late, first, last) / np.maximum(n_reports, 1)
    return np.asarray(np.maximum(per_report - look_s**2 * _of_noise(noise, n_reports), 0.0) * n_reports)


def _of_noise(noise: IdleNoise | None, n: Int64Array) -> Float64Array:
    """(w,) the variance that white noise as large as that of idle readings shows, with twice its uncertainty."""
    if noise is None:
        return np.zeros(len(n))
    return np.asarray((1 + 2 * np.sqrt(2 / noise.dof + 2 / np.maximum(n, 1))) * noise.rms_difference**2 / 2)


def _between(values: Float64Array, first: Int64Array, last: Int64Array) -> Float64Array:
    """(w,) sums over the positions first … last - 1."""
    before = np.concatenate(([0.0], np.cumsum(values)))
    return np.asarray(before[np.maximum(last, first)] - before[first])


def report_interval_s(signal: Signal) -> float:
    """About the shortest time between two readings: how often an on-change source looks whether to report."""
    return float(np.percentile(signal.cell_s, 5)) if len(signal) > 1 else 0.0
