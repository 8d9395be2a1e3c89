"""What the machine's own series say of each repetition: foreign load, temperature, clock, restarts of the sampler."""

from collections.abc import Iterator, Sequence

from terrawatt.analysis.clock import clock_verdicts, restart_verdicts
from terrawatt.analysis.load import VerdictLists, cpu_verdicts, temperature_verdicts
from terrawatt.records import Phase, Series, SeriesKey
from terrawatt.summary.cells import Cells
from terrawatt.summary.collect import RunData
from terrawatt.telemetry.own import clock_offset, sampler_starts


def condition_cells(run: RunData, repetitions: Sequence[Phase]) -> list[Cells]:
    """The verdicts on the conditions of each repetition; no columns. A series that is not there says nothing."""
    lists = list(_verdict_lists(run, repetitions))
    return [
        Cells(verdicts=tuple(verdict for of_quantity in lists for verdict in of_quantity[i]))
        for i in range(len(repetitions))
    ]


def _verdict_lists(run: RunData, repetitions: Sequence[Phase]) -> Iterator[VerdictLists]:
    """For each quantity: the verdicts of each repetition."""
    windows, interval_s = [phase.window for phase in repetitions], run.manifest.sampling_interval_s
    idle = [period for period in (run.cold, run.idle_after) if period is not None]
    host, quantities = run.manifest.host, run.manifest.host_series
    if (use := _series(run, quantities.get("cpu"))) is not None:
        yield cpu_verdicts(use, interval_s, windows, run.cold, run.idle_after)
    if (temperature := _series(run, quantities.get("temp"))) is not None:
        durations_s = [phase.window.duration_s / phase.executions for phase in repetitions]
        yield temperature_verdicts(temperature, interval_s, windows, durations_s)
    if (offset := _series(run, clock_offset(host))) is not None:
        yield clock_verdicts(offset, windows, idle)
    if (starts := _series(run, sampler_starts(host))) is not None:
        yield restart_verdicts(starts, windows, idle)


def _series(run: RunData, key: SeriesKey | None) -> Series | None:
    """A series with at least one reading."""
    series = run.series.get(key) if key is not None else None
    return series if series is not None and len(series) else None
