import os
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from beats import BEAT
from terrawatt.config import Settings
from terrawatt.errors import RunFolderError
from terrawatt.experiment.launch.record import Launch, part_folder, without_secrets, write_launch
from terrawatt.experiment.standing import SILENT_AFTER_S, Life, life, read_standing, under_way
from terrawatt.records import ExecutionResult, Order, Scenario
from terrawatt.runs.heartbeat import write_heartbeat
from terrawatt.runs.layout import RunFolder, prepare_run
from terrawatt.runs.plan import Entry, Plan, write_plan
from terrawatt.runs.status import RepetitionStatus, RunStatus, State, write_status
from terrawatt.units import NS_PER_S, s_to_ns


@pytest.mark.parametrize(
    ("state", "age_s", "is_there", "expected"),
    [
        (State.RUNNING, 3.0, True, Life.RUNNING),
        (State.RUNNING, -5.0, True, Life.RUNNING),  # the other machine's clock is ahead
        (State.RUNNING, SILENT_AFTER_S + 1, True, Life.SILENT),
        (State.RUNNING, 3.0, False, Life.GONE),
        (State.DONE, 9e9, False, Life.DONE),
        (State.FAILED, 3.0, False, Life.FAILED),
        (State.INTERRUPTED, 3.0, True, Life.INTERRUPTED),
    ],
)
def test_whether_somebody_measures(state: State, age_s: float, is_there: bool, expected: Life) -> None:
    beat = replace(BEAT, t_ns=10**18, state=state)
    assert life(beat, 10**18 + s_to_ns(age_s), is_there=is_there) is expected


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    """A sweep of two scenarios in blocks: one repetition done, one failed, four pending."""
    run = tmp_path / "run_7"
    first, second = prepare_run(run, 2)
    write_plan(first.plan, Plan(Order.BLOCKS, 1, (Entry(1, 1, 1), Entry(1, 2, 1))))
    begun = RunStatus.pending(3).with_state(State.RUNNING)
    write_status(first.status, begun.with_repetition(RepetitionStatus(1, State.DONE, ExecutionResult(0))))
    failed = RepetitionStatus(1, State.FAILED, ExecutionResult(3, reason="exit code 3"))
    write_status(second.status, begun.with_repetition(failed).with_state(State.RUNNING, "repetition 1 failed"))
    return run


def beat(run: Path, **changes: Any) -> None:
    here = replace(BEAT, host=socket.gethostname(), pid=os.getpid(), t_ns=time.time_ns())
    write_heartbeat(RunFolder(run).heartbeat, replace(here, **changes))


def test_a_sweep_is_read_with_each_scenario(sweep: Path) -> None:
    beat(sweep)
    standing = read_standing(sweep)
    assert (standing.run, standing.life, standing.order) == (sweep, Life.RUNNING, "blocks")
    assert [(one.group, one.done, one.failed, one.repetitions) for one in standing.scenarios] == [
        (1, 1, 0, 3),
        (2, 0, 1, 3),
    ]
    assert standing.scenarios[1].reason == "repetition 1 failed"


def test_a_process_that_has_ended_is_gone(sweep: Path) -> None:
    process = subprocess.Popen((sys.executable, "-c", ""))
    process.wait()
    beat(sweep, pid=process.pid)
    assert read_standing(sweep).life is Life.GONE


def test_a_process_that_was_killed_and_not_yet_taken_leave_of_is_gone(sweep: Path) -> None:
    process = subprocess.Popen((sys.executable, "-c", "input()"), stdin=subprocess.PIPE)
    beat(sweep, pid=process.pid)
    assert read_standing(sweep).life is Life.RUNNING
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert read_standing(sweep).life is Life.GONE
    process.communicate()


def test_a_later_process_of_the_same_number_is_not_it(sweep: Path) -> None:
    before_ns = int(psutil.Process().create_time() * NS_PER_S) - 10 * NS_PER_S
    beat(sweep, t_ns=before_ns)
    assert read_standing(sweep).life is Life.GONE


