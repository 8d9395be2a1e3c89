"""A block of the program that is running, measured: cold ► the block ► idle, by the protocol of `terrawatt measure`.

What a fresh process for each repetition gives cannot be had inside one: there is one repetition and no warm-up, and
what the program did before is in its caches and its memory. The rest is the same: the machine's lock, a sampler and
CodeCarbon as processes of their own, and a run folder that says how far it came.
"""

import os
import shlex
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from terrawatt.config import Settings
from terrawatt.errors import ProtocolError
from terrawatt.experiment.arrivals import arrivals
from terrawatt.experiment.beginning import Circumstances, first_manifest, reading_after_s
from terrawatt.experiment.emissions import EmissionsTracker
from terrawatt.experiment.forwarding import forward_at_end
from terrawatt.experiment.lock import MachineLock
from terrawatt.experiment.preflight import check_space, check_store, discard_unused, make_folders
from terrawatt.experiment.record import Recorder
from terrawatt.experiment.sampling import SamplerWatch
from terrawatt.records import ExecutionResult, Phase, PhaseName, Scalar, Scenario, Window
from terrawatt.runs.calibration import calibrated
from terrawatt.runs.environment import PHASES_VARIABLE
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.manifest import write_manifest
from terrawatt.runs.status import RepetitionStatus, State
from terrawatt.telemetry.process import SamplerProcess, SamplerReport
from terrawatt.units import format_duration

_TICK_S = 1.0  # how often the sampler is looked after
_ONLY = 1  # the number of the repetition


@contextmanager
def measured_block(
    settings: Settings, parameters: Mapping[str, Scalar], say: Callable[[str], None], storage_path: Path | None = None
) -> Iterator[RunFolder]:
    """Measure the block of a `with` statement; gives its run folder.

    The protocol's cold_s, latency_s and idle_after_s hold. A block that raises is a repetition that failed.

    Args:
        settings: in force.
        parameters: of the scenario; empty: the program's command line.
        say: takes a line for the user.
        storage_path: the run's folder; None: the next one of the results folder.

    Raises:
        ProtocolError: the program is measured already, another run holds the machine, the disk is full, or the sampler
            does not start or is gone for good.
        RunFolderError: the run's folder cannot be made, or holds a run already.
        ConfigError: the database's address is wrong, or CodeCarbon does not know the country.
        StoreError: the database refuses.
    """
    if os.environ.get(PHASES_VARIABLE):
        raise ProtocolError("this program is measured already; mark its parts with terrawatt.phase instead")
    settings = _for_one_block(settings)
    if remark := check_store(settings):
        say(remark)
    with MachineLock(settings.experiment.lock) as lock:
        lock.acquire()
        experiment = settings.experiment
        check_space(storage_path or experiment.results)
        folder = make_folders(storage_path, experiment.results, experiment.name, 1)[0]
        lock.note(folder.run_path.absolute())
        recorder = Recorder(folder, _ONLY)
        try:
            with _processes(settings, folder) as (sampler, emissions, scratch):
                block = _Block(settings, _scenario(parameters), recorder, emissions, say, scratch / "phases.jsonl")
                with block.recorded(sampler):
                    yield folder
        except BaseException as error:
            recorder.close(_state(error), _in_words(error))
            discard_unused([folder], given=storage_path is not None)
            raise
        recorder.close(State.DONE)
        forward_at_end([folder], settings.store, say)


@contextmanager
def _processes(settings: Settings, folder: RunFolder) -> Iterator[tuple[SamplerProcess, EmissionsTracker, Path]]:
    """What runs beside the block, and a folder for what is not kept."""
    with (
        tempfile.TemporaryDirectory(prefix="terrawatt-", ignore_cleanup_errors=True) as scratch,
        EmissionsTracker(settings.emissions, settings.experiment.name, Path(scratch)) as emissions,
        SamplerProcess(settings, folder.telemetry, folder.log) as sampler,
    ):
        yield sampler, emissions, Path(scratch)


