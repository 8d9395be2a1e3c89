"""Calibration of the sources' latency: idle, busy, idle, again and again, while the sampler reads.

Every source of the settings is calibrated at once; they see the same steps of the processors' load.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from terrawatt.analysis.latency import Latency, LoadStep, latency
from terrawatt.analysis.signal import source_signal
from terrawatt.config import Settings, StoreSettings
from terrawatt.errors import ProtocolError
from terrawatt.experiment.load import CpuLoad
from terrawatt.experiment.lock import MachineLock
from terrawatt.experiment.waiting import Wakeup, sleep
from terrawatt.records import Series, SourceDescription
from terrawatt.runs.calibration import Calibration, calibration_path, write_calibration
from terrawatt.runs.times import format_time
from terrawatt.store.sqlite import SqliteStore
from terrawatt.telemetry.process import SamplerProcess, SamplerReport

_GOLDEN = 0.6180339887498949
_TICK_S = 0.5
LEAST_INTERVALS = 5  # readings that a source shall have in each hold


@dataclass(frozen=True, slots=True)
class Plan:
    """How the load is to go: `repeats` times busy, each and the idle around them for `hold_s`.

    A hold is longer by another part of a second each time, so that the steps lie at different phases of the readings.
    """

    hold_s: float = 20.0
    repeats: int = 4

    @property
    def duration_s(self) -> float:
        """About how long it takes."""
        return self.hold_s * (2 * self.repeats + 1)


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What became of one source: its latency, and the file that holds it; None where nothing could be told."""

    source: SourceDescription
    latency: Latency
    path: Path | None


def calibrate(settings: Settings, plan: Plan, say: Callable[[str], None]) -> tuple[Calibrated, ...]:
    """Measure the latency of every source, and write what could be told. It belongs to the main thread.

    Raises:
        ProtocolError: another run holds the machine, the sampler does not start or ends, or a source is so slow that
            the holds would have too few readings.
        StoppedError: a stop signal came; nothing is written.
    """
    if not settings.sampling.is_external:  # what is measured here is nobody's run: it stays in the scratch folder
        settings = settings.model_copy(update={"store": StoreSettings()})
    with (
        tempfile.TemporaryDirectory(prefix="terrawatt-") as scratch,
        Wakeup() as wakeup,
        MachineLock(settings.experiment.lock) as lock,
    ):
        lock.acquire()
        lock.note(Path("terrawatt power calibrate"))
        store = Path(scratch) / "telemetry.sqlite"
        report, steps = _measure(settings, plan, store, wakeup, say)
        series = _read(store, report.sources)
    date = format_time(time.time_ns())
    results = settings.experiment.results
    return tuple(
        _keep(source, _latency(source, of_source, steps), results, report.host, date)
        for source, of_source in zip(report.sources, series, strict=True)
    )


def _measure(
    settings: Settings, plan: Plan, store: Path, wakeup: Wakeup, say: Callable[[str], None]
) -> tuple[SamplerReport, list[LoadStep]]:
    """The load steps, while the sampler writes into the store."""
    with SamplerProcess(settings, store, store.with_name("log.txt")) as sampler:
        report = sampler.start()
        interval_s = _slowest_interval_s(report)

        def tick() -> None:
            if not sampler.is_alive():
                raise ProtocolError(f"the sampler ended: {sampler.failure() or 'no reason known'}")

        with CpuLoad() as load:
            steps = _steps(load, plan, interval_s, lambda duration_s: sleep(duration_s, wakeup, tick, _TICK_S), say)
        sleep(1.2 * interval_s + report.delay_s, wakeup, tick, _TICK_S)  # one reading behind the last hold
    return report, steps


def _slowest_interval_s(report: SamplerReport) -> float:
    """The time between readings of the slowest source.

    Raises:
        ProtocolError: there is no source.
    """
    if not report.sources:
        raise ProtocolError("there is no power source to calibrate; name one in terrawatt.toml")
    return report.slowest_s


def _steps(
    load: CpuLoad, plan: Plan, interval_s: float, wait: Callable[[float], None], say: Callable[[str], None]
) -> list[LoadStep]:
    """Idle, then busy and idle in turn; the moment of each change.

    Raises:
        ProtocolError: the holds are too short for the slowest source.
    """
    if plan.hold_s < LEAST_INTERVALS * interval_s:
        needed_s = LEAST_INTERVALS * interval_s
        raise ProtocolError(
            f"a source is read every {interval_s:g} s: hold each load for {needed_s:g} s at least (--hold)"
        )
    steps: list[LoadStep] = []
    say(f"idle for {plan.hold_s:g} s")
    wait(plan.hold_s)
    for i in range(2 * plan.repeats):
        load.switch()
        steps.append(LoadStep(time.time_ns(), load.is_on))
        say(f"{'busy' if load.is_on else 'idle'} ({i // 2 + 1} of {plan.repeats})")
        wait(plan.hold_s + interval_s * ((i * _GOLDEN) % 1))
    return steps


def _read(store: Path, sources: tuple[SourceDescription, ...]) -> list[Series]:
    with SqliteStore(store, read_only=True) as opened:
        return [opened.read(source.series) for source in sources]


def _latency(source: SourceDescription, series: Series, steps: list[LoadStep]) -> Latency:
    return latency(source_signal(series, source), steps, source.resolution_w)


def _keep(source: SourceDescription, found: Latency, results: Path, host: str, date: str) -> Calibrated:
    """Write what was found of a source, where something was."""
    if found.reason:
        return Calibrated(source, found, None)
    path = calibration_path(results, source.name)
    calibration = Calibration(
        source=source.name,
        kind=source.kind,
        semantics=source.semantics,
        host=host,
        date=date,
        delay_s=found.delay_s.value,
        u_delay_s=found.delay_s.u,
        tau_s=found.tau_s.value,
        u_tau_s=found.tau_s.u,
        latency_s=found.lag_s.value,
        u_latency_s=found.lag_s.u,
        step_w=found.step_w.value,
        n_steps=found.n_steps,
        n_readings=found.n_readings,
    )
    write_calibration(path, calibration)
    return Calibrated(source, found, path)
