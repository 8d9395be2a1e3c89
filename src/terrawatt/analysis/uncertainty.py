"""The standard uncertainty of an energy: its components, each in J, and their sum in quadrature.

In the terms of the GUM (JCGM 100:2008): limits ±a without further knowledge are a rectangular distribution, u = a/√3.
A first method, conservative where it must choose; `docs/method.md` derives each component and says what is not covered.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from terrawatt.analysis.integrate import MIN_READINGS, bounds, cell_of, count_readings
from terrawatt.analysis.signal import Signal, seconds
from terrawatt.errors import AnalysisError
from terrawatt.records import AccuracyBand, Float64Array, Int64Array, Semantics, SourceDescription, Window

_SQRT_3, _SQRT_12 = math.sqrt(3), math.sqrt(12)


@dataclass(frozen=True, slots=True)
class Component:
    """One part of an uncertainty: where it comes from, and its standard uncertainty in J; NaN where that is unknown."""

    name: str
    u_j: float


def combined(components: Sequence[Component]) -> float:
    """The root of the sum of the squares; NaN where a part is unknown."""
    return math.sqrt(sum(component.u_j**2 for component in components))


def accuracy_problem(accuracy: Sequence[AccuracyBand]) -> str:
    """Why a meter's limits of error cannot be told from its bands; empty when they can."""
    ends = [math.inf if band.below_w is None else band.below_w for band in accuracy]
    if not ends:
        return "the source's accuracy is not declared"
    if ends != sorted(set(ends)) or ends[-1] < math.inf:
        return "the source's accuracy has holes: its bands must ascend in below_w, and the last one have none"
    return ""


def accuracy_limit_w(accuracy: Sequence[AccuracyBand], power_w: float) -> float:
    """The half-width of a meter's error at a power: that of the first band that reaches above it.

    Raises:
        AnalysisError: the bands do not say it.
    """
    if problem := accuracy_problem(accuracy):
        raise AnalysisError(problem)
    power_w = abs(power_w)
    band = next(band for band in accuracy if band.below_w is None or power_w < band.below_w)
    return band.plus_minus_w + band.plus_minus_percent / 100 * power_w


def meter_u_j(description: SourceDescription, levels_w: Sequence[float], duration_s: float) -> float:
    """Of the meter's accuracy over a window, for one power level (gross) or two that are subtracted (net).

    All readings at one level err alike, so the error does not shrink with their number. Those at two levels are taken
    as independent: neither does an offset cancel between idle and run, nor does a gain. NaN where the accuracy is not
    declared.
    """
    if accuracy_problem(description.accuracy):
        return math.nan
    limits_w = [accuracy_limit_w(description.accuracy, level_w) for level_w in levels_w]
    return duration_s * math.hypot(*limits_w) / _SQRT_3


def resolution_u_j(resolution_w: float, n_levels: int, duration_s: float) -> float:
    """Of the steps q in which a meter shows power: q/√12 at each of `n_levels` levels, for all readings alike."""
    return duration_s * resolution_w * math.sqrt(n_levels) / _SQRT_12


def counter_resolution_u_j(step_j: float) -> float:
    """Of the steps q in which a counter goes: q/√12 at each of its two readings."""
    return step_j * math.sqrt(2) / _SQRT_12


def counter_step(signal: Signal) -> float:
    """The smallest step of a counter that is also seen standing still; 0 where it never is."""
    steps = np.diff(signal.value[signal.is_reading])
    return float(steps[steps > 0].min()) if (steps == 0).any() and (steps > 0).any() else 0.0


def timing_u_j(signal: Signal, step_w: float, duration_s: float) -> float:
    """Of readings that come late: a delay τ of the meter moves energy of τ · step across the window's ends.

    The delay is unknown, from none to one interval, and not corrected: the root mean square of that is interval/√3. It
    cannot move more than the window holds.
    """
    interval_s = min(signal.interval_s or 0.0, duration_s)
    return interval_s * abs(step_w) / _SQRT_3


