"""Processes for what takes long and comes in many equal parts: the runs of a sweep, the figures of a report.

Parts are handed out through the interface of `concurrent.futures.Executor`, and come back in their order. A worker
computes on one core: with as many workers as cores, threads inside them would only wait for each other. An error in a
worker is raised here, as it would be without workers.

This module imports nothing that is slow: a worker reads the numbers of threads when it first imports numpy.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from terrawatt.errors import ReportError

MANY_ROWS = 300  # of a table; for fewer, the start of processes takes longer than it saves
_MOST = 4  # each holds the libraries once more: some 300 MB
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Here(Executor):
    """Computes each part at once, in this process."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """A future that is done; an error is in it."""
        future: Future[Any] = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def cores() -> int:
    """How many processes are worth it on this machine."""
    return min(len(os.sched_getaffinity(0)), _MOST)


@contextmanager
def workers(processes: int) -> Iterator[Executor]:
    """Some processes, started when they are first needed; with fewer than two, this one.

    They are new ones (`spawn`), since a copy of this process would share the threads of its libraries. A script that
    asks for them needs `if __name__ == "__main__":`, so the library uses none unless told.

    Raises:
        ReportError: a worker ended without a word.
    """
    if processes < 2:
        yield Here()
        return
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, mp_context=spawn, initializer=_begin)
    try:
        yield pool
    except BrokenProcessPool as error:
        raise ReportError("a worker process was killed, as when memory is short; close other programs") from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin() -> None:
    """In a worker: one core, and Ctrl-C is for the main process, which then ends the workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(dict.fromkeys(_THREADS, "1"))
