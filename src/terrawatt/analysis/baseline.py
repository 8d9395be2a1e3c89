"""The idle level of a signal, and how well it is known.

The level of an idle period is the time-weighted mean over its readings: the integral from the first to the last reading
inside the period, by the time between them. Readings outside are never used: interpolating across the period's end
would let the workload into the baseline. With idle periods before and after the repetitions, the level at a repetition
is interpolated linearly between the two, at the middle of its window.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from terrawatt.analysis.integrate import MIN_READINGS, bounds, count_readings, integrate
from terrawatt.analysis.interval import NORMAL_95, half_widths
from terrawatt.analysis.noise import GRID, IdleNoise, Part, Readings, idle_noise
from terrawatt.analysis.signal import Signal, seconds
from terrawatt.analysis.steady import steady_readings
from terrawatt.analysis.window_ends import report_interval_s
from terrawatt.records import Float64Array, Semantics, Window
from terrawatt.units import NS_PER_S

DRIFT_PER_H = 0.0125  # of the level: the standard deviation of a drift that one idle period does not show
LATE_S = 1.0  # readings may come so late, where nothing else is known: the first after a load still hold some of it
_S_PER_H = 3600.0
_LOOKS = 600  # at most, at an on-change series in an idle period, and at most once a second


@dataclass(frozen=True, slots=True, eq=False)
class IdleLevel:
    """The mean of a signal over one idle period.

    Attributes:
        level: the mean; NaN where it is missing.
        window: the idle period.
        n_readings: good readings in it.
        gap_s: seconds between its first and last reading of which no reading speaks.
        readings: consecutive values, from which the noise is judged.
        span: the time they speak of.
        reason: why the level is missing, else empty.
    """

    level: float
    window: Window
    n_readings: int
    gap_s: float = math.nan
    readings: Readings = field(default_factory=lambda: Readings(np.empty(0), math.nan, is_mean=True))
    span: Window | None = None
    reason: str = ""

    @property
    def middle_ns(self) -> float:
        """The middle of the time that its readings speak of."""
        window = self.span or self.window
        return window.start_ns + window.duration_ns / 2


@dataclass(frozen=True, slots=True, eq=False)
class LevelAt:
    """The idle level at one window, and how far the machine's own mean level in that window may be from it.

    Attributes:
        level: the level.
        u: its standard uncertainty: the half-width of its 95 % interval by 1.96, since the t distributions behind it
            may have no standard deviation.
        u_shared: the part of it that all windows with this baseline have in common: that of the idle mean.
        variance: (g,) scales of the t distributions, squared (`noise`).
        drift_u: standard uncertainty of the drift between the idle period and the window.
    """

    level: float
    u: float
    u_shared: float = math.nan
    variance: Float64Array = field(default_factory=lambda: np.zeros(GRID))
    drift_u: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """The idle level before the repetitions and, when it was measured, after them.

    Attributes:
        before: None where it is missing.
        after: None where it was not measured.
        noise: None where there is no baseline.
        reason: why there is no baseline, else empty.
        late_s: by how much readings may be late.
    """

    before: IdleLevel | None
    after: IdleLevel | None = None
    noise: IdleNoise | None = None
    reason: str = ""
    late_s: float = LATE_S

    def at(self, window: Window) -> LevelAt:
        """The level at one window; see `levels`."""
        return self.levels([window])[0]

    def levels(self, windows: Sequence[Window]) -> tuple[LevelAt, ...]:
        """The level at each window, with its uncertainty; NaN where there is no baseline.

        The variance is that of [mean of the noise over the window - weighted mean of the noise over the idle periods]:
        the machine's own wandering during the window is in it, and so is what it shares with the idle periods. What a
        level may drift is added: from one idle period to the window, `DRIFT_PER_H`; between two, of whose difference
        more than 2 u is no noise, that by √12, since when it happened is not known.
        """
        if self.before is None or self.noise is None:
            return tuple(LevelAt(math.nan, math.nan) for _ in windows)
        if not windows:
            return ()
        level, shares = self._interpolated(windows)
        drift_u = self._drift_u(windows)
        variance = np.stack([self._variance(window, share) for window, share in zip(windows, shares, strict=True)])
        idle_only = np.stack([self._variance(None, share) for share in shares])
        u, u_shared = (self.standard(scales, drift_u) for scales in (variance, idle_only))
        return tuple(
            LevelAt(float(level[i]), float(u[i]), float(min(u[i], u_shared[i])), variance[i], float(drift_u[i]))
            for i in range(len(windows))
        )

    def means(self, windows: Sequence[Window]) -> Float64Array:
        """(w,) the level at each window, without its uncertainty; NaN where there is no baseline."""
        if self.before is None or self.noise is None:
            return np.full(len(windows), np.nan)
        return self._interpolated(windows)[0]

    def informed(self, signal: Signal, windows: Sequence[Window]) -> "Baseline":
        """The same level, its noise judged from the windows under a steady load too (`steady`)."""
        idle = [level.readings for level in (self.before, self.after) if level is not None]
        return replace(self, noise=idle_noise([*idle, *steady_readings(signal, windows, idle, self.late_s)]))

    def change(self) -> tuple[float, float]:
        """The level after the repetitions less that before, and its standard uncertainty; NaN with one idle period."""
        if self.before is None or self.after is None or self.noise is None:
            return math.nan, math.nan
        parts = [_part(self.before, -1.0), _part(self.after, 1.0)]
        u = self.standard(self.noise.contrast(parts).reshape(1, -1), np.zeros(1))
        return self.after.level - self.before.level, float(u[0])

    def _interpolated(self, windows: Sequence[Window]) -> tuple[Float64Array, Float64Array]:
        """(w,) the level at each window, and where it lies between the idle periods, from 0 to 1."""
        if self.before is None:
            return np.full(len(windows), np.nan), np.zeros(len(windows))
        if self.after is None:
            return np.full(len(windows), self.before.level), np.zeros(len(windows))
        shares = (_middles_ns(windows) - self.before.middle_ns) / (self.after.middle_ns - self.before.middle_ns)
        shares = np.clip(shares, 0.0, 1.0)
        return self.before.level + shares * (self.after.level - self.before.level), shares

    def _variance(self, window: Window | None, share: float) -> Float64Array:
        """(g,) of the contrast: a window with weight 1, each idle period with its own, negative."""
        parts = [] if window is None else [Part(window.start_ns / NS_PER_S, window.end_ns / NS_PER_S, 1.0)]
        for idle, weight in ((self.before, 1 - share), (self.after, share)):
            parts += [_part(idle, -weight)] if idle is not None and weight else []
        return self.noise.contrast(parts).ravel() if self.noise is not None else np.zeros(GRID)

    def _drift_u(self, windows: Sequence[Window]) -> Float64Array:
        if self.before is None:
            return np.full(len(windows), np.nan)
        if self.after is None:
            away_h = np.abs(_middles_ns(windows) - self.before.middle_ns) / NS_PER_S / _S_PER_H
            return np.asarray(DRIFT_PER_H * abs(self.before.level) * away_h)
        change, u = self.change()
        return np.full(len(windows), math.sqrt(max(change**2 - 4 * u**2, 0.0) / 12))

    def standard(self, variance: Float64Array, drift_u: Float64Array) -> Float64Array:
        """(w,) standard uncertainties of sums of a t mixture with (w, g) squared scales, and a drift."""
        if self.noise is None:
            return np.full(len(variance), np.nan)
        no_limits = np.empty((len(variance), 0))
        return half_widths(variance, self.noise.weight.ravel(), self.noise.dof, drift_u, no_limits) / NORMAL_95


def baseline(
    signal: Signal,
    cold: Window | None,
    idle_after: Window | None = None,
    *,
    late_s: float = 0.0,
    is_after_load: bool = False,
) -> Baseline:
    """The baseline from the idle periods; one after the repetitions that holds too few readings is left out.

    Args:
        signal: power, or another quantity that has an idle level.
        cold: the idle period before, already without the latency at its end; None: there was none.
        idle_after: the idle period after the repetitions.
        late_s: by how much readings may be late. So much of an idle period after a load is left out, at least `LATE_S`;
            of an on-change series, all before its first report.
        is_after_load: whether the idle period before comes after a load itself, that of another scenario.
    """
    late_s = max(late_s, LATE_S)
    if cold is None:
        return Baseline(None, reason="no idle period before the repetitions", late_s=late_s)
    before = idle_level(signal, (_settled(signal, cold, late_s) or cold) if is_after_load else cold)
    if before.reason:
        return Baseline(None, reason=before.reason, late_s=late_s)
    settled = _settled(signal, idle_after, late_s) if idle_after is not None else None
    after = idle_level(signal, settled) if settled is not None else None
    if after is None or after.reason:
        return Baseline(before, noise=idle_noise([before.readings]), late_s=late_s)
    return Baseline(before, after, idle_noise([before.readings, after.readings]), late_s=late_s)


def idle_level(signal: Signal, window: Window) -> IdleLevel:
    """The mean level over the readings inside a window; missing with fewer than 2 of them."""
    n_readings = int(count_readings(signal, *bounds([window]))[0])
    if signal.semantics is Semantics.ON_CHANGE:
        return _held_level(signal, window, n_readings)
    first, last = _cells_inside(signal, window)
    values = signal.value[first : last + 1] if signal.semantics is Semantics.INSTANTANEOUS else signal.level[first:last]
    if len(values) < MIN_READINGS:
        return _missing(window, n_readings)
    if signal.is_broken[first:last].any():
        return IdleLevel(math.nan, window, n_readings, reason="the counter went backwards while idle")
    cell_s = seconds(np.diff(signal.t_ns[first : last + 1]))
    total, total_s = float(signal.cumulative[last] - signal.cumulative[first]), float(cell_s.sum())
    span = Window(int(signal.t_ns[first]), int(signal.t_ns[last]))
    if signal.semantics is Semantics.INSTANTANEOUS:  # the first and the last one speak of the time around them too
        around_s = float(cell_s[0]) / 2, float(cell_s[-1]) / 2
        total, total_s = total + values[0] * around_s[0] + values[-1] * around_s[1], total_s + sum(around_s)
        span = Window(span.start_ns - round(around_s[0] * NS_PER_S), span.end_ns + round(around_s[1] * NS_PER_S))
    return IdleLevel(
        level=total / total_s,
        window=window,
        n_readings=n_readings,
        gap_s=float(cell_s @ signal.is_bridged[first:last]),
        readings=Readings(values, float(cell_s.mean()), signal.semantics is not Semantics.INSTANTANEOUS),
        span=span,
    )


def _cells_inside(signal: Signal, window: Window) -> tuple[int, int]:
    """The first and the last good reading inside a window, as positions; equal or crossed when there are not two."""
    readings_ns = signal.t_ns[signal.good]
    first = np.searchsorted(readings_ns, window.start_ns, side="left")
    side: Literal["left", "right"] = "left" if signal.semantics is Semantics.INSTANTANEOUS else "right"
    last = np.searchsorted(readings_ns, window.end_ns, side=side) - 1
    if first >= last:
        return 0, 0
    good = signal.good
    return (int(first), int(last)) if isinstance(good, slice) else (int(good[first]), int(good[last]))


def _held_level(signal: Signal, window: Window, n_readings: int) -> IdleLevel:
    """That of an on-change series, which is known from its first report to the window's end."""
    reports_ns = signal.t_ns[signal.good]
    start_ns = max(window.start_ns, int(reports_ns[0])) if len(reports_ns) else window.end_ns
    if start_ns >= window.end_ns:
        return _missing(window, n_readings)
    known = Window(start_ns, window.end_ns)
    (integral,) = integrate(signal, [known])
    if integral.reason:
        return _missing(window, n_readings)
    step_s = max(1.0, report_interval_s(signal))
    n = max(MIN_READINGS, min(_LOOKS, int(known.duration_s / step_s)))
    middles_ns = known.start_ns + ((np.arange(n) + 0.5) / n * known.duration_ns).astype(np.int64)
    in_force = np.searchsorted(signal.t_ns, middles_ns, side="right") - 1
    readings = Readings(signal.value[in_force], known.duration_s / n, is_mean=False)
    return IdleLevel(integral.mean, window, n_readings, integral.gap_s, readings, known)


