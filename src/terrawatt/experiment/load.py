"""A load of all processors that goes on and off at once: the step by which a meter's latency is measured."""

import os
import subprocess
import sys
from contextlib import suppress
from types import TracebackType
from typing import IO, Self, cast

_END_TIMEOUT_S = 5.0
# It waits for a byte, works until the next one, and ends when its stdin closes: also when we are killed.
_PROGRAM = """
import os, select
while os.read(0, 1):
    while not select.select([0], [], [], 0)[0]:
        for _ in range(100_000):
            pass
    if not os.read(0, 1):
        break
"""


class CpuLoad:
    """One waiting process for each processor that this one may use; a context manager.

    They are started beforehand, so that a step takes no longer than to wake them.
    """

    def __init__(self, processes: int | None = None) -> None:
        """Prepare; `processes`: how many, default one for each processor."""
        self._processes = processes or len(os.sched_getaffinity(0))
        self._children: list[subprocess.Popen[bytes]] = []
        self.is_on = False

    def __enter__(self) -> Self:
        # A session of their own: Ctrl-C in the terminal is ours to handle.
        for _ in range(self._processes):
            self._children.append(
                subprocess.Popen((sys.executable, "-I", "-c", _PROGRAM), stdin=subprocess.PIPE, start_new_session=True)
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in self._children:
            with suppress(BrokenPipeError):
                _stdin(child).close()
        for child in self._children:
            try:
                child.wait(_END_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self._children.clear()
        self.is_on = False

    def switch(self) -> None:
        """Begin to work, or end it."""
        for child in self._children:
            with suppress(BrokenPipeError):
                _stdin(child).write(b"\n")
                _stdin(child).flush()
        self.is_on = not self.is_on


def _stdin(child: "subprocess.Popen[bytes]") -> IO[bytes]:
    return cast("IO[bytes]", child.stdin)
