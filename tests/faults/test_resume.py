"""A sweep that is killed at 30 random moments, and resumed each time, has each of its rows once."""

import io
import os
import random
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from faults.lab import Lab, eventually
from terrawatt.config import load
from terrawatt.errors import RunFolderError
from terrawatt.experiment.progress import Lines
from terrawatt.experiment.resume import begun_run, resume
from terrawatt.experiment.runner import Request, run
from terrawatt.records import Phase, Scenario
from terrawatt.runs import atomic
from terrawatt.runs.heartbeat import read_heartbeat
from terrawatt.runs.integrity import check_files
from terrawatt.runs.layout import RunFolder, scenario_folders
from terrawatt.runs.manifest import read_manifest
from terrawatt.runs.phases import read_phases
from terrawatt.runs.plan import Entry, read_plan
from terrawatt.runs.status import State, read_status
from terrawatt.store.sqlite import SqliteStore
from terrawatt.summary.gather import gather

pytestmark = pytest.mark.slow

SCENARIOS, BLOCKS, WORK_S = 4, 3, 2.0
# How often the runner is killed in which step, and how long after its beginning at most; "": while it starts.
MOMENTS = [("", 2.5)] * 8 + [("cold", 0.5)] * 5 + [("repetition", WORK_S + 0.2)] * 11 + [("idle", 0.5)] * 6
COMMAND = ("sh", "-c", f"sleep {WORK_S:g}", "{n}")


def parameters(folder: Path) -> Path:
    path = folder / "scenarios.yaml"
    groups = "".join(f"    - options: {{n: {number}}}\n" for number in range(1, SCENARIOS + 1))
    path.write_text(f"varying_args:\n  groups:\n{groups}")
    return path


def is_in(run_path: Path, runner: "subprocess.Popen[str]", step: str) -> bool:
    """Whether the runner is in a step, or has ended."""
    if runner.poll() is not None:
        return True
    try:
        beat = read_heartbeat(run_path / "heartbeat.json")
    except RunFolderError:
        return False
    return beat.pid == runner.pid and beat.step == step


def repetitions(run_path: Path) -> list[tuple[Phase, Entry]]:
    """The windows of all scenarios in the order of time, with their entries in the plan."""
    found = [
        (phase, Entry(phase.sitting, number, phase.repetition or 0))
        for number, folder in enumerate(scenario_folders(run_path), start=1)
        for phase in read_phases(folder.phases)
        if phase.name == "repetition"
    ]
    return sorted(found, key=lambda one: one[0].window)


def check_whole(run_path: Path) -> None:
    """Each entry of the plan was measured once, in its order, with an idle period before; the files are sealed."""
    measured = repetitions(run_path)
    assert tuple(entry for _, entry in measured) == read_plan(run_path / "plan.json").entries
    assert all(one.window.end_ns < other.window.start_ns for (one, _), (other, _) in pairwise(measured))
    for folder in scenario_folders(run_path):
        status, manifest, phases = (
            read_status(folder.status),
            read_manifest(folder.manifest),
            read_phases(folder.phases),
        )
        assert (status.state, {one.state for one in status.repetitions}) == (State.DONE, {State.DONE})
        assert (check_files(folder, manifest).is_sealed, check_files(folder, manifest).is_intact) == (True, True)
        assert [phase.sitting for phase in phases if phase.name == "cold"] == list(range(1, BLOCKS + 1))
        with SqliteStore(folder.telemetry, read_only=True) as store:
            series = store.read(manifest.sources[0].series)
        for phase in phases:
            inside = (series.t_ns >= phase.window.start_ns) & (series.t_ns < phase.window.end_ns)
            assert inside.any() or phase.window.duration_s < 1, phase
    rows = gather([run_path]).rows
    assert sorted(row.key[1:] for row in rows) == [
        (scenario, number) for scenario in range(1, SCENARIOS + 1) for number in range(1, BLOCKS + 1)
    ]


