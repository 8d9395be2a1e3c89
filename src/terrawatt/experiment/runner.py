"""A run: one scenario after the other under the protocol, each in a folder of its own.

Lock → checks → run folder → CodeCarbon → for each scenario: sampler, manifest, cold, warm-up, repetitions, idle,
checksums. Whatever ends a run, its folder can be read and says how far it came.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from terrawatt.config import Settings
from terrawatt.errors import ProtocolError, StoppedError, TerrawattError
from terrawatt.experiment import precision
from terrawatt.experiment.arrivals import arrivals
from terrawatt.experiment.beginning import first_manifest, reading_after_s
from terrawatt.experiment.emissions import EmissionsTracker
from terrawatt.experiment.forwarding import forward_at_end
from terrawatt.experiment.guard import Guard
from terrawatt.experiment.lock import Holder, MachineLock
from terrawatt.experiment.monitor import Monitor, Place
from terrawatt.experiment.preflight import check_command, check_space, check_store, discard_unused, make_folders
from terrawatt.experiment.progress import Progress
from terrawatt.experiment.protocol import titles
from terrawatt.experiment.record import Recorder
from terrawatt.experiment.sampling import SamplerWatch
from terrawatt.experiment.scenario_run import OnFailure, ScenarioRun
from terrawatt.experiment.waiting import Wakeup
from terrawatt.experiment.workload import Executor
from terrawatt.records import Scenario
from terrawatt.runs.calibration import calibrated
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.manifest import write_manifest
from terrawatt.runs.status import RunStatus, State
from terrawatt.telemetry.process import SamplerProcess, SamplerReport

_LOCK_POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be run.

    Attributes:
        settings: in force; its protocol holds for all scenarios.
        scenarios: in this order.
        data: for the manifest: the data set that the workloads read.
        on_failure: what happens after a repetition that failed.
        wait: wait for the end of another measured run on this machine; else its lock is an error.
        storage_path: the run's folder, where the caller gives it (Qanat); None: the next one of the results folder.
    """

    settings: Settings
    scenarios: tuple[Scenario, ...]
    data: Mapping[str, Any] = field(default_factory=dict)
    on_failure: OnFailure = OnFailure.CONTINUE
    wait: bool = False
    storage_path: Path | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run went: its folder, and the status of each scenario that was begun, by its folder."""

    run_path: Path
    statuses: Mapping[Path, RunStatus]

    @property
    def failures(self) -> list[str]:
        """One line for each scenario in which something failed."""
        return [f"{path}: {status.reason}" for path, status in self.statuses.items() if status.reason]


def run(request: Request, progress: Progress) -> Outcome:
    """Carry out a run. It belongs to the main thread, where signals arrive.

    Raises:
        UsageError: a command does not exist.
        ProtocolError: another run holds the machine, the disk is full, the sampler does not start or is gone for good.
        RunFolderError: the run's folder cannot be made, or holds a run already.
        ConfigError: the database's address is wrong, or CodeCarbon does not know the country.
        StoreError: the database refuses: user, password, token, database or certificate are wrong.
        StoppedError: a stop signal came; the folder says how far the run came.
    """
    settings = request.settings
    remark = check_store(settings)
    precision.check(settings.protocol)
    for scenario in request.scenarios:
        check_command(scenario.command)
    with progress, Wakeup() as wakeup, MachineLock(settings.experiment.lock) as lock:
        lock.acquire(_waiting(wakeup, progress) if request.wait else None)
        check_space(request.storage_path or settings.experiment.results)
        folders = make_folders(
            request.storage_path, settings.experiment.results, settings.experiment.name, len(request.scenarios)
        )
        run_path = request.storage_path or folders[0].run_path
        lock.note(run_path.absolute())
        if remark:
            progress.say(remark)
        try:
            return _carry_out(request, progress, wakeup, run_path, folders)
        except (TerrawattError, OSError) as error:
            log_is_needed = any(str(folder.log) in str(error) for folder in folders)
            if not log_is_needed and discard_unused(folders, given=request.storage_path is not None):
                raise
            raise _with_folder(error, run_path) from error


def _waiting(wakeup: Wakeup, progress: Progress) -> Callable[[Holder | None], None]:
    """Lets time pass while another run holds the lock; tells the user once who it is."""
    told: list[Holder | None] = []

    def pause(holder: Holder | None) -> None:
        if not told:
            told.append(holder)
            progress.say(f"waiting for {f'process {holder.pid}, {holder.run}' if holder else 'another run'} to end")
        wakeup.wait(_LOCK_POLL_S)
        wakeup.check()

    return pause


def _with_folder(error: TerrawattError | OSError, run_path: Path) -> TerrawattError:
    """The error with the folder that holds what was measured."""
    kept = f"what was measured before is in {run_path}"
    if isinstance(error, TerrawattError):
        return type(error)(f"{error}; {kept}")
    where = f"{error.filename}: " if error.filename else ""
    return ProtocolError(f"{where}{error.strerror or error}; {kept}")


def _carry_out(
    request: Request, progress: Progress, wakeup: Wakeup, run_path: Path, folders: Sequence[RunFolder]
) -> Outcome:
    """One scenario after the other, with what they share."""
    settings = request.settings
    recorders = [Recorder(folder, settings.protocol.planned_repetitions) for folder in folders]
    statuses: dict[Path, RunStatus] = {}
    with (
        tempfile.TemporaryDirectory(prefix="terrawatt-", ignore_cleanup_errors=True) as scratch,
        Guard(Path(scratch)) as guard,
        EmissionsTracker(settings.emissions, settings.experiment.name, Path(scratch)) as emissions,
    ):
        reported = Path(scratch) / "phases.jsonl"
        run = _Run(request, progress, wakeup, guard, emissions, titles(request.scenarios), reported)
        for index, recorder in enumerate(recorders):
            run.measure(index, recorder)
            statuses[recorder.folder.path] = recorder.status
            if recorder.status.reason and request.on_failure is OnFailure.STOP:
                break
    return Outcome(run_path, statuses)


@dataclass(frozen=True, slots=True)
class _Run:
    """What the scenarios of a run share."""

    request: Request
    progress: Progress
    wakeup: Wakeup
    guard: Guard
    emissions: EmissionsTracker
    titles: Sequence[str]  # each scenario in words
    reported: Path  # the file in which the workload reports its phases
    history_s: list[float] = field(default_factory=list)  # how long each execution took

    def measure(self, index: int, recorder: Recorder) -> None:
        """Measure one scenario; whatever happens, its folder is closed in order."""
        try:
            state, reason = self._measure(index, recorder)
            recorder.close(state, reason)
        except (TerrawattError, OSError) as error:
            state = State.INTERRUPTED if isinstance(error, StoppedError) else State.FAILED
            with suppress(OSError):  # the disk may be full
                recorder.close(state, str(error))
            raise
        finally:
            forward_at_end(recorder.folder, self.request.settings.store, self.progress.say)

    def _measure(self, index: int, recorder: Recorder) -> tuple[State, str]:
        folder = recorder.folder
        self.progress.say(f"scenario {index + 1} of {len(self.titles)}: {self.titles[index]}")
        with SamplerProcess(self.request.settings, folder.telemetry, folder.log) as sampler:
            report, remarks = self._calibrated(sampler.start())
            request, emissions = self.request, self.emissions.description()
            scenario = request.scenarios[index]
            write_manifest(
                folder.manifest, first_manifest(folder, request.settings, scenario, report, emissions, request.data)
            )
            self._tell_what_is_sampled(index, recorder, report, remarks)

            def tell(line: str) -> None:
                recorder.log(line)
                self.progress.say(line)

            watch = SamplerWatch(sampler, tell)
            try:
                return self._scenario_run(index, recorder, report, watch).carry_out()
            finally:
                watch.settle()

    def _scenario_run(self, index: int, recorder: Recorder, report: SamplerReport, watch: SamplerWatch) -> ScenarioRun:
        scenario = self.request.scenarios[index]
        place = Place(
            scenario=index + 1,
            scenarios=len(self.titles),
            title=self.titles[index],
            epochs=_epochs(scenario),
            source=report.sources[0].name if report.sources else "no power source",
            protocol=self.request.settings.protocol,
        )
        monitor = Monitor(place, watch, self.progress, self.reported, self.history_s)
        return ScenarioRun(
            scenario=scenario,
            place=place,
            recorder=recorder,
            emissions=self.emissions,
            executor=Executor(self.wakeup, self.guard, monitor.tick),
            monitor=monitor,
            say=self.progress.say,
            reported=self.reported,
            on_failure=self.request.on_failure,
            reading_after_s=reading_after_s(report),
            precision=precision.watch(recorder.folder, report.sources, self.request.settings.protocol),
            arrivals=arrivals(recorder.folder, report),
        )

    def _calibrated(self, report: SamplerReport) -> tuple[SamplerReport, list[str]]:
        """The report with the latency of each source where a calibration tells it, and remarks on others."""
        sources, remarks = calibrated(report.sources, self.request.settings.experiment.results, report.host)
        return replace(report, sources=sources), remarks

    def _tell_what_is_sampled(
        self, index: int, recorder: Recorder, report: SamplerReport, remarks: Sequence[str]
    ) -> None:
        """Name the sources and what is missing; the user hears it once, each log holds it."""
        sources = ", ".join(
            f"{source.name} (kind {source.kind}{'; estimated, not measured' if source.is_estimate else ''})"
            for source in report.sources
        )
        lines = [f"power: {sources or 'no source'}"]
        lines += [
            f"{source.name}: readings are late by {source.latency_s:.3g} s, as calibrated"
            for source in report.sources
            if source.latency_s is not None
        ]
        lines += [*remarks, *(f"no {quantity}: {reason}" for quantity, reason in report.missing.items())]
        for line in lines:
            recorder.log(line)
            if index == 0:
                self.progress.say(line)


def _epochs(scenario: Scenario) -> int | None:
    """How many epochs the workload has, where the scenario says so."""
    epochs = scenario.parameters.get("epochs")
    return epochs if isinstance(epochs, int) else None
