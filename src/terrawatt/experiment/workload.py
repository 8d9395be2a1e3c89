"""One window: the workload is started, watched and waited for, and nothing else happens.

Each execution is a fresh process in a session of its own, so that it and all that it starts can be ended together. Its
output goes straight into the log file: a pipe could fill and block it.
"""

import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from terrawatt.experiment.guard import Guard
from terrawatt.experiment.logtail import last_lines
from terrawatt.experiment.waiting import Wakeup
from terrawatt.records import ExecutionResult

TICK_S = 1.0  # how often the runner looks up from waiting
GRACE_S = 10.0  # between SIGTERM and SIGKILL
_TAIL_LINES = 5


@dataclass(frozen=True, slots=True)
class Execution:
    """What happened in a window.

    Attributes:
        start_ns: right before the first process was started.
        end_ns: right after the last one had ended.
        executions: how often the command ran.
        result: how the last one ended.
        interrupted: a stop signal cut the window short.
        tail: the last lines that it printed, when it failed.
    """

    start_ns: int
    end_ns: int
    executions: int
    result: ExecutionResult
    interrupted: bool = False
    tail: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Executor:
    """What every execution needs.

    Attributes:
        wakeup: ends the waiting when the workload ends or the run shall end.
        guard: kills the workload when the runner is killed.
        tick: called about once a second while a workload runs; ends it, too, by raising.
    """

    wakeup: Wakeup
    guard: Guard
    tick: Callable[[], None]

    def run(
        self, command: Sequence[str], environment: Mapping[str, str], log: Path, min_window_s: float = 0.0
    ) -> Execution:
        """Run a command, again and again until the window is long enough; a failure or a stop signal ends it.

        Args:
            command: argv.
            environment: all variables of the workload.
            log: the file that its stdout and stderr are appended to.
            min_window_s: how long the window lasts at least.
        """
        ends: list[_Ended] = []
        with log.open("ab") as output:
            offset = output.tell()
            start_ns, began_s = time.time_ns(), time.monotonic()
            while True:
                ends.append(ended := self._once(command, environment, output.fileno()))
                # By the monotonic clock: the other may be set meanwhile, back by an hour.
                is_long_enough = time.monotonic() - began_s >= min_window_s
                if ended.code != 0 or is_long_enough or self.wakeup.stops:
                    break
        # What fails while a stop signal comes was stopped, too: Slurm sends it to all processes of a job at once.
        interrupted = ended.terminated or (self.wakeup.stops > 0 and (ended.code != 0 or not is_long_enough))
        tail = () if ended.code == 0 else tuple(last_lines(log, _TAIL_LINES, offset))
        peak_bytes = max(end.peak_bytes for end in ends)
        result = replace(_explain(ended, tail), peak_memory_bytes=peak_bytes or None)
        if interrupted:
            result = replace(result, reason="interrupted")
        return Execution(start_ns, ended.t_ns, len(ends), result, interrupted, tail)

    def _once(self, command: Sequence[str], environment: Mapping[str, str], output: int) -> "_Ended":
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            return _Ended(time.time_ns(), None, 0, f"{command[0]} cannot be started: {error.strerror}")
        self.guard.watch(process.pid)
        try:
            ended = self._await(process)
        except BaseException:
            self._terminate(process)
            raise
        finally:
            # What it left running in the background would be measured with the next window.
            _signal_group(process.pid, signal.SIGKILL)
            self.guard.watch(0)
        return ended

    def _await(self, process: "subprocess.Popen[bytes]") -> "_Ended":
        while (ended := _poll(process)) is None:
            if self.wakeup.stops:
                return self._terminate(process)
            self.tick()
            self.wakeup.wait(TICK_S)
        return ended

    def _terminate(self, process: "subprocess.Popen[bytes]") -> "_Ended":
        """End the workload: asked first, forced after the grace time or at a second stop signal."""
        stops = self.wakeup.stops
        deadline_s = time.monotonic() + GRACE_S
        _signal_group(process.pid, signal.SIGTERM)
        while (ended := _poll(process)) is None:
            if self.wakeup.stops > stops or time.monotonic() > deadline_s:
                _signal_group(process.pid, signal.SIGKILL)
            self.wakeup.wait(0.1)
        return ended._replace(terminated=True)


class _Ended(NamedTuple):
    t_ns: int
    code: int | None  # as subprocess: negative for a signal; None: could not be started
    peak_bytes: int
    reason: str = ""
    terminated: bool = False  # by us


def _poll(process: "subprocess.Popen[bytes]") -> _Ended | None:
    """How the process ended, with the time right after; None while it runs."""
    pid, status, usage = os.wait4(process.pid, os.WNOHANG)
    if pid == 0:
        return None
    t_ns = time.time_ns()
    process.returncode = os.waitstatus_to_exitcode(status)  # subprocess itself does not see what wait4 took
    return _Ended(t_ns, process.returncode, _peak_bytes(usage.ru_maxrss))


def _peak_bytes(child_kib: int) -> int:
    """The peak memory of a child; 0 where it is not known.

    Linux lets a child begin with the peak of its parent: a smaller one of its own cannot be told from it.
    """
    own_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return child_kib * 1024 if child_kib > own_kib else 0


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return  # already gone


def _explain(ended: _Ended, tail: Sequence[str]) -> ExecutionResult:
    """The result with its reason in one line."""
    if ended.code is None:
        return ExecutionResult(None, reason=ended.reason)
    if ended.code == 0:
        return ExecutionResult(0)
    if ended.code > 0:
        return ExecutionResult(ended.code, reason=": ".join((f"exit code {ended.code}", *tail[-1:])))
    number = -ended.code
    reason = f"killed by {_signal_name(number)}"
    if number == signal.SIGKILL:
        reason += "; probably out of memory: try a smaller batch, or see the kernel's log"
    return ExecutionResult(None, signal=number, reason=reason)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
