"""`terrawatt status`, on folders as a runner leaves them."""

import json
import os
import re
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from beats import BEAT
from terrawatt.cli import status as module
from terrawatt.cli.app import main
from terrawatt.config import Settings
from terrawatt.experiment.launch.record import Launch, part_folder, without_secrets, write_launch
from terrawatt.experiment.lock import MachineLock
from terrawatt.records import Order, Scenario
from terrawatt.runs.heartbeat import write_heartbeat
from terrawatt.runs.layout import RunFolder, create_run
from terrawatt.runs.plan import Entry, Plan, write_plan
from terrawatt.runs.status import RunStatus, State, write_status
from terrawatt.units import NS_PER_S

Begin = Callable[..., Path]


@pytest.fixture(autouse=True)
def _experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "terrawatt.toml").write_text('[experiment]\nname = "flying"\nresults = "results"\nlock = "lock"\n')
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def begin() -> Begin:
    """Makes the folder of a sweep, as it is while it is measured."""

    def make(reasons: tuple[str, str] = ("", ""), results: Path = Path("results"), **changes: Any) -> Path:
        folders = create_run(results, "flying", 2)
        write_plan(folders[0].plan, Plan(Order.BLOCKS, 1, (Entry(1, 1, 1), Entry(1, 2, 1))))
        for folder, reason in zip(folders, reasons, strict=True):
            write_status(folder.status, RunStatus.pending(30).with_state(State.RUNNING, reason))
        beat(folders[0].run_path, **changes)
        return folders[0].run_path

    return make


def beat(run: Path, **changes: Any) -> None:
    now_ns = time.time_ns()
    here = {"host": socket.gethostname(), "pid": os.getpid(), "t_ns": now_ns, "step_start_ns": now_ns - 75 * NS_PER_S}
    write_heartbeat(RunFolder(run).heartbeat, replace(BEAT, **(here | changes)))


def call(*arguments: str) -> int:
    try:
        main(["status", *arguments])
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def test_a_sweep_under_way_in_words(begin: Begin, capsys: pytest.CaptureFixture[str]) -> None:
    begin()
    assert call() == 0
    headline, *facts = capsys.readouterr().out.splitlines()
    assert headline.startswith(f"results/flying/run_1: running, process {os.getpid()} on {socket.gethostname()}; last")
    assert [line.split()[0] for line in facts] == ["repetitions", "scenario", "phase", "power", "so", "left"]
    assert "17 of 60 done, 1 failed, 42 left" in facts[0]
    assert "block 2, repetition 2, 1 min" in facts[2]
    assert "61.2 W at the last sign of life (plug)" in facts[3]
    assert "by the 18 repetitions so far" in facts[5]


def test_a_run_that_was_killed_is_told_with_what_to_do(begin: Begin, capsys: pytest.CaptureFixture[str]) -> None:
    begin(pid=2**22 + 1)  # above the kernel's largest
    assert call("1") == 0
    told = capsys.readouterr().out
    assert "is gone, last sign of life" in told
    assert "go on with: terrawatt run --resume results/flying/run_1" in told


def test_a_silent_run_elsewhere_is_not_called_dead(begin: Begin, capsys: pytest.CaptureFixture[str]) -> None:
    begin(host="lab-2", t_ns=time.time_ns() - 3600 * NS_PER_S)
    assert call("results/flying/run_1/group_2") == 0  # a group means its run
    told = capsys.readouterr().out
    assert "run_1: should be running, but process" in told
    assert "on lab-2 has given no sign of life for 1 h 00 min" in told


def test_without_a_run_under_way_the_last_one_is_told(begin: Begin, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(11):
        begin(state=State.DONE, step="", left_s=0.0, done=59)
    assert call() == 0
    told = capsys.readouterr().out
    assert told.startswith("results/flying/run_11: done, 0 s ago")
    assert "left  " not in told
    assert "phase" not in told


def test_all_runs_under_way_are_told_also_the_one_that_holds_the_machine(
    begin: Begin, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begin()
    begin(state=State.FAILED, step="")
    begin(host="lab-2")
    elsewhere = begin(results=tmp_path / "others").absolute()
    with MachineLock(Path("lock")) as lock:
        lock.acquire()
        lock.note(elsewhere)
        assert call("--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["run"] for one in found] == [str(elsewhere), "results/flying/run_1", "results/flying/run_3"]
    assert (found[1]["life"], found[1]["order"], found[1]["heartbeat"]["left_j"]) == ("running", "blocks", 300_000.0)
    assert found[1]["scenarios"][1]["group"] == 2


def test_a_launched_sweep_tells_each_part_under_way(capsys: pytest.CaptureFixture[str]) -> None:
    run = Path("results/flying/run_1")
    scenarios = (Scenario({"x": 1}, ("true",)), Scenario({"x": 2}, ("true",)))
    entries = (Entry(1, 1, 1), Entry(1, 2, 1))
    run.mkdir(parents=True)
    write_launch(run, Launch("/", without_secrets(Settings()), scenarios, Order.BLOCKS, 1, entries, max_jobs=2))
    for part, host in ((1, "node-1"), (2, "node-2")):
        folder = part_folder(run, part)
        folder.path.mkdir()
        write_status(folder.status, RunStatus.pending(1).with_state(State.RUNNING))
        beat(folder.path, host=host, title=f"x {part}", repetition=1)
    assert call() == 0
    told = capsys.readouterr().out
    assert told.startswith("results/flying/run_1: running; 2 parts are measured now")
    assert "0 of 2 done, 0 failed" in told
    assert re.search(r"group_2 +x 2: repetition 1, 1 min .*, 61.2 W at the last sign of life \(plug\), on node-2", told)
    assert call("--json") == 0
    assert [part["life"] for part in json.loads(capsys.readouterr().out)[0]["parts"]] == ["running", "running"]


def test_the_first_reasons_are_shown(
    begin: Begin, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(reasons=("warm-up 1 failed: exit code 3", "repetition 2 failed"))
    monkeypatch.setattr(module, "_REASONS", 1)
    assert call("1") == 0
    told = capsys.readouterr().out
    assert "group_1: warm-up 1 failed: exit code 3" in told
    assert "group_2" not in told
    assert "and 1 more" in told


def test_a_run_without_a_heartbeat_is_told_by_its_status(begin: Begin, capsys: pytest.CaptureFixture[str]) -> None:
    run = begin()
    RunFolder(run).heartbeat.unlink()
    assert call("1") == 0
    told = capsys.readouterr().out
    assert "begun and not ended; it gives no signs of life" in told
    assert "0 of 60 done, 0 failed" in told


@pytest.mark.parametrize("is_terminal", [False, True])
def test_watching_goes_on_until_the_run_has_ended(
    begin: Begin, is_terminal: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("TERM", "xterm")
    run = begin(done=17)
    changes = iter([{"done": 17}, {"done": 18}, {"done": 59, "state": State.DONE, "step": "", "left_s": 0.0}])
    monkeypatch.setattr(time, "sleep", lambda _s: beat(run, **next(changes)))
    assert call("--watch") == 0
    assert next(changes, None) is None
    told = capsys.readouterr().out
    assert "18 of 60 done" in told
    assert "done, 0 s ago" in told
    if not is_terminal:
        assert told.count("17 of 60 done") == 1


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 1, "no run yet"),
        (("7",), 1, "no such run"),
        (("--watch", "--json"), 2, "give one of them"),
    ],
)
def test_what_cannot_be_told_is_one_line(
    arguments: tuple[str, ...], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*arguments) == code
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert message in error
