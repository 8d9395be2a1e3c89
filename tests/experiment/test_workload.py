import os
import resource
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from terrawatt.errors import ProtocolError
from terrawatt.experiment import workload
from terrawatt.experiment.waiting import Wakeup
from terrawatt.experiment.workload import Execution, Executor

Python = Callable[..., tuple[str, ...]]


class Watching:
    """In place of the guard: remembers which process groups it was told of."""

    def __init__(self) -> None:
        self.groups: list[int] = []

    def watch(self, group: int) -> None:
        self.groups.append(group)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log.txt"


@pytest.fixture
def wakeup() -> Iterator[Wakeup]:
    with Wakeup() as entered:
        yield entered


@pytest.fixture
def run(wakeup: Wakeup, log: Path) -> Callable[..., Execution]:
    def call(
        command: tuple[str, ...],
        environment: Mapping[str, str] = os.environ,
        tick: Callable[[], None] = lambda: None,
        min_window_s: float = 0.0,
    ) -> Execution:
        return Executor(wakeup, Watching(), tick).run(command, environment, log, min_window_s)  # type: ignore[arg-type]

    return call


def test_the_window_holds_the_process(run: Callable[..., Execution], python: Python, log: Path) -> None:
    before_ns = time.time_ns()
    execution = run(python("import time; print(time.time_ns())"))
    inside_ns = int(log.read_text())
    assert before_ns <= execution.start_ns < inside_ns < execution.end_ns <= time.time_ns()
    assert execution.result.succeeded
    assert (execution.executions, execution.interrupted, execution.tail) == (1, False, ())


def test_output_goes_into_the_log_behind_what_is_there(
    run: Callable[..., Execution], python: Python, log: Path
) -> None:
    log.write_text("before\n")
    run(python("import sys; print('out', flush=True); print('err', file=sys.stderr)"))
    assert log.read_text() == "before\nout\nerr\n"


def test_much_output_blocks_nothing(run: Callable[..., Execution], python: Python, log: Path) -> None:
    assert run(python("print('x' * 2_000_000)")).result.succeeded
    assert log.stat().st_size == 2_000_001


def test_the_environment_is_exactly_what_is_given(run: Callable[..., Execution], python: Python, log: Path) -> None:
    run(python("import os; print(os.environ.get('ONE'), os.environ.get('HOME'))"), environment={"ONE": "1"})
    assert log.read_text() == "1 None\n"


def test_stdin_is_empty(run: Callable[..., Execution], python: Python, log: Path) -> None:
    run(python("import sys; print(repr(sys.stdin.read()))"))
    assert log.read_text() == "''\n"


def test_a_short_command_is_repeated_until_the_window_is_long_enough(
    run: Callable[..., Execution], python: Python, log: Path
) -> None:
    execution = run(python("print('once')"), min_window_s=0.3)
    assert execution.end_ns - execution.start_ns >= 300_000_000
    assert execution.executions == log.read_text().count("once") > 1


def test_a_failure_ends_a_window_of_several_executions(run: Callable[..., Execution], python: Python) -> None:
    assert run(python("raise SystemExit(3)"), min_window_s=600).executions == 1


def test_an_exit_code_is_told_with_the_last_line(run: Callable[..., Execution], python: Python, log: Path) -> None:
    log.write_text("an older line\n")
    execution = run(python("print('one\\n\\ntwo', flush=True); raise ValueError('no  such\\tbatch')"))
    assert execution.result.exit_code == 1
    assert execution.result.reason == "exit code 1: ValueError: no such batch"
    assert execution.tail[:2] == ("one", "two")
    assert len(execution.tail) == 5


def test_a_silent_failure_has_its_code(run: Callable[..., Execution], python: Python) -> None:
    assert run(python("raise SystemExit(7)")).result.reason == "exit code 7"


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (signal.SIGKILL, "killed by SIGKILL; probably out of memory"),
        (signal.SIGSEGV, "killed by SIGSEGV"),
        (signal.SIGRTMIN + 3, f"killed by signal {signal.SIGRTMIN + 3}"),
    ],
)
def test_a_signal_is_told(run: Callable[..., Execution], python: Python, number: int, reason: str) -> None:
    result = run(python(f"import os; os.kill(os.getpid(), {int(number)})")).result
    assert (result.exit_code, result.signal) == (None, number)
    assert result.reason.startswith(reason)


