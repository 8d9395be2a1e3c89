"""Waiting that ends early: when a child process ends, or when the user wants the run to end.

Signals are noted and acted upon by the waiting loop, never inside a handler, so that a run folder is always left in
order. SIGCHLD only wakes the loop: the end of a workload is seen at once, without polling fast.
"""

import os
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any, Self

from terrawatt.errors import StoppedError

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Wakeup:
    """While it is entered, stop signals are noted, and they and the end of a child end a wait.

    Signal handlers belong to the main thread: enter it there. A signal that was ignored when terrawatt started (SIGHUP
    under nohup, SIGINT of a background job) stays ignored.
    """

    def __init__(self) -> None:
        self._stops: list[signal.Signals] = []
        self._former: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        self._former_fd = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        self._handle(signal.SIGCHLD, lambda *_: None)
        for number in STOP_SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._handle(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        signal.set_wakeup_fd(self._former_fd)
        os.close(self._reader)
        os.close(self._writer)

    @property
    def stops(self) -> int:
        """How many stop signals came; the second one asks for haste."""
        return len(self._stops)

    def check(self) -> None:
        """End the run if that is wanted.

        Raises:
            StoppedError: a stop signal came.
        """
        if self._stops:
            raise StoppedError(f"ended by {self._stops[0].name}")

    def wait(self, timeout_s: float) -> None:
        """Wait until the time is over, a signal came, or a child ended."""
        if select.select([self._reader], [], [], max(timeout_s, 0.0))[0]:
            with suppress(BlockingIOError):
                while os.read(self._reader, 4096):
                    pass

    def _handle(self, number: signal.Signals, handler: Callable[[int, FrameType | None], None]) -> None:
        self._former[number] = signal.signal(number, handler)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._stops.append(signal.Signals(number))


def sleep(duration_s: float, wakeup: Wakeup, tick: Callable[[], None], tick_s: float) -> None:
    """Let time pass, calling `tick` now and then.

    Raises:
        StoppedError: a stop signal came.
    """
    end_s = time.monotonic() + duration_s
    while (left_s := end_s - time.monotonic()) > 0:
        wakeup.check()
        tick()
        wakeup.wait(min(left_s, tick_s))
    wakeup.check()
