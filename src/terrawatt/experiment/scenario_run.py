"""One sitting of a scenario carried out: its steps, each recorded in the run folder when it ends."""

import os
import shlex
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from terrawatt.experiment.emissions import EmissionsTracker
from terrawatt.experiment.monitor import Monitor, Place
from terrawatt.experiment.precision import PrecisionWatch
from terrawatt.experiment.protocol import Step, StepKind, fill
from terrawatt.experiment.record import Recorder
from terrawatt.experiment.waiting import sleep
from terrawatt.experiment.workload import TICK_S, Execution, Executor
from terrawatt.records import ExecutionResult, Phase, PhaseName, Scenario, Window
from terrawatt.runs.atomic import sync
from terrawatt.runs.phases import PHASES_VARIABLE
from terrawatt.runs.status import RepetitionStatus, State
from terrawatt.units import format_duration, ns_to_s, with_si_prefix

WARM_UP_FOLDER = ".warm-up"
_LOOKS = 6  # for a reading behind the last window, half the time apart in which it should come


class OnFailure(StrEnum):
    """What happens after a repetition that failed."""

    CONTINUE = "continue"  # with the next repetition
    STOP = "stop"  # no further repetition or scenario


@dataclass(frozen=True, slots=True)
class SittingEnd:
    """How a sitting ended.

    Attributes:
        reason: why the scenario must not go on; empty: it may.
        idle: the idle period after it, which is the cold period of the next; None: there was none.
    """

    reason: str = ""
    idle: Window | None = None


