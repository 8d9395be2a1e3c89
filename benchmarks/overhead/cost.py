"""What a tree of processes costs: its CPU time, and how much it slows down others."""

import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil

THREADS = 2
SIZE = 512  # of the matrices: 2 MB each, as they fit into caches
BLOCK_S = 0.5


def tree(process: psutil.Process) -> list[psutil.Process]:
    """A process and all that it has started."""
    return [process, *process.children(recursive=True)]


def cpu_s(process: psutil.Process) -> float:
    """CPU seconds of a tree so far, of threads that have ended too."""
    return sum(_of_one_s(each) for each in tree(process))


def _of_one_s(process: psutil.Process) -> float:
    if sys.platform == "linux":
        # clock_getcpuclockid(3) of the C library; in ns, where psutil's times come in ticks of 10 ms.
        return time.clock_gettime((~process.pid << 3) | 2)
    times = process.cpu_times()
    return float(times.user + times.system)


class Loop:
    """A process that multiplies matrices with two threads, one block at a time, and tells how long each took."""

    def __init__(self) -> None:
        names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
        environment = os.environ | dict.fromkeys(names, str(THREADS))
        command = [sys.executable, "-c", "from overhead.cost import work; work()"]
        folder = Path(__file__).parents[1]
        self._process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )

    def block_s(self) -> float:
        """How long the next block took."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def close(self) -> None:
        """End it."""
        self._process.communicate()


def work() -> None:
    """Blocks, each after a line on stdin; all of as many multiplications as take about `BLOCK_S` at first."""
    rng = np.random.default_rng(0)
    matrix = rng.random((SIZE, SIZE))
    result = np.empty_like(matrix)
    np.matmul(matrix, matrix, out=result)
    rounds, begin_s = 0, time.perf_counter()
    while time.perf_counter() - begin_s < BLOCK_S:
        np.matmul(matrix, matrix, out=result)
        rounds += 1
    for _ in sys.stdin:
        begin_s = time.perf_counter()
        for _ in range(rounds):
            np.matmul(matrix, matrix, out=result)
        print(time.perf_counter() - begin_s, flush=True)


@contextmanager
def halted(process: psutil.Process) -> Iterator[None]:
    """A tree that does nothing for a while."""
    processes = tree(process)
    try:
        for each in processes:
            each.send_signal(signal.SIGSTOP)
        yield
    finally:
        for each in processes:
            each.send_signal(signal.SIGCONT)


def slowdowns(process: psutil.Process, loop: Loop, pairs: int) -> list[float]:
    """How much longer a block takes beside a tree than without it: one number for each pair of blocks, in %.

    The blocks of a pair follow each other, in an order that alternates, so that a drift of the machine cancels.
    """
    found = []
    for pair in range(pairs):
        if pair % 2:
            beside_s = loop.block_s()
        with halted(process):
            alone_s = loop.block_s()
        if not pair % 2:
            beside_s = loop.block_s()
        found.append(100 * (beside_s / alone_s - 1))
    return found


def median_with_interval(values: list[float]) -> tuple[float, float, float]:
    """The median, and its 95 % interval by resampling."""
    rng = np.random.default_rng(0)
    medians = np.median(rng.choice(values, (4_000, len(values))), axis=1)
    low, high = np.percentile(medians, (2.5, 97.5))
    return statistics.median(values), float(low), float(high)