def _missing(window: Window, n_readings: int) -> IdleLevel:
    some = {0: "no reading", 1: "1 reading"}.get(n_readings, "too few readings")
    reason = f"{some} in {window.duration_s:.3g} s of idle, at least {MIN_READINGS} needed inside it"
    return IdleLevel(math.nan, window, n_readings, reason=reason)


def _settled(signal: Signal, window: Window, late_s: float) -> Window | None:
    """An idle period without the time in which readings may still be late ones of the load; None: nothing else is left.

    One that is not much longer is taken whole, where they come late by no more than `LATE_S`. Of an on-change series it
    begins with a report.
    """
    late_ns = round(late_s * NS_PER_S)
    if late_s <= LATE_S and window.duration_ns < 10 * late_ns:
        return window
    if late_ns >= window.duration_ns:
        return None
    start_ns = window.start_ns + late_ns
    if signal.semantics is Semantics.ON_CHANGE:
        reports_ns = signal.t_ns[signal.good]
        inside_ns = reports_ns[np.searchsorted(reports_ns, start_ns) :]
        start_ns = int(inside_ns[0]) if len(inside_ns) and inside_ns[0] < window.end_ns else start_ns
    return Window(start_ns, window.end_ns)


def _part(idle: IdleLevel, weight: float) -> Part:
    span = idle.span or idle.window
    return Part(span.start_ns / NS_PER_S, span.end_ns / NS_PER_S, weight)


def _middles_ns(windows: Sequence[Window]) -> Float64Array:
    start_ns, end_ns = bounds(windows)
    return np.asarray(start_ns + (end_ns - start_ns) / 2)
