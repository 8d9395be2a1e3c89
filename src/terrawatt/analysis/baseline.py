"""The idle level of a signal, and how well it is known.

The level of an idle period is the time-weighted mean over its readings: the integral from the first to the last reading
inside the period, by the time between them. Readings outside are never used: interpolating across the period's end
would let the workload into the baseline. With idle periods before and after the repetitions, the level at a repetition
is interpolated linearly between the two, at the middle of its window.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from terrawatt.analysis.integrate import MIN_READINGS, bounds, count_readings, integrate
from terrawatt.analysis.noise import IdleNoise, idle_noise, mean_covariance, mean_variance
from terrawatt.analysis.signal import Signal
from terrawatt.records import Float64Array, Semantics, Window
from terrawatt.units import NS_PER_S

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
        step_s: time between them.
        reason: why the level is missing, else empty.
    """

    level: float
    window: Window
    n_readings: int
    gap_s: float = math.nan
    readings: Float64Array = field(default_factory=lambda: np.empty(0))
    step_s: float = math.nan
    reason: str = ""

    @property
    def middle_ns(self) -> float:
        """The middle of the period."""
        return self.window.start_ns + self.window.duration_ns / 2


@dataclass(frozen=True, slots=True)
class LevelAt:
    """The idle level at one window, and its standard uncertainty as the machine's own mean level in that window."""

    level: float
    u: float


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """The idle level before the repetitions and, when it was measured, after them.

    Attributes:
        before: None where it is missing.
        after: None where it was not measured.
        noise: None where there are too few readings to judge it.
        reason: why there is no baseline, else empty.
    """

    before: IdleLevel | None
    after: IdleLevel | None = None
    noise: IdleNoise | None = None
    reason: str = ""

    def at(self, window: Window) -> LevelAt:
        """The level at a window, and its standard uncertainty; both NaN where there is no baseline.

        The variance is that of [mean of the noise over the window - weighted mean of the noise over the idle periods]:
        the machine's own wandering during the window is in it, and so is what it shares with the idle periods. With two
        of them the level may lie anywhere between: their difference by √12 is added.
        """
        if self.before is None:
            return LevelAt(math.nan, math.nan)
        if self.after is None:
            return LevelAt(self.before.level, math.sqrt(self._noise_variance(window, [(self.before, 1.0)])))
        share = _share_after(self.before, self.after, window)
        drift = self.after.level - self.before.level
        variance = self._noise_variance(window, [(self.before, 1 - share), (self.after, share)])
        return LevelAt(self.before.level + share * drift, math.sqrt(variance + drift**2 / 12))

    def _noise_variance(self, window: Window, idle: Sequence[tuple[IdleLevel, float]]) -> float:
        """Of the contrast: the window with weight 1, each idle period with its own, negative."""
        if self.noise is None:  # 2 or 3 readings: their whole range
            return max(float(np.ptp(level.readings)) for level, _ in idle) ** 2
        step_s = idle[0][0].step_s
        parts = [(window, -1.0), *((level.window, weight) for level, weight in idle)]
        parts.sort(key=lambda part: part[0].start_ns)
        variance = np.zeros_like(self.noise.variance)
        for i, (period, weight) in enumerate(parts):
            n = period.duration_s / step_s
            variance += weight**2 * mean_variance(n)
            for later, later_weight in parts[i + 1 :]:
                between = (later.start_ns - period.end_ns) / NS_PER_S / step_s
                variance += 2 * weight * later_weight * mean_covariance(n, later.duration_s / step_s, between)
        return self.noise.expect(self.noise.variance * variance)


def baseline(signal: Signal, cold: Window | None, idle_after: Window | None = None) -> Baseline:
    """The baseline from the idle periods; one after the repetitions that holds too few readings is left out.

    Args:
        signal: power, or another quantity that has an idle level.
        cold: the idle period before, already without the latency at its end; None: there was none.
        idle_after: the idle period after the repetitions.
    """
    if cold is None:
        return Baseline(None, reason="no idle period before the repetitions")
    before = idle_level(signal, cold)
    if before.reason:
        return Baseline(None, reason=before.reason)
    after = idle_level(signal, idle_after) if idle_after is not None else None
    if after is None or after.reason:
        return Baseline(before, noise=idle_noise([before.readings]))
    return Baseline(before, after, idle_noise([before.readings, after.readings]))


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
    cell_s = signal.cell_s[first:last]
    return IdleLevel(
        level=float(signal.cumulative[last] - signal.cumulative[first]) / float(cell_s.sum()),
        window=window,
        n_readings=n_readings,
        gap_s=float(cell_s @ signal.is_bridged[first:last]),
        readings=values,
        step_s=float(cell_s.mean()),
    )


def _cells_inside(signal: Signal, window: Window) -> tuple[int, int]:
    """The first and the last good reading inside a window, as positions; equal or crossed when there are not two."""
    good = np.flatnonzero(signal.is_reading)
    readings_ns = signal.t_ns[good]
    first = np.searchsorted(readings_ns, window.start_ns, side="left")
    side: Literal["left", "right"] = "left" if signal.semantics is Semantics.INSTANTANEOUS else "right"
    last = np.searchsorted(readings_ns, window.end_ns, side=side) - 1
    return (int(good[first]), int(good[last])) if first < last else (0, 0)


def _held_level(signal: Signal, window: Window, n_readings: int) -> IdleLevel:
    """That of an on-change series, which is known from its first report to the window's end."""
    reports_ns = signal.t_ns[signal.is_reading]
    start_ns = max(window.start_ns, int(reports_ns[0])) if len(reports_ns) else window.end_ns
    if start_ns >= window.end_ns:
        return _missing(window, n_readings)
    known = Window(start_ns, window.end_ns)
    (integral,) = integrate(signal, [known])
    if integral.reason:
        return _missing(window, n_readings)
    n = max(MIN_READINGS, min(_LOOKS, int(known.duration_s)))
    middles_ns = known.start_ns + ((np.arange(n) + 0.5) / n * known.duration_ns).astype(np.int64)
    in_force = np.searchsorted(signal.t_ns, middles_ns, side="right") - 1
    readings = signal.value[in_force]
    return IdleLevel(integral.mean, window, n_readings, integral.gap_s, readings, known.duration_s / n)


def _missing(window: Window, n_readings: int) -> IdleLevel:
    some = {0: "no reading", 1: "1 reading"}.get(n_readings, "too few readings")
    reason = f"{some} in {window.duration_s:.3g} s of idle, at least {MIN_READINGS} needed inside it"
    return IdleLevel(math.nan, window, n_readings, reason=reason)


def _share_after(before: IdleLevel, after: IdleLevel, window: Window) -> float:
    """Where the middle of a window lies between the middles of the idle periods, from 0 to 1."""
    middle_ns = window.start_ns + window.duration_ns / 2
    share = (middle_ns - before.middle_ns) / (after.middle_ns - before.middle_ns)
    return min(max(share, 0.0), 1.0)
