"""The columns of host series: integrals above the cold level, disk reads, duration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from terrawatt.analysis.host import HostValue, above_cold, cold_level, disk_reads
from terrawatt.analysis.verdict import LARGE_GAP, missing_verdict
from terrawatt.records import Phase, Semantics, Series, Severity, Verdict, Window
from terrawatt.summary.cells import Cells
from terrawatt.summary.collect import RunData
from terrawatt.summary.sittings import each_sitting


@dataclass(frozen=True, slots=True)
class _Quantity:
    column: str
    semantics: Semantics


# Telegraf's usage_user is a mean since the reading before; the other two are read at a moment.
_ABOVE_COLD: Mapping[str, _Quantity] = {
    "cpu": _Quantity("CPU", Semantics.MEAN),
    "mem_free": _Quantity("Memory", Semantics.INSTANTANEOUS),
    "temp": _Quantity("Temperature", Semantics.INSTANTANEOUS),
}
_READS = ("Reads", "Reads count")


def host_cells(run: RunData, repetitions: Sequence[Phase]) -> list[Cells]:
    """The columns of host series of each repetition, for one execution of its workload."""
    return each_sitting(run, repetitions, _of_a_sitting)


def _of_a_sitting(run: RunData, repetitions: Sequence[Phase]) -> list[Cells]:
    windows = [phase.window for phase in repetitions]
    cold, interval_s = run.cold, run.manifest.sampling_interval_s
    parts = [[Cells({"Duration": phase.window.duration_s / phase.executions}) for phase in repetitions]]
    for name, quantity in _ABOVE_COLD.items():
        series = _series(run, name)
        if isinstance(series, str):
            parts.append([_empty([quantity.column], series)] * len(windows))
            continue
        values = above_cold(series, quantity.semantics, interval_s, windows, cold)
        parts.append([_cells(quantity.column, v, phase) for v, phase in zip(values, repetitions, strict=True)])
    parts.append(_reads(run, repetitions, windows))
    return [Cells.joined(row) for row in zip(*parts, strict=True)]


def cold_levels(run: RunData) -> dict[str, float]:
    """Quantity -> its cold level in a sitting, where it has one: what was subtracted from CPU, Memory, Temperature."""
    levels = {}
    for name, quantity in _ABOVE_COLD.items():
        series = _series(run, name)
        if run.cold is not None and not isinstance(series, str):
            interval_s = run.manifest.sampling_interval_s
            levels[quantity.column] = cold_level(series, quantity.semantics, interval_s, run.cold)
    return levels


def _reads(run: RunData, repetitions: Sequence[Phase], windows: Sequence[Window]) -> list[Cells]:
    series = _series(run, "reads")
    if isinstance(series, str):
        return [_empty(_READS, series)] * len(windows)
    return [
        Cells.joined([_cells("Reads", reads.integral, phase), _cells("Reads count", reads.count, phase)])
        for reads, phase in zip(disk_reads(series, run.manifest.sampling_interval_s, windows), repetitions, strict=True)
    ]


def _series(run: RunData, quantity: str) -> Series | str:
    """The series of a quantity, or why there is none."""
    if quantity not in run.manifest.host_series:
        return run.manifest.missing.get(quantity, "not recorded")
    series = run.series.get(run.manifest.host_series[quantity])
    return series if series is not None else run.store_problem


def _cells(column: str, value: HostValue, phase: Phase) -> Cells:
    if value.reason:
        return _empty([column], value.reason)
    values = {column: value.value / phase.executions}
    share = value.gap_s / phase.window.duration_s
    if share <= LARGE_GAP:
        return Cells(values)
    message = f"{share:.0%} of the window without readings"
    return Cells(values, (Verdict("gap", Severity.DOUBTFUL, message, "see log.txt", column),))


def _empty(columns: Sequence[str], reason: str) -> Cells:
    return Cells(verdicts=tuple(missing_verdict(column, reason) for column in columns))