def gaps_u_j(gap_s: float, step_w: float) -> float:
    """Of the seconds without readings: the power there may have been off by the whole step, u = gap · step/√3."""
    return gap_s * abs(step_w) / _SQRT_3


def sampling_u_j(signal: Signal, windows: Sequence[Window]) -> Float64Array:
    """Of what happened between the readings, for each window.

    Instantaneous readings are a sample of the power: the variance s² of one is estimated from neighbours' differences
    (von Neumann), s² = (v₁ - v₀)²/2, and each cell of length h adds h² s². Means and counters miss nothing inside; only
    in the two cells at the window's ends it is unknown how the energy lies. On-change reports miss nothing.
    """
    start_ns, end_ns = bounds(windows)
    match signal.semantics:
        case Semantics.INSTANTANEOUS:
            variance = np.diff(signal.value) ** 2 / 2 * signal.cell_s**2
            return np.sqrt(_shared_among(signal, variance, start_ns, end_ns))
        case Semantics.ON_CHANGE:
            return np.zeros(len(windows))
        case _:
            return np.hypot(_edge_u_j(signal, windows, is_start=True), _edge_u_j(signal, windows, is_start=False))


def _shared_among(signal: Signal, per_cell: Float64Array, start_ns: Int64Array, end_ns: Int64Array) -> Float64Array:
    """Sums over the cells of each window; a cell at its end counts by the share that lies inside."""
    before = np.concatenate(([0.0], np.cumsum(per_cell)))

    def until(t_ns: Int64Array) -> Float64Array:
        inside_ns = np.clip(t_ns, signal.t_ns[0], signal.t_ns[-1])
        cell = cell_of(signal, inside_ns)
        share = (inside_ns - signal.t_ns[cell]) / (signal.t_ns[cell + 1] - signal.t_ns[cell])
        return before[cell] + share * per_cell[cell]

    return until(end_ns) - until(start_ns)


def _edge_u_j(signal: Signal, windows: Sequence[Window], *, is_start: bool) -> Float64Array:
    """Of the cell in which each window starts (or ends), of which only the mean v is known.

    With a share f of the cell inside, at p₁, and the rest outside at p₀, f p₁ + (1 - f) p₀ = v, and taking v for the
    inside errs by f (p₁ - v) = (1 - f) (v - p₀), per length of the cell. From the neighbours' levels follows how far p₁
    and p₀ may be from v; the error is at most that times the smaller of f and 1 - f. For one step from the outer to the
    inner neighbour's level at the window's end this is the error itself, f (1 - f) times the step. A counter's window
    without two readings inside has no inner neighbour: there all of the cell's excess over the outer one may be inside.
    The half-width becomes a standard uncertainty by 1/√3.
    """
    start_ns, end_ns = bounds(windows)
    cell = cell_of(signal, start_ns if is_start else end_ns)
    left_ns, right_ns = signal.t_ns[cell], signal.t_ns[cell + 1]
    inside_ns = np.minimum(right_ns, end_ns) - np.maximum(left_ns, start_ns)
    length_s = seconds(right_ns - left_ns)
    inside = np.clip(seconds(inside_ns) / length_s, 0.0, 1.0)
    last, inwards = len(signal.level) - 1, 1 if is_start else -1
    to_outer = np.abs(signal.level[cell] - signal.level[np.clip(cell - inwards, 0, last)])
    to_inner = np.abs(signal.level[cell] - signal.level[np.clip(cell + inwards, 0, last)])
    has_inner = count_readings(signal, start_ns, end_ns) >= MIN_READINGS
    off_w = np.where(
        has_inner, np.minimum(inside, 1 - inside) * np.maximum(to_outer, to_inner), (1 - inside) * to_outer
    )
    return np.where(inside > 0, off_w * length_s, 0.0) / _SQRT_3