def test_a_sweep_that_is_killed_at_30_moments_has_each_row_once(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", str(lab.folder / "nowhere"))  # a commit made meanwhile would be another version
    lab.config([lab.plug("http-shelly").entry], cold_s=0.5, idle_after_s=0.5, repetitions=BLOCKS)
    start: Callable[[], subprocess.Popen[str]] = partial(
        lab.start, *COMMAND, options=("--param-file", str(parameters(lab.folder)), "--order-seed", "1")
    )
    rng = random.Random(6)
    moments = rng.sample(MOMENTS, len(MOMENTS))
    assert len(moments) == 30
    run_path = lab.folder / "results/faults/run_1"
    kept: set[int] = set()
    for step, at_most_s in [("cold", 0.5), *moments[1:]]:  # the first one is killed when there is something to resume
        runner = start()
        if step:
            eventually(partial(is_in, run_path, runner, step), f"the step {step}")
        time.sleep(rng.uniform(0, at_most_s))
        assert runner.poll() is None, runner.communicate()
        os.kill(runner.pid, 9)
        runner.communicate()
        now = {phase.window.start_ns for phase, entry in repetitions(run_path) if is_done(run_path, entry)}
        assert kept <= now  # nothing that had ended is lost
        kept = now
        start = partial(lab.start, options=("--resume", str(run_path)))
    plan = (run_path / "plan.json").read_bytes()
    runner = start()
    out, err = runner.communicate()
    assert (runner.returncode, err) == (0, ""), out
    assert kept <= {phase.window.start_ns for phase, _ in repetitions(run_path)}
    assert (run_path / "plan.json").read_bytes() == plan
    assert [path.name for path in run_path.parent.iterdir()] == ["run_1"]
    check_whole(run_path)
    assert any("is discarded" in folder.log.read_text() for folder in scenario_folders(run_path))


def is_done(run_path: Path, entry: Entry) -> bool:
    folder = RunFolder(run_path / f"group_{entry.scenario}")
    return read_status(folder.status).of(entry.repetition).state is State.DONE


class KilledError(BaseException):
    """Ends the runner on the spot: nothing catches it, so nothing is closed or sealed."""


class Fuse:
    """Stands in for `fsync`; lets so many writes pass."""

    def __init__(self) -> None:
        self.left = 10**9
        self.fsync = os.fsync

    def __call__(self, descriptor: int) -> None:
        self.left -= 1
        if self.left < 0:
            raise KilledError
        self.fsync(descriptor)


def test_a_sweep_that_is_killed_at_each_of_its_writes_has_each_row_once(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(lab.folder / "nowhere"))
    fuse = Fuse()
    monkeypatch.setattr(atomic.os, "fsync", fuse)
    source = '[[sources]]\nname = "estimate"\nkind = "estimate"'
    settings = load(lab.config([source], cold_s=0.05, idle_after_s=0.05, repetitions=2))
    scenarios = tuple(Scenario({"n": number}, ("sh", "-c", f"echo {number}")) for number in (1, 2))
    request = Request(settings, scenarios)
    run(replace(request, storage_path=lab.folder / "whole"), Lines(io.StringIO()))
    writes = 10**9 - fuse.left
    assert writes > 40  # of a run that nobody kills

    run_path = lab.folder / "swept"
    fuse.left = writes // 3  # the first one is killed in the middle
    with pytest.raises(KilledError):
        run(replace(request, storage_path=run_path), Lines(io.StringIO()))
    kills = 0
    while not is_over(run_path):
        fuse.left = kills  # so each one comes further than the one before
        kills += 1
        with suppress(KilledError):
            resume(begun_run(run_path), request, Lines(io.StringIO()))
    assert kills > 15
    fuse.left = 10**9
    outcome = resume(begun_run(run_path), request, Lines(io.StringIO()))
    assert outcome.failures == []
    measured = repetitions(run_path)
    assert tuple(entry for _, entry in measured) == read_plan(run_path / "plan.json").entries
    for folder in scenario_folders(run_path):
        assert check_files(folder, read_manifest(folder.manifest)).is_intact
        assert [phase.sitting for phase in read_phases(folder.phases) if phase.name == "cold"] == [1, 2]


def is_over(run_path: Path) -> bool:
    """Whether each scenario is done and sealed."""
    folders = scenario_folders(run_path)
    done = all(read_status(folder.status).state is State.DONE for folder in folders)
    return done and all(read_manifest(folder.manifest).checksums for folder in folders)
