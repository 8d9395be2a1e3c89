"""What may have happened between the readings of a window: at its ends, and inside.

A workload begins and ends between readings. The integral of a window (`integrate`) knows nothing of that: it goes on as
the semantics says, and so moves energy of up to half a cell times the step across each end. Outside, the machine idles
or runs the repetition before; inside, the workload has begun. So what is seen next to the end, on one side of it, tells
how the cell at the end is divided. That is a correction, with its uncertainty.

    means, counters      the cell's energy is known; the cells on both sides tell how it is divided (`window_ends`)
    instantaneous        the power inside is that of the first reading inside, unless the workload runs outside too
    on-change            the same, where that report came within the time between two reports (at the start; at the end
                         the last report holds)

Means and counters miss nothing inside. Instantaneous readings do (`_inner_variance`), and so does an on-change source
that looks now and then (`_reported_variance`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from terrawatt.analysis.interval import CONFIDENCE, NORMAL_95
from terrawatt.analysis.noise import IdleNoise
from terrawatt.analysis.pauses import IdleAround, Pauses
from terrawatt.analysis.signal import Signal
from terrawatt.analysis.window_ends import WindowEnds, is_past, report_interval_s
from terrawatt.records import Float64Array, Int64Array, Semantics, Window

_BRIDGE, _ALTERNATING = 1 / 12, 5 / 6  # see `_inner_variance`
_FEWEST_PAIRS = 8  # of neighbouring differences
_SHORT_DELAY = 0.25  # of a window: where readings may be later, the level inside is not seen without what was before


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
    signal: Signal,
    windows: Sequence[Window],
    noise: IdleNoise | None = None,
    late_s: float = 0.0,
    idle: IdleAround | None = None,
) -> Sampling:
    """What the readings leave open.

    Args:
        signal: at least 2 readings.
        windows: one per repetition.
        noise: of idle readings. How far neighbours differ there is the baseline's business, and not counted again.
        late_s: by how much readings may be late. Late energy is sought that long after the end of a window, and a
            reading so soon after its start is not trusted to show the workload.
        idle: the idle level at each window, which fills the pauses that no reading shows by itself.
    """
    pauses = Pauses.between(signal, windows, late_s)
    start = WindowEnds.at_start(signal, windows, late_s, pauses)
    end = WindowEnds.at_end(signal, windows, late_s, pauses)
    if is_past(signal):
        load = _load_variance(signal, start, end)
        divided = start.divided(load, noise, idle), end.divided(load, noise, idle)
        correction = divided[0].correction + divided[1].correction
        variance = divided[0].variance + divided[1].variance
    else:
        correction = start.from_neighbour() + end.from_neighbour()
        between = _inner_variance if signal.semantics is Semantics.INSTANTANEOUS else _reported_variance
        variance = between(signal, start, end, noise)
    duration_s = np.array([window.duration_s for window in windows])
    absorbs = (end.is_known if is_past(signal) else start.is_corrected) & (late_s <= _SHORT_DELAY * duration_s)
    found_again_s = np.where(absorbs, late_s, 0.0)
    if is_past(signal) and idle is not None:
        found_again_s = pauses.found_again_s(late_s, found_again_s)
    return Sampling(correction, np.sqrt(variance), found_again_s)


def _load_variance(signal: Signal, start: WindowEnds, end: WindowEnds) -> float:
    """How much the level of one cell varies under the load, from neighbours among the cells inside the windows.

    The windows hold the same workload, so they are judged together; infinite with fewer than two cells inside.
    """
    cells = [np.arange(start.right[i], end.left[i]) for i in np.argsort(start.right)]
    inside = np.concatenate(cells) if cells else np.empty(0, np.int64)
    if len(inside) < 2:
        return np.inf
    return float(np.mean(np.diff(signal.level[inside]) ** 2)) / 2


def _inner_variance(signal: Signal, start: WindowEnds, end: WindowEnds, noise: IdleNoise | None) -> Float64Array:
    """(w,) variance of what happened between instantaneous readings.

    Between two readings that differ by d lies one step at an unknown time, or a random walk: the trapezoid of a cell of
    length h errs with variance h² d²/12. Where the power alternates faster than it is read, the readings are a random
    sample of variance s², and a cell errs with h² s². Neighbouring differences tell the two apart: their product has
    the mean 0 in the first case and -s² in the second, their squares the mean 2 s². So the sum over the cells of
    h² (d²/12 - 5/6 d d'), not below its first term, is right in both. Of it is taken off what white noise as large as
    that of the idle readings gives, and twice the uncertainty of that. All windows hold the same workload, so they are
    judged together; few cells know their variance badly, which widens it as Student's t does a normal distribution.
    """
    first, last = start.inner, np.maximum(end.inner, start.inner)
    difference, cell_s = np.diff(signal.value), signal.cell_s
    n_cells = last - first
    n_all, n_pairs = int(n_cells.sum()), int(np.maximum(n_cells - 1, 0).sum())
    square = _between(difference**2 * cell_s**2, first, last).sum() / max(n_all, 1)
    products = _between(difference[1:] * difference[:-1] * cell_s[1:] ** 2, first, last - 1)
    if n_pairs < _FEWEST_PAIRS:
        per_cell = square / 2  # too few to tell the two apart: the second, which is never less
    else:
        per_cell = _BRIDGE * square + _ALTERNATING * max(-products.sum() / n_pairs, 0.0)
    step2 = float(np.median(cell_s)) ** 2
    per_cell = np.maximum(per_cell - step2 * _of_noise(noise, np.full(len(first), n_all)), 0.0)
    at_ends = start.inside_s**2 * start.is_open + end.inside_s**2 * end.is_open
    few = float(stdtrit(max(n_all, 1), (1 + CONFIDENCE) / 2)) / NORMAL_95
    return np.asarray(per_cell * (n_cells + at_ends / step2) * few**2)


def _reported_variance(signal: Signal, start: WindowEnds, end: WindowEnds, noise: IdleNoise | None) -> Float64Array:
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
    """(w,) sums over the positions first … last - 1, as far as there are such."""
    first, last = np.minimum(first, len(values)), np.minimum(last, len(values))
    before = np.concatenate(([0.0], np.cumsum(values)))
    return np.asarray(before[np.maximum(last, first)] - before[first])
