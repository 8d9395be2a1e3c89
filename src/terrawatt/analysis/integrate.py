"""Integrals of a signal over many windows at once, exact at both ends of each.

The cumulative integral is known at every reading; between two readings it follows from the semantics (`signal`). A
window's integral is the difference of two such values, so integrals over adjoining windows add up, and neither the
number of readings nor that of windows meets a Python loop.

Before the first and after the last reading the nearest one is held; that time counts as a gap.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from terrawatt.analysis.signal import Signal, seconds
from terrawatt.records import BoolArray, Float64Array, Int64Array, Semantics, Window

MIN_READINGS = 2  # in a window; with fewer there is no integral


@dataclass(frozen=True, slots=True)
class Integral:
    """The integral of a signal over one window.

    Attributes:
        value: in the unit of the signal times s (of a counter: in its own unit); NaN where it is missing.
        duration_s: length of the window.
        n_readings: good readings in the window; of an on-change series, with the one in force when it starts.
        gap_s: seconds of the window of which no reading speaks; the value bridges them from their neighbours.
        gap_value: the part of the value that lies in them; NaN where the value is missing.
        reason: why the value is missing, else empty.
    """

    value: float
    duration_s: float
    n_readings: int
    gap_s: float
    reason: str = ""
    gap_value: float = 0.0

    @property
    def gap_share(self) -> float:
        """The share of the window's seconds of which no reading speaks."""
        return self.gap_s / self.duration_s

    @property
    def gap_value_share(self) -> float:
        """The share of the value that is bridged; NaN where the value is missing or 0."""
        return self.gap_value / self.value if self.value else math.nan

    @property
    def mean(self) -> float:
        """Mean of the signal (of a counter: its rate) over the window."""
        return self.value / self.duration_s


def integrate(signal: Signal, windows: Sequence[Window]) -> tuple[Integral, ...]:
    """Integrals of a signal over windows, which may overlap and be in any order.

    An integral is missing, never 0, where the window holds fewer than 2 readings; of a counter, where no reading lies
    on one side of it, or it cannot be followed over the window.
    """
    parts = _parts(signal, windows)
    return tuple(_integral(signal, parts, np.array([i])) for i in range(len(windows)))


def integrate_together(signal: Signal, windows: Sequence[Window]) -> Integral:
    """The integral over several disjoint windows as if they were one, e.g. over all epochs of a training.

    Each may be shorter than the interval between readings: it is missing where they hold fewer than 2 all together.
    """
    return _integral(signal, _parts(signal, windows), np.arange(len(windows)))


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """Of each window: the fields of its integral, and what forbids it."""

    value: Float64Array
    duration_s: Float64Array
    n_readings: Int64Array
    gap_s: Float64Array
    gap_value: Float64Array
    is_broken: BoolArray
    is_covered: BoolArray


def _parts(signal: Signal, windows: Sequence[Window]) -> _Parts:
    start_ns, end_ns = bounds(windows)
    duration_s = seconds(end_ns - start_ns)
    n_readings = count_readings(signal, start_ns, end_ns)
    if len(signal) < MIN_READINGS:
        no = np.zeros(len(windows), np.bool_)
        unknown = np.full(len(windows), np.nan)
        return _Parts(unknown, duration_s, n_readings, duration_s, unknown, no, no)
    gap_s, gap_value = _gaps(signal, start_ns, end_ns)
    return _Parts(
        value=cumulative_at(signal, end_ns) - cumulative_at(signal, start_ns),
        duration_s=duration_s,
        n_readings=n_readings,
        gap_s=gap_s,
        gap_value=gap_value,
        is_broken=_holds_broken_cell(signal, start_ns, end_ns),
        is_covered=(start_ns >= signal.t_ns[0]) & (end_ns <= signal.t_ns[-1]),
    )


def _integral(signal: Signal, parts: _Parts, chosen: Int64Array) -> Integral:
    """That of some windows as if they were one."""
    n_readings = int(parts.n_readings[chosen].sum())
    reason = _reason(signal, n_readings, bool(parts.is_broken[chosen].any()), bool(parts.is_covered[chosen].all()))
    return Integral(
        value=float("nan") if reason else float(parts.value[chosen].sum()),
        duration_s=float(parts.duration_s[chosen].sum()),
        n_readings=n_readings,
        gap_s=float(parts.gap_s[chosen].sum()),
        reason=reason,
        gap_value=float("nan") if reason else float(parts.gap_value[chosen].sum()),
    )


def bounds(windows: Sequence[Window]) -> tuple[Int64Array, Int64Array]:
    """Starts and ends of windows as two arrays, in ns."""
    start_ns = np.array([window.start_ns for window in windows], np.int64)
    end_ns = np.array([window.end_ns for window in windows], np.int64)
    return start_ns, end_ns


def cumulative_at(signal: Signal, t_ns: Int64Array) -> Float64Array:
    """The integral from the first reading to any times; needs at least 2 readings.

    Instantaneous readings: within a cell of length h, after s seconds, v₀ s + (v₁ - v₀) s²/(2h). All others: level · s.
    """
    inside_ns = np.clip(t_ns, signal.t_ns[0], signal.t_ns[-1])
    cell = cell_of(signal, inside_ns)
    elapsed_s = seconds(inside_ns - signal.t_ns[cell])
    if signal.semantics is Semantics.INSTANTANEOUS:
        before, after = signal.value[cell], signal.value[cell + 1]
        share = elapsed_s / seconds(signal.t_ns[cell + 1] - signal.t_ns[cell])
        inside = elapsed_s * (before + (after - before) * share / 2)
    else:
        inside = elapsed_s * signal.level[cell]
    held = np.where(t_ns < inside_ns, _first(signal), _last(signal))
    return signal.cumulative[cell] + inside + seconds(t_ns - inside_ns) * held