@dataclass(frozen=True, slots=True)
class ScenarioRun:
    """Carries out one sitting of a scenario.

    Attributes:
        scenario: what is run.
        place: where the sitting stands in the run, its steps, and the protocol.
        recorder: its run folder.
        emissions: CodeCarbon's tracker.
        executor: runs the workload.
        monitor: looks after the sampler and the user.
        say: tells the user a line.
        reported: the file in which the workload reports its phases.
        on_failure: what happens after a repetition that failed.
        reading_after_s: how long it takes after a window until each series has a reading on its far side.
        is_one_of_many: the sitting is one of many short ones, each of which is worth one line to the user.
        cold: the idle period before, where the sitting before had it; None: it is a step of this one.
        precision: ends the repetitions when the interval is narrow; None: their number is fixed.
    """

    scenario: Scenario
    place: Place
    recorder: Recorder
    emissions: EmissionsTracker
    executor: Executor
    monitor: Monitor
    say: Callable[[str], None]
    reported: Path
    on_failure: OnFailure
    reading_after_s: float
    is_one_of_many: bool = False
    cold: Window | None = None
    precision: PrecisionWatch | None = None

    def carry_out(self) -> SittingEnd:
        """Go through all steps.

        Raises:
            StoppedError: a stop signal came.
            ProtocolError: the sampler is gone for good.
        """
        if self.recorder.status.state is not State.RUNNING:
            self.recorder.set_state(State.RUNNING)
        if self.cold is not None:
            self._add(PhaseName.COLD, self.cold)
        is_enough, idle = False, None
        for index, step in enumerate(self.place.steps):
            if is_enough and step.kind in (StepKind.PAUSE, StepKind.REPETITION):
                continue
            self.monitor.begin(index)
            if step.kind in (StepKind.COLD, StepKind.IDLE):
                idle = self._idle(step)
            elif reason := self._step(step):
                return SittingEnd(reason)
            self._keep_readings()
            if step.kind is StepKind.REPETITION:
                is_enough = self._is_enough(step.number)
        return SittingEnd(idle=idle if self.place.steps[-1].kind is StepKind.IDLE else None)

    def _keep_readings(self) -> None:
        """See that a power cut costs none of the readings so far: the store itself waits for the disk seldom."""
        store = self.recorder.folder.telemetry
        sync(store.with_name(f"{store.name}-wal"))

    def _step(self, step: Step) -> str:
        """Do one step. Returns why the scenario cannot go on, or nothing."""
        match step.kind:
            case StepKind.PAUSE:
                self._sleep(step.duration_s or 0.0)
            case StepKind.WARMUP:
                return self._warm_up(step)
            case StepKind.REPETITION:
                return self._repeat(step)
        return ""

    def _sleep(self, duration_s: float) -> None:
        sleep(duration_s, self.executor.wakeup, self.monitor.tick, TICK_S)

    def _idle(self, step: Step) -> Window:
        name = PhaseName.COLD if step.kind is StepKind.COLD else PhaseName.IDLE
        self._tell_step(f"{name}: {format_duration(step.duration_s or 0.0)}")
        start_ns = time.time_ns()
        self._sleep(step.duration_s or 0.0)
        window = Window(start_ns, time.time_ns())
        self._add(name, window)
        return window

    def _add(self, name: PhaseName, window: Window) -> None:
        self.recorder.add(Phase(name, window, sitting=self.place.sitting.number))

    def _warm_up(self, step: Step) -> str:
        """Execute once into a folder that is thrown away, on the same disk as the output that is kept."""
        output = self.recorder.folder.path / WARM_UP_FOLDER
        output.mkdir()
        try:
            execution = self._execute(step, output, repetition=1, min_window_s=0.0)
        finally:
            shutil.rmtree(output, ignore_errors=True)
        self.executor.wakeup.check()
        if not execution.result.succeeded:
            self._tell_failure(f"warm-up {step.number}", execution.result, execution)
            return f"warm-up {step.number} failed: {execution.result.reason}"
        self._add(PhaseName.WARMUP, Window(execution.start_ns, execution.end_ns))
        self._tell_step(f"warm-up {step.number} of {self.place.of_kind(step)}: {_duration(execution)}")
        return ""

    def _repeat(self, step: Step) -> str:
        number, folder = step.number, self.recorder.folder
        self.recorder.set_repetition(RepetitionStatus(number, State.RUNNING))
        self.emissions.start()
        execution = self._execute(step, folder.output, number, self.place.protocol.min_window_s)
        if reason := self.emissions.stop(folder.emissions_of(number)):
            self._note_missing_emissions(number, reason)
        result = self._record(number, execution)
        self.executor.wakeup.check()
        if result.succeeded:
            self._tell_success(number, execution)
            return ""
        self._tell_failure(f"repetition {number} of {self._of}", result, execution)
        if self.on_failure is OnFailure.STOP:
            return f"repetition {number} failed: {result.reason}; stopped there, as --on-failure stop asks"
        return ""

    def _is_enough(self, number: int) -> bool:
        """Whether the interval is narrow, so that no further repetition is needed; tells the user how narrow it is."""
        if self.precision is None:
            return False
        self._await_reading(self.precision)
        done = {entry.repetition for entry in self.recorder.status.repetitions if entry.state is State.DONE}
        found = self.precision.judge(done)
        line = found.in_words(self.precision.target)
        if found.is_enough:
            self.monitor.spared(self.recorder.drop_pending())
            line += f": {number} repetitions are enough"
        elif number == self.place.protocol.planned_repetitions:
            line += f": not as narrow as asked, but {number} repetitions are the most"
        if found.n > 1 or found.reason:
            self.recorder.log(line)
            self.say(line)
        return found.is_enough

    def _await_reading(self, precision: PrecisionWatch) -> None:
        """Wait until the main source has been read behind the window, but not for a source that has gone silent."""
        end_ns = time.time_ns()
        for _ in range(_LOOKS):
            self._sleep(self.reading_after_s / 2)
            if precision.has_reading_after(end_ns):
                return

    def _execute(self, step: Step, output: Path, repetition: int, min_window_s: float) -> Execution:
        command = fill(self.scenario.command, self.scenario, repetition, output.absolute())
        self.reported.unlink(missing_ok=True)
        self.recorder.log(f"{step.kind} {step.number}: {shlex.join(command)}")
        execution = self.executor.run(command, self._environment(), self.recorder.folder.log, min_window_s)
        times = "once" if execution.executions == 1 else f"{execution.executions} times"
        how = execution.result.reason or "exit code 0"
        self.recorder.log(f"{step.kind} {step.number}: executed {times}, {_duration(execution)}: {how}")
        if execution.result.succeeded:
            self.monitor.executed(_duration_s(execution) / execution.executions)
        return execution

    def _environment(self) -> Mapping[str, str]:
        return os.environ | {PHASES_VARIABLE: str(self.reported)}

    def _record(self, number: int, execution: Execution) -> ExecutionResult:
        """Write the repetition's window, the phases that the workload reported inside it, and how it ended."""
        result = execution.result
        if execution.end_ns > execution.start_ns:
            window = Window(execution.start_ns, execution.end_ns)
            sitting = self.place.sitting.number
            inner = [replace(phase, sitting=sitting) for phase in self.recorder.reported(self.reported, number, window)]
            phase = Phase(PhaseName.REPETITION, window, number, executions=execution.executions, sitting=sitting)
            self.recorder.add(phase, inner)
        else:
            result = ExecutionResult(None, reason="the clock was set back while it ran; no window can be told")
        state = State.DONE if result.succeeded else State.FAILED
        if execution.interrupted:
            state = State.INTERRUPTED
        self.recorder.set_repetition(RepetitionStatus(number, state, result))
        if not execution.interrupted:
            self.monitor.ended(succeeded=result.succeeded)
        return result

    @property
    def _of(self) -> str:
        """How many repetitions there are: `10`, or `at most 50`."""
        return f"{'' if self.precision is None else 'at most '}{self.place.protocol.planned_repetitions}"

    @property
    def _where(self) -> str:
        """The scenario, where those before and after are others."""
        place = self.place
        return f"scenario {place.sitting.scenario}, {place.title}: " if self.is_one_of_many else ""

    def _note_missing_emissions(self, number: int, reason: str) -> None:
        if self.emissions.enabled:
            self.recorder.note_missing_emissions(number, reason)
            self.say(f"repetition {number}: no emissions: {reason}")

    def _tell_success(self, number: int, execution: Execution) -> None:
        energy = self.monitor.energy.energy_j
        about = f", about {with_si_prefix(energy, 'J')} gross ({self.place.source})" if energy else ""
        times = f" in {execution.executions} executions" if execution.executions > 1 else ""
        self.say(f"{self._where}repetition {number} of {self._of}: {_duration(execution)}{times}{about}")

    def _tell_step(self, line: str) -> None:
        if not self.is_one_of_many:
            self.say(line)

    def _tell_failure(self, what: str, result: ExecutionResult, execution: Execution) -> None:
        self.say(f"{self._where}{what} failed: {result.reason}")
        for line in execution.tail:
            self.say(f"  | {line}")


def _duration(execution: Execution) -> str:
    duration_s = _duration_s(execution)
    return f"{duration_s:.2f} s" if duration_s < 60 else format_duration(duration_s)


def _duration_s(execution: Execution) -> float:
    return ns_to_s(execution.end_ns - execution.start_ns)
