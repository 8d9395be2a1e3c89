"""What the series of a run say beside its rows; with it they need not be kept: those of a sweep fill gigabytes."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from terrawatt.records import Series, SourceDescription, Window
from terrawatt.summary.collect import RunData
from terrawatt.summary.hosts import cold_levels
from terrawatt.summary.series import within

_TEMPERATURE = "temp"


@dataclass(frozen=True, slots=True)
class Beside:
    """What is told of a run apart from its rows.

    Attributes:
        cold_levels: sitting -> column -> the cold level that was subtracted, where there is one.
        temperatures_c: repetition -> the mean of the temperatures inside it; None without any.
        drawable: repetition -> the first source whose readings can be drawn; without those where there is none.
    """

    cold_levels: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    temperatures_c: Mapping[int, float | None] = field(default_factory=dict)
    drawable: Mapping[int, str] = field(default_factory=dict)


def beside(run: RunData) -> Beside:
    """Of a run with its series."""
    phases = [phase for entry in run.ended if (phase := run.repetition(entry.repetition)) is not None]
    sittings = {sitting.sitting_numbers[0]: sitting for sitting in run.sittings}
    temperature = run.series.get(run.manifest.host_series[_TEMPERATURE]) if _has_temperature(run) else None
    levels = {number: cold_levels(sitting) for number, sitting in sittings.items()}
    sources = {number: _drawable(sittings[number]) for number in {phase.sitting for phase in phases}}
    return Beside(
        {number: {name: x for name, x in of_one.items() if math.isfinite(x)} for number, of_one in levels.items()},
        {phase.repetition or 0: _mean_inside(temperature, phase.window) for phase in phases},
        {phase.repetition or 0: name for phase in phases if (name := sources[phase.sitting])},
    )


def shown(sitting: RunData, source: SourceDescription) -> Series:
    """The readings of a sitting; of a sweep without those of its neighbours."""
    series = sitting.series[source.series]
    if not sitting.follows_load:
        return series
    windows = [phase.window for phase in sitting.phases]
    start_ns = min(window.start_ns for window in windows) + 1  # one just then speaks of what was before
    return within(series, start_ns, max(window.end_ns for window in windows))


def _drawable(sitting: RunData) -> str:
    """The first source with readings; empty where there is none."""
    for source in sitting.manifest.sources:
        if source.series in sitting.series and np.isfinite(shown(sitting, source).value).sum() > 1:
            return source.name
    return ""


def _has_temperature(run: RunData) -> bool:
    return _TEMPERATURE in run.manifest.host_series


def _mean_inside(series: Series | None, window: Window) -> float | None:
    """The mean of the readings inside a window; None without any."""
    if series is None:
        return None
    start, end = np.searchsorted(series.t_ns, (window.start_ns, window.end_ns))
    values = series.value[start:end]
    values = values[np.isfinite(values)]
    return float(values.mean()) if len(values) else None
