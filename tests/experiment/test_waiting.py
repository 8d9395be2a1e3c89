import os
import signal
import subprocess
import time

import pytest

from terrawatt.errors import StoppedError
from terrawatt.experiment.waiting import Wakeup, sleep


def ignore() -> None:
    pass


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_signal_is_noted_and_acted_upon_later(number: signal.Signals) -> None:
    with Wakeup() as wakeup:
        wakeup.check()
        os.kill(os.getpid(), number)
        assert wakeup.stops == 1
        with pytest.raises(StoppedError, match=f"ended by {number.name}"):
            wakeup.check()


def test_sleep_ends_at_once_when_the_run_shall_end() -> None:
    with Wakeup() as wakeup, pytest.raises(StoppedError):
        sleep(600, wakeup, lambda: os.kill(os.getpid(), signal.SIGINT), tick_s=600)


def test_the_end_of_a_child_ends_a_wait() -> None:
    with Wakeup() as wakeup:
        child = subprocess.Popen(("true",))
        wakeup.wait(600)
        assert child.wait() == 0


def test_sleep_lasts_and_ticks() -> None:
    ticks: list[float] = []
    begun_s = time.monotonic()
    with Wakeup() as wakeup:
        sleep(0.3, wakeup, lambda: ticks.append(time.monotonic()), tick_s=0.01)
    assert time.monotonic() - begun_s >= 0.3
    assert len(ticks) > 1


def test_no_time_to_sleep_is_none() -> None:
    with Wakeup() as wakeup:
        sleep(0, wakeup, pytest.fail, tick_s=1)  # never called


def test_the_former_handlers_come_back() -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)}
    with Wakeup():
        assert signal.getsignal(signal.SIGINT) != before[signal.SIGINT]
    assert {number: signal.getsignal(number) for number in before} == before


def test_what_was_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Wakeup() as wakeup:
            os.kill(os.getpid(), signal.SIGHUP)
            assert wakeup.stops == 0
    finally:
        signal.signal(signal.SIGHUP, before)
