"""A shortened version of `benchmarks/sampler.py`: that it measures, not how fast this machine is."""

import time
from pathlib import Path

import psutil
import pytest

from benchmark_modules import benchmark

sampler = benchmark("sampler")
watchers = benchmark("overhead.watchers")
cost = benchmark("overhead.cost")


def test_what_the_sampler_uses_is_seen_beside_a_process_that_sleeps() -> None:
    ours = {watchers.OURS: watchers.sampler, watchers.CONTROL: watchers.sleeper}
    found = sampler.cpu_percent(ours, rate_hz=20, seconds=1.0)
    assert found[watchers.OURS] > found[watchers.CONTROL] >= 0


def test_the_time_of_a_process_is_its_own() -> None:
    process, before_s = psutil.Process(), time.process_time()
    begin_s = cost.cpu_s(process)
    while time.process_time() - before_s < 0.2:
        pass
    assert cost.cpu_s(process) - begin_s == pytest.approx(0.2, abs=0.1)


def test_pairs_of_blocks_are_timed_beside_a_tool_and_without_it(tmp_path: Path) -> None:
    loop = cost.Loop()
    try:
        with watchers.sleeper(1.0, tmp_path) as process:
            found = cost.slowdowns(process, loop, pairs=2)
            with cost.halted(process):
                wait_for(process, stopped=True)
            wait_for(process, stopped=False)
    finally:
        loop.close()
    assert len(found) == 2
    median, low, high = cost.median_with_interval(found)
    assert (low, high) == pytest.approx((min(found), max(found)))
    assert low <= median <= high


def wait_for(process: psutil.Process, *, stopped: bool) -> None:
    end_s = time.monotonic() + 30
    while (process.status() == psutil.STATUS_STOPPED) is not stopped:
        assert time.monotonic() < end_s
        time.sleep(0.01)