@dataclass(frozen=True, slots=True)
class _Block:
    """Records the steps; `reported` is the file in which the block reports its phases."""

    settings: Settings
    scenario: Scenario
    recorder: Recorder
    emissions: EmissionsTracker
    say: Callable[[str], None]
    reported: Path

    @contextmanager
    def recorded(self, sampler: SamplerProcess) -> Iterator[None]:
        """Cold, the block, idle."""
        report = self._begin(sampler.start())
        with _watched(sampler, self._tell):
            self._idle(PhaseName.COLD, self.settings.protocol.cold_s)
            with self._window():
                yield
            self._idle(PhaseName.IDLE, self.settings.protocol.idle_after_s)
            self._await_last_readings(report)

    def _begin(self, report: SamplerReport) -> SamplerReport:
        """Write the manifest; tells what is sampled, and what is missing."""
        settings, folder = self.settings, self.recorder.folder
        sources, remarks = calibrated(report.sources, settings.experiment.results, report.host)
        report = replace(report, sources=sources)
        now = Circumstances(settings, report, folder.telemetry, self.emissions.description(), working_folder="")
        write_manifest(folder.manifest, first_manifest(folder, self.scenario, now))
        self.recorder.set_state(State.RUNNING)
        kinds = (f"{one.name}{' (estimated, not measured)' if one.is_estimate else ''}" for one in sources)
        self._tell(f"power: {', '.join(kinds) or 'no source'}")
        for line in (*remarks, *(f"no {quantity}: {reason}" for quantity, reason in report.missing.items())):
            self._tell(line)
        return report

    def _tell(self, line: str) -> None:
        self.recorder.log(line)
        self.say(line)

    def _idle(self, name: PhaseName, duration_s: float) -> None:
        if name is PhaseName.IDLE and not duration_s:
            return
        self.say(f"{name}: {format_duration(duration_s)}")
        start_ns = time.time_ns()
        time.sleep(duration_s)
        self.recorder.add(Phase(name, Window(start_ns, max(time.time_ns(), start_ns + 1))))

    @contextmanager
    def _window(self) -> Iterator[None]:
        """The block itself, with what it and its children report of it."""
        self.recorder.set_repetition(RepetitionStatus(_ONLY, State.RUNNING))
        self.emissions.start()
        os.environ[PHASES_VARIABLE] = str(self.reported)
        state, result = State.DONE, ExecutionResult(0)
        start_ns = time.time_ns()
        try:
            yield
        except BaseException as error:
            state, result = _state(error), ExecutionResult(None, reason=_in_words(error))
            raise
        finally:
            end_ns = time.time_ns()
            del os.environ[PHASES_VARIABLE]
            self._record(start_ns, end_ns, state, result)

    def _record(self, start_ns: int, end_ns: int, state: State, result: ExecutionResult) -> None:
        """Write the window, the phases inside it, and how it ended."""
        recorder = self.recorder
        reason = self.emissions.stop(recorder.folder.emissions_of(_ONLY))
        if reason and self.emissions.enabled:
            recorder.note_missing_emissions(_ONLY, reason)
        if end_ns > start_ns:
            window = Window(start_ns, end_ns)
            inner = recorder.reported(self.reported, _ONLY, window)
            recorder.add(Phase(PhaseName.REPETITION, window, _ONLY), inner)
        else:
            state = State.FAILED
            result = ExecutionResult(None, reason="the clock was set back while it ran; no window can be told")
        recorder.set_repetition(RepetitionStatus(_ONLY, state, result))

    def _await_last_readings(self, report: SamplerReport) -> None:
        """Let each series have a reading on the far side of the window."""
        awaited = arrivals(self.recorder.folder, report)
        if awaited is None:
            time.sleep(max(reading_after_s(report) - self.settings.protocol.idle_after_s, 0.0))
        elif missing := awaited.wait(time.time_ns(), time.sleep):
            self._tell(f"no reading of {', '.join(map(str, missing))} has come in {awaited.patience_s:.0f} s")


@contextmanager
def _watched(sampler: SamplerProcess, tell: Callable[[str], None]) -> Iterator[None]:
    """Look after the sampler from a thread, which has nothing else to do and sleeps.

    Raises:
        ProtocolError: at the end of the block: the sampler was gone for good.
    """
    watch, ended, failures = SamplerWatch(sampler, tell), threading.Event(), list[ProtocolError]()

    def look() -> None:
        try:
            while not ended.wait(_TICK_S):
                watch.check()
        except ProtocolError as error:
            failures.append(error)

    thread = threading.Thread(target=look, name="sampler-watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        watch.settle()
    if failures:
        raise failures[0]


def _for_one_block(settings: Settings) -> Settings:
    """The settings with the protocol that is carried out."""
    once = {"warmup": 0, "repetitions": 1, "min_window_s": 0.0, "pause_s": 0.0, "until_ci_percent": 0.0}
    return settings.model_copy(update={"protocol": settings.protocol.model_copy(update=once)})


def _scenario(parameters: Mapping[str, Scalar]) -> Scenario:
    command = tuple(sys.orig_argv) or (sys.executable,)
    seed = parameters.get("seed")
    return Scenario(
        parameters=dict(parameters) or {"command": shlex.join(command)},
        command=command,
        seed=seed if isinstance(seed, int) else None,
    )


def _state(error: BaseException) -> State:
    """That of a block which raised: what is no `Exception` is a wish to end, as Ctrl-C is."""
    return State.FAILED if isinstance(error, Exception) else State.INTERRUPTED


def _in_words(error: BaseException) -> str:
    """In one line: `ValueError: too few images`."""
    return ": ".join((type(error).__name__, *str(error).splitlines()[:1]))
