"""Several processes that train together, started, awaited and ended as one.

torchrun would start them in sessions of their own, where neither a measured run's kill nor Ctrl-C reaches them, and
would itself load torch; so they are started here. They stay in this process's group, and die with it.
"""

import ctypes
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType

from terrawatt.errors import TerrawattError, TrainingError, UsageError

_GRACE_S = 5.0  # between SIGTERM and SIGKILL
_STOPS = (signal.SIGTERM, signal.SIGHUP)
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a rank failed, as it wrote it down itself.

    Attributes:
        t_ns: when; the first failure is the cause of the others.
        exit_code: of the error.
        message: in one line.
        details: the traceback of an error that nobody expected; else empty.
    """

    t_ns: int
    exit_code: int
    message: str
    details: str = ""

    @classmethod
    def of(cls, error: BaseException) -> "Failure":
        """Of an error that was raised just now."""
        t_ns, line = time.time_ns(), " ".join(str(error).split())
        if isinstance(error, TerrawattError):
            return cls(t_ns, error.exit_code, line)
        return cls(t_ns, 1, f"{type(error).__name__}: {line}", "".join(traceback.format_exception(error)))

    def write(self, folder: Path, rank: int) -> None:
        """Leave it where `run_ranks` looks for it."""
        _failure_path(folder, rank).write_text(json.dumps(asdict(self)), encoding="utf-8")


class _StoppedError(BaseException):
    """A stop signal came; like KeyboardInterrupt no `Exception`."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def run_ranks(commands: Sequence[Sequence[str]], folder: Path) -> None:
    """Run one process a rank; when one fails, the others are ended. It belongs to the main thread.

    Args:
        commands: argv of each rank.
        folder: where a rank that fails writes its `Failure`.

    Raises:
        TrainingError, UsageError: a rank failed; names the one that was first.
    """
    processes: list[subprocess.Popen[bytes]] = []
    try:
        with _stop_signals_raise():
            processes.extend(_started(commands))
            codes, ended_here = _await_all(processes)
    except _StoppedError as stopped:
        _end(processes)
        signal.raise_signal(stopped.number)  # now with its former action: who started this process sees how it ended
        raise
    except BaseException:
        _end(processes)
        raise
    if any(codes.values()):
        error, details = _explained(codes, ended_here, folder, len(commands))
        raise error from (RuntimeError(details) if details else None)


def die_with(parent: int) -> None:
    """End this process when its parent ends, however that ends (Linux); at once where it is gone already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


@contextmanager
def _stop_signals_raise() -> Iterator[None]:
    """SIGTERM and SIGHUP raise while the block runs, where they would end this process at once."""

    def stop(number: int, _frame: FrameType | None) -> None:
        raise _StoppedError(number)

    before = {number: signal.signal(number, stop) for number in _STOPS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _started(commands: Sequence[Sequence[str]]) -> Iterator["subprocess.Popen[bytes]"]:
    """The processes, each deaf to Ctrl-C, which comes to the whole group: this process ends them."""
    for command in commands:
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # the new process inherits it
        try:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        yield process


def _await_all(processes: Sequence["subprocess.Popen[bytes]"]) -> tuple[dict[int, int], set[int]]:
    """Wait for all, or for the first that fails, and then end the others.

    Returns:
        rank -> exit code as subprocess gives it, in the order of their ends; and which ranks a signal from here ended.
    """
    ended: queue.SimpleQueue[tuple[int, int]] = queue.SimpleQueue()

    def wait(rank: int) -> None:
        ended.put((rank, processes[rank].wait()))

    for rank in range(len(processes)):  # threads that sleep: nothing runs beside the training
        threading.Thread(target=wait, args=(rank,), daemon=True).start()
    codes: dict[int, int] = {}
    while len(codes) < len(processes):
        rank, code = ended.get()
        codes[rank] = code
        if code:
            sent = _end(processes)
            codes |= dict(ended.get() for _ in range(len(processes) - len(codes)))
            return codes, {rank for rank, code in codes.items() if -code in sent.get(rank, ())}
    return codes, set()


def _end(processes: Sequence["subprocess.Popen[bytes]"]) -> dict[int, list[int]]:
    """End those that still run: asked first, forced after the grace time.

    Returns:
        rank -> the signals that it was sent.
    """
    sent: dict[int, list[int]] = {}
    for number in (signal.SIGTERM, signal.SIGKILL):
        running = {rank: process for rank, process in enumerate(processes) if process.returncode is None}
        for rank, process in running.items():
            process.send_signal(number)
            sent.setdefault(rank, []).append(number)
        deadline_s = time.monotonic() + _GRACE_S
        for process in running.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(deadline_s - time.monotonic(), 0.0))
    return sent


def _explained(codes: Mapping[int, int], ended_here: set[int], folder: Path, size: int) -> tuple[TerrawattError, str]:
    """The error of the rank that failed first, and its traceback where nobody expected it.

    A rank killed by a signal writes nothing, but the others lose their connections to it and write that; so a kill
    counts before what was written, and of that the earliest.
    """
    failed = [rank for rank, code in codes.items() if code and rank not in ended_here]
    written = {rank: failure for rank in codes if (failure := _read_failure(folder, rank))}
    killed = [rank for rank in failed if codes[rank] < 0]
    if killed or not written:
        rank = (killed or failed)[0]
        return TrainingError(f"rank {rank} of {size}: {_in_words(codes[rank])}"), ""
    rank = min(written, key=lambda rank: written[rank].t_ns)
    failure = written[rank]
    kind = UsageError if failure.exit_code == UsageError.exit_code else TrainingError
    return kind(f"rank {rank} of {size}: {failure.message}"), failure.details


def _failure_path(folder: Path, rank: int) -> Path:
    return folder / f"failure_{rank}.json"


def _read_failure(folder: Path, rank: int) -> Failure | None:
    try:
        return Failure(**json.loads(_failure_path(folder, rank).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None  # it wrote none, or was killed while it did


def _in_words(code: int) -> str:
    if code > 0:
        return f"exit code {code}"
    name = signal.Signals(-code).name if -code in signal.valid_signals() else f"signal {-code}"
    return f"killed by {name}" + (
        "; probably out of memory: try a smaller batch, or see the kernel's log" if code == -signal.SIGKILL else ""
    )
