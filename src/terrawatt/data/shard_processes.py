"""Several processes that write shards, each one after the other.

They are started afresh (not forked: a parent with threads must not be), take tasks from a pipe and answer with
progress. None outlives its parent: the pipe of a killed one is closed, which the next answer finds out. Ctrl-C reaches
only the parent, which ends them.
"""

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing import connection, get_context, resource_tracker
from multiprocessing.context import SpawnProcess
from typing import Any

from terrawatt.data.shard_work import Progress, ShardTask, write_shard
from terrawatt.errors import PackError

MakeTask = Callable[[int], ShardTask]


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
def _worker() -> Iterator[tuple[SpawnProcess, Any]]:
    """A process that waits for tasks at the other end of a pipe, and is gone after the block."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs,), name="packing", daemon=True)
    resource_tracker.ensure_running()  # by itself `start` would do it, and unblock the signal
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # inherited: Ctrl-C is the parent's
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    theirs.close()
    try:
        yield process, ours
    finally:
        ours.close()
        process.kill()  # idle when all went well, else in the midst of a shard that nobody wants any more
        process.join()
        process.close()


def _answer(pipe: Any, process: SpawnProcess) -> Any:
    try:
        return pipe.recv()
    except (EOFError, ConnectionResetError):
        process.join()
        code = process.exitcode or 0
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        raise PackError(
            f"a process that packs {how}, perhaps for want of memory; complete shards are kept: the same command goes "
            "on after them, with fewer --processes it needs less"
        ) from None


def _work(pipe: Any) -> None:
    """Write shards until the parent is gone."""
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