def value_at(signal: Signal, t_ns: Int64Array) -> Float64Array:
    """What instantaneous readings say of any times: linear between them, the nearest one outside."""
    return np.interp(seconds(t_ns - signal.t_ns[0]), seconds(signal.t_ns - signal.t_ns[0]), signal.value)


def cell_of(signal: Signal, t_ns: Int64Array) -> Int64Array:
    """The cell that holds each time; the first or last one for times outside."""
    cell = np.searchsorted(signal.t_ns, t_ns, side="right") - 1
    return np.clip(cell, 0, len(signal) - 2)


def count_readings(signal: Signal, start_ns: Int64Array, end_ns: Int64Array) -> Int64Array:
    """Good readings in each window: in [start, end); of means, which speak of the time before them, in (start, end]."""
    readings_ns = signal.t_ns[signal.good]
    before_start = np.searchsorted(readings_ns, start_ns, side="left")
    until_start = np.searchsorted(readings_ns, start_ns, side="right")
    match signal.semantics:
        case Semantics.MEAN:
            n_readings = np.searchsorted(readings_ns, end_ns, side="right") - until_start
        case Semantics.ON_CHANGE:  # the one in force is at the start or before it
            in_force = np.maximum(until_start - 1, 0)
            n_readings = np.searchsorted(readings_ns, end_ns, side="left") - in_force
        case _:
            n_readings = np.searchsorted(readings_ns, end_ns, side="left") - before_start
    return np.asarray(n_readings, np.int64)


def _first(signal: Signal) -> float:
    return float(signal.level[0] if signal.semantics is Semantics.COUNTER else signal.value[0])


def _last(signal: Signal) -> float:
    return float(signal.level[-1] if signal.semantics is Semantics.COUNTER else signal.value[-1])


def _gaps(signal: Signal, start_ns: Int64Array, end_ns: Int64Array) -> tuple[Float64Array, Float64Array]:
    """Seconds of each window in bridged cells and outside the readings, and the integral in them.

    Inside a bridged cell the integral is taken as even: of instantaneous readings too.
    """
    bridged_s, bridged = _bridged_between(signal, start_ns, end_ns)
    early_s = seconds(np.clip(signal.t_ns[0] - start_ns, 0, end_ns - start_ns))
    late_s = seconds(np.clip(end_ns - signal.t_ns[-1], 0, end_ns - start_ns))
    if signal.semantics is Semantics.ON_CHANGE:  # the last report holds until the next one
        late_s = np.zeros_like(late_s)
    gap_s = bridged_s + early_s + late_s
    return gap_s, bridged + early_s * _first(signal) + late_s * _last(signal)


def _bridged_between(signal: Signal, start_ns: Int64Array, end_ns: Int64Array) -> tuple[Float64Array, Float64Array]:
    """Seconds of each window in bridged cells, and the integral in them."""
    if not signal.is_bridged.any():
        return np.zeros(len(start_ns)), np.zeros(len(start_ns))
    bridged_s = np.concatenate(([0.0], np.cumsum(signal.cell_s * signal.is_bridged)))
    bridged = np.concatenate(([0.0], np.cumsum(signal.cell_s * signal.level * signal.is_bridged)))

    def until(t_ns: Int64Array) -> tuple[Float64Array, Float64Array]:
        inside_ns = np.clip(t_ns, signal.t_ns[0], signal.t_ns[-1])
        cell = cell_of(signal, inside_ns)
        in_cell_s = seconds(inside_ns - signal.t_ns[cell]) * signal.is_bridged[cell]
        return bridged_s[cell] + in_cell_s, bridged[cell] + in_cell_s * signal.level[cell]

    (until_start_s, until_start), (until_end_s, until_end) = until(start_ns), until(end_ns)
    return until_end_s - until_start_s, until_end - until_start


def _holds_broken_cell(signal: Signal, start_ns: Int64Array, end_ns: Int64Array) -> BoolArray:
    """Windows that touch a cell over which the counter cannot be followed."""
    if not signal.is_broken.any():
        return np.zeros(len(start_ns), np.bool_)
    before = np.concatenate(([0], np.cumsum(signal.is_broken)))
    first = np.searchsorted(signal.t_ns, start_ns, side="right") - 1
    behind = np.searchsorted(signal.t_ns, end_ns, side="left")
    n_cells = len(signal) - 1
    return before[np.clip(behind, 0, n_cells)] > before[np.clip(first, 0, n_cells)]


def _reason(signal: Signal, n_readings: int, is_broken: bool, is_covered: bool) -> str:
    """Why there is no integral; empty where there is one."""
    if signal.semantics is Semantics.COUNTER:
        if not is_covered:
            return "the counter was not read before and after"
        return "the counter cannot be followed: it went back, or may have gone round unread" if is_broken else ""
    if n_readings < MIN_READINGS:
        return f"{n_readings or 'no'} reading{'' if n_readings == 1 else 's'} in the window, {MIN_READINGS} needed"
    return ""
