"""What our sampler costs beside CodeCarbon and perun: its CPU time, and how much it slows down a computation.

CPU time: all tools watch the machine at the same time, at 1 Hz and then at 10 Hz, and what their processes used in that
time is a share of one core. Their start is not counted. Slowdown: a loop of matrix products with two threads, in pairs
of blocks of half a second, beside a tool at 10 Hz and while that is halted (SIGSTOP); the median of the pairs'
differences with its 95 % interval. A sleeping process shows what the machine itself makes of nothing.

Run it on an idle machine.

    python benchmarks/sampler.py [--seconds 60] [--pairs 60]
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from overhead.cost import Loop, cpu_s, median_with_interval, slowdowns
from overhead.watchers import OURS, Watcher, installed

RATES_HZ = (1.0, 10.0)
CPU_AIMS = {1.0: 0.15, 10.0: 1.0}  # % of one core
SLOWDOWN_AIM = 0.5  # %
SETTLE_S = 2.0


@contextmanager
def watching(watchers: Mapping[str, Watcher], rate_hz: float) -> Iterator[dict[str, psutil.Process]]:
    """All tools at one rate, each in a folder of its own."""
    with ExitStack() as stack:
        started = {}
        for name, watcher in watchers.items():
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            started[name] = stack.enter_context(watcher(1 / rate_hz, folder))
        time.sleep(SETTLE_S)
        yield started


def cpu_percent(watchers: Mapping[str, Watcher], rate_hz: float, seconds: float) -> dict[str, float]:
    """Name -> what it uses of one core at a rate, in %."""
    with watching(watchers, rate_hz) as started:
        begin_s = time.monotonic()
        before = {name: cpu_s(process) for name, process in started.items()}
        time.sleep(seconds)
        spent = {name: cpu_s(process) - before[name] for name, process in started.items()}
        lasted_s = time.monotonic() - begin_s
    return {name: 100 * used_s / lasted_s for name, used_s in spent.items()}


def slowdown_percent(watcher: Watcher, rate_hz: float, pairs: int, loop: Loop) -> list[float]:
    """How much a tool at a rate slows down the loop, in %: one number for each pair."""
    with watching({"it": watcher}, rate_hz) as started:
        return slowdowns(started["it"], loop, pairs)


def main() -> int:
    """Print the tables; 1 where an aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--pairs", type=int, default=60)
    arguments = parser.parse_args()
    watchers, missing = installed()
    for name, reason in missing.items():
        print(f"{name}: {reason}")
    return 0 if cpu_table(watchers, arguments.seconds) & slowdown_table(watchers, arguments.pairs) else 1


def cpu_table(watchers: Mapping[str, Watcher], seconds: float) -> bool:
    """Print what the tools use; whether ours keeps to the aims."""
    found = {rate_hz: cpu_percent(watchers, rate_hz, seconds) for rate_hz in RATES_HZ}
    print(f"CPU time in {seconds:g} s, % of one core")
    print(f"  {'':20}" + "".join(f"{rate_hz:>8g} Hz" for rate_hz in RATES_HZ))
    for name in watchers:
        print(f"  {name:20}" + "".join(f"{found[rate_hz][name]:>11.3f}" for rate_hz in RATES_HZ))
    reached = {rate_hz: found[rate_hz][OURS] <= CPU_AIMS[rate_hz] for rate_hz in RATES_HZ}
    for rate_hz in RATES_HZ:
        print(f"  aim at {rate_hz:g} Hz: {CPU_AIMS[rate_hz]} %: {'reached' if reached[rate_hz] else 'MISSED'}")
    return all(reached.values())


def slowdown_table(watchers: Mapping[str, Watcher], pairs: int) -> bool:
    """Print how much the tools slow the loop down; whether ours keeps to the aim."""
    rate_hz = max(RATES_HZ)
    print(f"slowdown of a matrix loop of two threads at {rate_hz:g} Hz, %: median of {pairs} pairs (95 % interval)")
    is_reached = False
    loop = Loop()
    try:
        for name, watcher in watchers.items():
            median, low, high = median_with_interval(slowdown_percent(watcher, rate_hz, pairs, loop))
            print(f"  {name:20}{median:>+8.2f}   ({low:+.2f} to {high:+.2f})")
            if name == OURS:
                is_reached = median < SLOWDOWN_AIM
    finally:
        loop.close()
    print(f"  aim: {SLOWDOWN_AIM} %: {'reached' if is_reached else 'MISSED'}")
    return is_reached


if __name__ == "__main__":
    sys.exit(main())