def test_a_program_that_cannot_be_started_is_a_failure(run: Callable[..., Execution], tmp_path: Path) -> None:
    (tmp_path / "program").write_bytes(b"\x7fELF, but not really")
    (tmp_path / "program").chmod(0o755)
    execution = run((str(tmp_path / "program"),))
    assert not execution.result.succeeded
    assert execution.result.reason == f"{tmp_path / 'program'} cannot be started: Exec format error"
    assert execution.end_ns > execution.start_ns


def test_peak_memory_is_that_of_the_workload(run: Callable[..., Execution], python: Python) -> None:
    own_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # of these tests, however much they took
    held_bytes = own_bytes + 200_000_000
    peak_bytes = run(python(f"bytearray({held_bytes})")).result.peak_memory_bytes
    assert peak_bytes is not None
    assert held_bytes < peak_bytes < held_bytes + 200_000_000


def test_a_peak_below_the_runners_own_is_unknown(run: Callable[..., Execution]) -> None:
    assert run(("true",)).result.peak_memory_bytes is None  # Linux reports the runner's


def test_what_is_left_in_the_background_is_ended(
    run: Callable[..., Execution], log: Path, eventually: Callable[..., None], is_running: Callable[[int], bool]
) -> None:
    assert run(("sh", "-c", "sleep 600 & echo $!")).result.succeeded
    eventually(lambda: not is_running(int(log.read_text())), "the end of the background process")


def test_a_stop_signal_ends_the_workload_and_its_children(
    run: Callable[..., Execution], log: Path, eventually: Callable[..., None], is_running: Callable[[int], bool]
) -> None:
    def stop_when_started() -> None:
        if log.read_text().endswith("\n"):
            os.kill(os.getpid(), signal.SIGINT)

    execution = run(("sh", "-c", "sleep 600 & echo $!; wait"), tick=stop_when_started)
    assert execution.interrupted
    assert execution.result.reason == "interrupted"
    eventually(lambda: not is_running(int(log.read_text())), "the end of the child")


def test_a_workload_that_ends_well_when_asked_is_interrupted_all_the_same(
    run: Callable[..., Execution], python: Python, log: Path
) -> None:
    program = "import signal, time, sys; signal.signal(15, lambda *_: sys.exit(0)); print(flush=True); time.sleep(600)"

    def stop_when_started() -> None:
        if log.read_text():
            os.kill(os.getpid(), signal.SIGINT)

    execution = run(python(program), tick=stop_when_started)
    assert execution.interrupted
    assert execution.result.exit_code == 0


def test_a_workload_that_does_not_listen_is_forced(
    run: Callable[..., Execution], python: Python, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workload, "GRACE_S", 0.1)
    program = "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(600)"

    def stop_when_started() -> None:
        if log.read_text():
            os.kill(os.getpid(), signal.SIGTERM)

    execution = run(python(program), tick=stop_when_started)
    assert execution.interrupted
    assert execution.result.signal == signal.SIGKILL


def test_a_second_stop_signal_asks_for_haste(
    run: Callable[..., Execution], python: Python, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workload, "GRACE_S", 600)
    # It asks for the second signal itself, once it has refused the first.
    program = (
        "import os, signal, sys, time\n"
        "signal.signal(15, lambda *_: os.kill(int(sys.argv[1]), 2)); print(flush=True); time.sleep(600)"
    )

    def stop_when_started() -> None:
        if log.read_text():
            os.kill(os.getpid(), signal.SIGINT)

    execution = run(python(program, str(os.getpid())), tick=stop_when_started)
    assert execution.interrupted
    assert execution.result.signal == signal.SIGKILL


def test_a_tick_that_raises_ends_the_workload(
    run: Callable[..., Execution], log: Path, eventually: Callable[..., None], is_running: Callable[[int], bool]
) -> None:
    def give_up() -> None:
        if log.read_text().endswith("\n"):
            raise ProtocolError("the sampler is gone")

    with pytest.raises(ProtocolError, match="the sampler is gone"):
        run(("sh", "-c", "echo $$; exec sleep 600"), tick=give_up)
    assert not is_running(int(log.read_text()))


def test_the_guard_knows_the_group_while_it_runs(wakeup: Wakeup, log: Path) -> None:
    guard = Watching()
    Executor(wakeup, guard, lambda: None).run(("sh", "-c", "echo $$"), os.environ, log)  # type: ignore[arg-type]
    assert guard.groups == [int(log.read_text()), 0]
