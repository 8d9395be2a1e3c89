"""Several processes that write shards, each one after the other.

They are programs of their own: not forked, since a parent with threads must not be, and not spawned by
multiprocessing, which would load the parent's main program again. They take tasks from a pipe and answer with progress.
None outlives its parent: the pipe of a killed one is closed, which the next answer finds out. Ctrl-C reaches only the
parent, which ends them.
"""

import heapq
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing import connection
from typing import Any, Final

from terrawatt.data.shard_work import Progress, ShardTask, write_shard
from terrawatt.errors import PackError

MakeTask = Callable[[int], ShardTask]
Worker = subprocess.Popen[bytes]

_PROGRAM: Final = "import sys; from terrawatt.data.shard_processes import work; work(int(sys.argv[1]))"
_START_PATCHES: Final = 1_000
"""What one process packs while others start: a third of a second, most of it the loading of NumPy and Arrow."""


def worthwhile(sizes: Sequence[int], most: int) -> int:
    """With how many processes shards are written soonest.

    Args:
        sizes: patches of each shard, in the order in which they are begun.
        most: how many there may be at most.
    """

    def duration(processes: int) -> int:
        """In patches that one process packs."""
        ends = [_START_PATCHES if processes > 1 else 0] * processes
        for size in sizes:
            heapq.heappush(ends, heapq.heappop(ends) + size)
        return max(ends)

    return min(range(1, max(min(most, len(sizes)), 1) + 1), key=duration)


def write_in_processes(numbers: Sequence[int], make: MakeTask, processes: int, report: Progress) -> None:
    """Write shards in several processes; the first failure ends all of them.

    Args:
        numbers: the shards.
        make: gives the task of a shard, when its turn has come.
        processes: how many.
        report: called with the number of patches done so far, of all these shards.

    Raises:
        PatchError: see `write_shard`.
        OSError: see `write_shard`.
        PackError: a process ended without a word.
    """
    waiting = iter(numbers)
    done = 0
    under_way: dict[Any, int] = {}
    with ExitStack() as started:
        workers = {}
        for _ in range(min(processes, len(numbers))):
            process, pipe = started.enter_context(_worker())
            workers[pipe] = process
            pipe.send(make(next(waiting)))
            under_way[pipe] = 0
        while under_way:
            ready: list[Any] = connection.wait(list(under_way))
            for pipe in ready:
                message = _answer(pipe, workers[pipe])
                if isinstance(message, BaseException):
                    raise message
                n, ended = message
                under_way[pipe] = n
                if ended:
                    done += under_way.pop(pipe)
                    number = next(waiting, None)
                    if number is not None:
                        under_way[pipe] = 0
                        pipe.send(make(number))
                report(done + sum(under_way.values()))


@contextmanager
def _worker() -> Iterator[tuple[Worker, Any]]:
    """A process that waits for tasks at the other end of a pipe, and is gone after the block."""
    ours, theirs = connection.Pipe()
    place = theirs.fileno()
    # -P: not from the working folder; the parent's path instead.
    command = [sys.executable, "-P", "-c", _PROGRAM, str(place)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # inherited: Ctrl-C is the parent's
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[place], env=environment)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
    try:
        yield process, ours
    finally:
        ours.close()
        process.kill()  # idle when all went well, else in the midst of a shard that nobody wants any more
        process.wait()


def _answer(pipe: Any, process: Worker) -> Any:
    try:
        return pipe.recv()
    except (EOFError, ConnectionResetError):
        code = process.wait()
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        raise PackError(
            f"a process that packs {how}, perhaps for want of memory; complete shards are kept: the same command goes "
            "on after them, with fewer --processes it needs less"
        ) from None


def work(place: int) -> None:
    """Write shards until the parent, at the other end of the pipe with this descriptor, is gone."""
    pipe: Any = connection.Connection(place)
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            task = pipe.recv()
            try:
                write_shard(task, lambda done: pipe.send((done, False)))
            except (BrokenPipeError, ConnectionResetError):
                raise
            except Exception as error:
                pipe.send(error)
                return
            pipe.send((len(task.archive.entries), True))
