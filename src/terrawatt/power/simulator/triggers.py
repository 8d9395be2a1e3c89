"""What raises the power of a simulated plug: a file that exists, or a command that runs on this machine."""

import shlex
import time
from pathlib import Path

import psutil

from terrawatt.errors import UsageError

_YOUNG_S = 0.5  # so long after its birth a process may still become another program


class BusyFile:
    """On while a file exists."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __call__(self) -> bool:
        """Whether it exists now."""
        return self._file.exists()


class BusyCommand:
    """On while a process with exactly this command line runs; the folder of its program does not matter."""

    def __init__(self, command: str) -> None:
        """Raises UsageError when there is no command."""
        words = shlex.split(command)
        if not words:
            raise UsageError("--busy-while: give the command")
        self._wanted = [Path(words[0]).name, *words[1:]]
        self._known: dict[int, float] = {}  # process -> when it was first seen
        self._running: set[int] = set()

    def __call__(self) -> bool:
        """Whether one runs now. Only young processes are looked at, so that it costs little."""
        now_s = time.monotonic()
        present = set(psutil.pids())
        self._known = {pid: seen_s for pid, seen_s in self._known.items() if pid in present}
        self._running = {pid for pid in self._running & present if self._is_wanted(pid)}
        for pid in present - self._running:
            if now_s - self._known.setdefault(pid, now_s) <= _YOUNG_S and self._is_wanted(pid):
                self._running.add(pid)
        return bool(self._running)

    def _is_wanted(self, pid: int) -> bool:
        try:
            process = psutil.Process(pid)
            words = process.cmdline()
            return bool(words) and [Path(words[0]).name, *words[1:]] == self._wanted and _lives(process)
        except psutil.Error:
            return False


def _lives(process: psutil.Process) -> bool:
    return bool(process.status() != psutil.STATUS_ZOMBIE)