def test_the_process_of_another_machine_is_judged_by_its_age_only(sweep: Path) -> None:
    beat(sweep, host="elsewhere", pid=2**22 + 1)
    assert read_standing(sweep).life is Life.RUNNING
    beat(sweep, host="elsewhere", pid=2**22 + 1, t_ns=time.time_ns() - s_to_ns(2 * SILENT_AFTER_S))
    assert read_standing(sweep).life is Life.SILENT


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ((State.DONE, State.DONE), Life.DONE),
        ((State.DONE, State.FAILED), Life.FAILED),
        ((State.DONE, State.RUNNING), Life.UNKNOWN),
        ((State.DONE, State.PENDING), Life.PENDING),
    ],
)
def test_without_a_heartbeat_the_scenarios_tell(tmp_path: Path, states: tuple[State, ...], expected: Life) -> None:
    for folder, state in zip(prepare_run(tmp_path, 2), states, strict=True):
        write_status(folder.status, RunStatus.pending(1).with_state(state))
    standing = read_standing(tmp_path)
    assert (standing.life, standing.heartbeat, standing.age_s, standing.order) == (expected, None, None, "")


def test_a_folder_without_a_status_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"no status\.json"):
        read_standing(tmp_path)


def test_only_runs_that_should_be_measured_now_are_under_way(sweep: Path, tmp_path: Path) -> None:
    broken = tmp_path / "run_8"
    broken.mkdir()
    (broken / "heartbeat.json").write_text("{}")
    beat(sweep)
    assert [one.run for one in under_way([tmp_path / "absent", broken, sweep])] == [sweep]
    beat(sweep, state=State.DONE)
    assert under_way([sweep]) == []


@pytest.fixture
def launched(tmp_path: Path) -> Path:
    """A launched sweep of four parts: done, measured on another machine, silent there, and waiting for a node."""
    run = tmp_path / "run_9"
    run.mkdir()
    scenarios = (Scenario({"x": 1}, ("true",)), Scenario({"x": 2}, ("true",)))
    entries = tuple(Entry(block, scenario, block) for block in (1, 2) for scenario in (1, 2))
    write_launch(run, Launch("/", without_secrets(Settings()), scenarios, Order.BLOCKS, 1, entries, max_jobs=2))
    for part, state in ((1, State.DONE), (2, State.RUNNING), (3, State.RUNNING)):
        folder = part_folder(run, part)
        folder.path.mkdir()
        repetition = RepetitionStatus(1 + part // 3, state, ExecutionResult(0) if state is State.DONE else None)
        write_status(folder.status, RunStatus(state, (repetition,)))
    beat(part_folder(run, 1).path, state=State.DONE)
    beat(part_folder(run, 2).path, host="node-2", title="x 2")
    beat(part_folder(run, 3).path, host="node-3", t_ns=time.time_ns() - s_to_ns(2 * SILENT_AFTER_S))
    return run


def test_a_launched_sweep_is_read_by_its_parts(launched: Path) -> None:
    standing = read_standing(launched)
    assert (standing.life, standing.order, standing.heartbeat) == (Life.RUNNING, "blocks", None)
    assert [one.state for one in standing.scenarios] == [State.DONE, State.RUNNING, State.RUNNING, State.PENDING]
    assert [(part.run.name, part.life) for part in standing.parts] == [
        ("group_2", Life.RUNNING),
        ("group_3", Life.SILENT),
    ]
    assert [one.run for one in under_way([launched])] == [launched]


def test_a_launched_sweep_whose_jobs_wait_is_pending(launched: Path) -> None:
    for part in (2, 3):
        folder = part_folder(launched, part)
        write_status(folder.status, RunStatus.pending(1))
        folder.heartbeat.unlink()
    assert read_standing(launched).life is Life.PENDING
    assert under_way([launched]) == []
