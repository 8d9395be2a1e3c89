"""A session: sitting after sitting of a run, with one sampler, one CodeCarbon and one lock for all of them."""

import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from terrawatt.errors import RunFolderError, StoppedError, TerrawattError
from terrawatt.experiment import precision
from terrawatt.experiment.arrivals import arrivals
from terrawatt.experiment.beginning import Circumstances, reading_after_s
from terrawatt.experiment.emissions import EmissionsTracker
from terrawatt.experiment.forwarding import forward_at_end
from terrawatt.experiment.guard import Guard
from terrawatt.experiment.ledger import Ledger
from terrawatt.experiment.monitor import Monitor, Place
from terrawatt.experiment.progress import Progress
from terrawatt.experiment.protocol import Step, StepKind, gap_s, titles
from terrawatt.experiment.record import Recorder
from terrawatt.experiment.request import Outcome, Request
from terrawatt.experiment.sampling import SamplerWatch
from terrawatt.experiment.scenario_run import OnFailure, ScenarioRun, SittingEnd
from terrawatt.experiment.sitting import Sitting, all_steps
from terrawatt.experiment.waiting import Wakeup, sleep
from terrawatt.experiment.workload import TICK_S, Executor
from terrawatt.records import Order, Scenario, Window
from terrawatt.runs.calibration import calibrated
from terrawatt.runs.heartbeat import read_heartbeat, write_heartbeat
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.status import State
from terrawatt.telemetry.process import SamplerProcess, SamplerReport


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run that can begin, or go on.

    Attributes:
        request: what is run.
        run: the folder of the whole run.
        recorders: of each scenario.
        order: of the repetitions.
        sittings: what is left, in order.
        ledger: the account of what was measured before.
        begin: called when it is known what is sampled, before anything is measured; it writes the manifests.
        goes_on: whether it was begun before.
        abandon: called when such a run cannot go on; it leaves all as it was.
    """

    request: Request
    run: RunFolder
    recorders: Sequence[Recorder]
    order: Order
    sittings: Sequence[Sitting]
    ledger: Ledger
    begin: Callable[[Circumstances], None]
    goes_on: bool = False
    abandon: Callable[[], None] = lambda: None

    @property
    def store(self) -> Path:
        """The file of the series."""
        return self.run.path / "telemetry.sqlite"


def carry_out(prepared: Prepared, progress: Progress, wakeup: Wakeup) -> Outcome:
    """Measure what is left of a run; whatever happens, its folders are closed in order.

    Raises:
        TerrawattError, OSError: what ended it before its end.
    """
    course = _Course()
    try:
        if prepared.sittings:
            _measure(prepared, progress, wakeup, course)
        _close(prepared, course.ends)
    except (TerrawattError, OSError) as error:
        with suppress(OSError):  # the disk may be full
            if course.has_begun or not prepared.goes_on:
                _close_after(error, prepared)
            else:
                prepared.abandon()
        raise
    finally:
        folders = [recorder.folder for recorder in prepared.recorders]
        forward_at_end(folders, prepared.request.settings.store, progress.say)
    statuses = {one.folder.path: one.status for one in prepared.recorders if one.status.state is not State.PENDING}
    return Outcome(prepared.run.path, statuses)


@dataclass(slots=True)
class _Course:
    """How a session goes: whether it has begun, and scenario -> why it ended before its end."""

    has_begun: bool = False
    ends: dict[int, str] = field(default_factory=dict)


def _measure(prepared: Prepared, progress: Progress, wakeup: Wakeup, course: _Course) -> None:
    """Start what all sittings share, and go through them."""
    request = prepared.request
    _tell_order(prepared, progress)
    with (
        tempfile.TemporaryDirectory(prefix="terrawatt-", ignore_cleanup_errors=True) as scratch,
        Guard(Path(scratch)) as guard,
        EmissionsTracker(request.settings.emissions, request.settings.experiment.name, Path(scratch)) as emissions,
        SamplerProcess(request.settings, prepared.store, prepared.run.log) as sampler,
    ):
        report = sampler.start()
        sources, remarks = calibrated(report.sources, request.settings.experiment.results, report.host)
        report = replace(report, sources=sources)
        now = Circumstances(
            settings=request.settings,
            report=report,
            store=prepared.store,
            emissions=emissions.description(),
            data=request.data,
            order=prepared.order,
            options=request.options,
        )
        prepared.begin(now)
        course.has_begun = True
        _tell_what_is_sampled(prepared, progress, report, remarks)
        session = _Session(
            prepared=prepared,
            progress=progress,
            wakeup=wakeup,
            guard=guard,
            emissions=emissions,
            report=report,
            reported=Path(scratch) / "phases.jsonl",
            titles=titles(request.scenarios),
            at=prepared.sittings[0].scenario - 1,
        )
        watch = SamplerWatch(sampler, session.tell)
        try:
            session.go_through(watch, course.ends)
        finally:
            watch.settle()


@dataclass(slots=True)
class _Session:
    """What the sittings share; `at` is the position of the scenario whose turn it is."""

    prepared: Prepared
    progress: Progress
    wakeup: Wakeup
    guard: Guard
    emissions: EmissionsTracker
    report: SamplerReport
    reported: Path  # the file in which the workload reports its phases
    titles: Sequence[str]  # each scenario in words
    at: int

    def go_through(self, watch: SamplerWatch, ends: dict[int, str]) -> None:
        """Sitting after sitting, then wait for the last readings."""
        prepared = self.prepared
        all_of_them = all_steps(prepared.request.settings.protocol, prepared.sittings, prepared.order)
        prepared.ledger.plan(prepared.sittings, all_of_them)
        idle: Window | None = None
        for sitting, steps in zip(prepared.sittings, all_of_them, strict=True):
            prepared.ledger.begin()
            if sitting.scenario in ends or self._is_needless(sitting):
                continue
            end = self._sit(watch, sitting, self._with_cold(steps, idle), idle)
            idle = end.idle
            if end.reason:
                ends[sitting.scenario] = end.reason
                if prepared.request.on_failure is OnFailure.STOP:
                    break
        self._await_last_readings(watch, has_been_idle=idle is not None)

    def tell(self, line: str) -> None:
        """Tell the user, and the log of the scenario whose turn it is."""
        self.prepared.recorders[self.at].log(line)
        self.progress.say(line)

    def _is_needless(self, sitting: Sitting) -> bool:
        """Whether the repetitions before are enough."""
        planned = {entry.repetition for entry in self.prepared.recorders[sitting.scenario - 1].status.repetitions}
        return planned.isdisjoint(sitting.repetitions)

    def _with_cold(self, steps: tuple[Step, ...], idle: Window | None) -> tuple[Step, ...]:
        """The steps, with a cold period of their own where the sitting before left none."""
        if idle is not None or steps[0].kind is StepKind.COLD:
            return steps
        return (Step(StepKind.COLD, duration_s=gap_s(self.prepared.request.settings.protocol)), *steps)

    def _sit(self, watch: SamplerWatch, sitting: Sitting, steps: tuple[Step, ...], cold: Window | None) -> SittingEnd:
        prepared, request, index = self.prepared, self.prepared.request, sitting.scenario - 1
        is_new = self.at != index
        self.at = index
        if prepared.order is Order.SEQUENTIAL and is_new:
            self.progress.say(_headline(index, self.titles))
        place = Place(
            sitting=sitting,
            steps=steps,
            scenarios=len(self.titles),
            title=self.titles[index],
            epochs=_epochs(request.scenarios[index]),
            source=self.report.sources[0].name if self.report.sources else "no power source",
            protocol=request.settings.protocol,
        )
        monitor = Monitor(place, watch, self.progress, self.reported, prepared.ledger, prepared.run.heartbeat)
        recorder = prepared.recorders[index]
        return ScenarioRun(
            scenario=request.scenarios[index],
            place=place,
            recorder=recorder,
            emissions=self.emissions,
            executor=Executor(self.wakeup, self.guard, monitor.tick),
            monitor=monitor,
            say=self.progress.say,
            reported=self.reported,
            on_failure=request.on_failure,
            reading_after_s=reading_after_s(self.report),
            is_one_of_many=prepared.order is not Order.SEQUENTIAL,
            cold=cold,
            precision=precision.watch(recorder.folder, self.report.sources, request.settings.protocol),
        ).carry_out()

    def _await_last_readings(self, watch: SamplerWatch, *, has_been_idle: bool) -> None:
        """Let each series have a reading on the far side of the last window."""

        def let_pass(duration_s: float) -> None:
            sleep(duration_s, self.wakeup, watch.check, TICK_S)

        awaited = arrivals(self.prepared.recorders[self.at].folder, self.report)
        if awaited is None:
            idle_s = self.prepared.request.settings.protocol.idle_after_s if has_been_idle else 0.0
            let_pass(reading_after_s(self.report) - idle_s)
        elif missing := awaited.wait(time.time_ns(), let_pass):
            self.tell(
                f"no reading of {', '.join(map(str, missing))} has come in {awaited.patience_s:.0f} s; the "
                "summary looks for them in the database"
            )


def _headline(index: int, titles: Sequence[str]) -> str:
    return f"scenario {index + 1} of {len(titles)}: {titles[index]}"


def _tell_order(prepared: Prepared, progress: Progress) -> None:
    """Say what will be measured."""
    request, first = prepared.request, prepared.sittings[0]
    if prepared.order is Order.SEQUENTIAL:
        progress.say(_headline(first.scenario - 1, titles(request.scenarios)))
        return
    left = sum(len(sitting.repetitions) for sitting in prepared.sittings)
    progress.say(
        f"{len(request.scenarios)} scenarios of {request.settings.protocol.planned_repetitions} repetitions, "
        f"{prepared.order}{f': {left} of {prepared.ledger.repetitions} are left' if prepared.goes_on else ''}"
    )


def _tell_what_is_sampled(
    prepared: Prepared, progress: Progress, report: SamplerReport, remarks: Sequence[str]
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
        progress.say(line)
        for recorder in prepared.recorders:
            recorder.log(line)


def _close(prepared: Prepared, ends: dict[int, str]) -> None:
    """Record how each scenario ended, and seal its files."""
    for number, recorder in enumerate(prepared.recorders, start=1):
        if number in ends:
            recorder.close(State.FAILED, ends[number])
        elif not recorder.is_over and recorder.status.state is State.RUNNING:
            recorder.close(State.INTERRUPTED, "the run was stopped before its end, since another scenario failed")
        elif not recorder.is_over:
            recorder.seal()
        else:
            recorder.close(*recorder.conclusion())
    states = [recorder.status.state for recorder in prepared.recorders]
    _last_beat(prepared, State.DONE if all(state is State.DONE for state in states) else State.FAILED)


def _close_after(error: TerrawattError | OSError, prepared: Prepared) -> None:
    """Record of each scenario that was begun that an error ended it, and seal its files."""
    state = State.INTERRUPTED if isinstance(error, StoppedError) else State.FAILED
    has_begun = any(recorder.status.state is not State.PENDING for recorder in prepared.recorders)
    for recorder in prepared.recorders:
        if recorder.is_over:
            recorder.close(*recorder.conclusion())
        elif has_begun and recorder.status.state is State.PENDING:
            recorder.seal()
        else:
            recorder.close(state, str(error))
    _last_beat(prepared, state)


def _last_beat(prepared: Prepared, state: State) -> None:
    """Say that nobody measures any more."""
    with suppress(RunFolderError):
        beat = read_heartbeat(prepared.run.heartbeat)
        ledger = prepared.ledger
        last = replace(
            beat,
            t_ns=time.time_ns(),
            state=state,
            repetition=0,
            step="",
            done=ledger.done,
            failed=ledger.failed,
            power_w=None,
            energy_j=ledger.energy_j,
            left_s=0.0 if state is State.DONE else beat.left_s,
            left_j=0.0 if state is State.DONE else beat.left_j,
        )
        write_heartbeat(prepared.run.heartbeat, last)


def _epochs(scenario: Scenario) -> int | None:
    """How many epochs the workload has, where the scenario says so."""
    epochs = scenario.parameters.get("epochs")
    return epochs if isinstance(epochs, int) else None
