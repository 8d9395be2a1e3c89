"""Integrals of host series over each repetition: those above the cold level, and disk reads."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from terrawatt.analysis.baseline import idle_level
from terrawatt.analysis.integrate import bounds, integrate, value_at
from terrawatt.analysis.signal import Signal, prepare
from terrawatt.records import Semantics, Series, SeriesKey, Window


@dataclass(frozen=True, slots=True)
class HostValue:
    """One number of one window; NaN with a reason where it is missing.

    Attributes:
        value: in the column's unit.
        level: the cold level that was subtracted; NaN for disk reads.
        gap_s: seconds of the window of which no reading speaks.
        reason: why the value is missing, else empty.
    """

    value: float
    level: float = math.nan
    gap_s: float = 0.0
    reason: str = ""

    @classmethod
    def unless(cls, reason: str, value: float, *, gap_s: float, level: float = math.nan) -> "HostValue":
        """The value, unless there is a reason why it is missing."""
        return cls(math.nan if reason else value, level, gap_s, reason)


@dataclass(frozen=True, slots=True)
class DiskReads:
    """Disk reads of one window.

    Attributes:
        count: reads in the window.
        integral: ∫ (counter - counter at the window's start) dt, in count·s.
    """

    count: HostValue
    integral: HostValue


def above_cold(
    series: Series, semantics: Semantics, interval_s: float, windows: Sequence[Window], cold: Window | None
) -> tuple[HostValue, ...]:
    """∫ (F - mean of F over the cold period) dt for each window, in the unit of the series times s."""
    signal = prepare(series, semantics, interval_s)
    integrals = integrate(signal, windows)
    idle = idle_level(signal, cold) if cold is not None else None
    level = idle.level if idle is not None else math.nan
    idle_reason = idle.reason if idle is not None else "no idle period before the repetitions"
    return tuple(
        HostValue.unless(
            part.reason or idle_reason, part.value - level * part.duration_s, gap_s=part.gap_s, level=level
        )
        for part in integrals
    )


def cold_level(series: Series, semantics: Semantics, interval_s: float, cold: Window) -> float:
    """The mean over the cold period that `above_cold` subtracts; NaN where there is none."""
    return idle_level(prepare(series, semantics, interval_s), cold).level


def disk_reads(series: Series, interval_s: float, windows: Sequence[Window]) -> tuple[DiskReads, ...]:
    """Disk reads of each window from their cumulative counter, which goes linearly from reading to reading."""
    counter = prepare(series, Semantics.COUNTER, interval_s)
    counts = integrate(counter, windows)
    line = prepare(_from_zero(series.key, counter), Semantics.INSTANTANEOUS, interval_s)
    areas = integrate(line, windows)
    start_ns, _ = bounds(windows)
    at_start = value_at(line, start_ns) if len(line) else [math.nan] * len(windows)
    return tuple(
        DiskReads(
            HostValue.unless(count.reason, count.value, gap_s=count.gap_s),
            HostValue.unless(
                count.reason or area.reason, area.value - float(level) * area.duration_s, gap_s=count.gap_s
            ),
        )
        for count, area, level in zip(counts, areas, at_start, strict=True)
    )


def _from_zero(key: SeriesKey, counter: Signal) -> Series:
    """The counter since its first reading, restarts bridged: small numbers, so that its integral keeps its digits."""
    since = counter.value - counter.value[:1]
    return Series(key, counter.t_ns, np.where(counter.is_reading, since, np.nan))
