"""What the machine's own series say of each repetition: foreign load, temperature, clock, restarts of the sampler."""

from collections.abc import Iterator, Sequence

from terrawatt.analysis.clock import clock_verdicts, restart_verdicts
from terrawatt.analysis.load import VerdictLists, cpu_verdicts, temperature_verdicts
from terrawatt.records import Phase, Series, SeriesKey, Verdict
from terrawatt.summary.cells import Cells
from terrawatt.summary.collect import RunData
from terrawatt.summary.sittings import parted
from terrawatt.telemetry.own import clock_offset, sampler_starts


def condition_cells(run: RunData, repetitions: Sequence[Phase]) -> list[Cells]:
    """The verdicts on the conditions of each repetition; no columns. A series that is not there says nothing.

    Repetitions are compared with all others of the run; idle periods count for their own sitting.
    """
    lists = [*_of_all(run, repetitions), *_of_sittings(run, repetitions)]
    return [
        Cells(verdicts=tuple(verdict for of_quantity in lists for verdict in of_quantity[i]))
        for i in range(len(repetitions))
    ]


def _of_all(run: RunData, repetitions: Sequence[Phase]) -> Iterator[VerdictLists]:
    """For each quantity that compares repetitions with each other: the verdicts of each repetition."""
    windows, interval_s = [phase.window for phase in repetitions], run.manifest.sampling_interval_s
    quantities = run.manifest.host_series
    if (use := _series(run, quantities.get("cpu"))) is not None:
        idle = {sitting.sitting_numbers[0]: (sitting.cold, sitting.idle_after) for sitting in run.sittings}
        yield cpu_verdicts(use, interval_s, windows, [idle[phase.sitting] for phase in repetitions])
    if (temperature := _series(run, quantities.get("temp"))) is not None:
        durations_s = [phase.window.duration_s / phase.executions for phase in repetitions]
        yield temperature_verdicts(temperature, interval_s, windows, durations_s)


def _of_sittings(run: RunData, repetitions: Sequence[Phase]) -> Iterator[VerdictLists]:
    """The same of what is judged for each window, and for the idle periods of its sitting."""
    own = ((clock_offset, clock_verdicts), (sampler_starts, restart_verdicts))
    for key_of, verdicts_of in own:
        if (series := _series(run, key_of(run.manifest.host))) is None:
            continue
        found: dict[int | None, tuple[Verdict, ...]] = {}
        for sitting, inside in parted(run, repetitions):
            idle = [period for period in (sitting.cold, sitting.idle_after) if period is not None]
            verdicts = verdicts_of(series, [phase.window for phase in inside], idle)
            found |= {phase.repetition: of_one for phase, of_one in zip(inside, verdicts, strict=True)}
        yield tuple(found[phase.repetition] for phase in repetitions)


def _series(run: RunData, key: SeriesKey | None) -> Series | None:
    """A series with at least one reading."""
    series = run.series.get(key) if key is not None else None
    return series if series is not None and len(series) else None
