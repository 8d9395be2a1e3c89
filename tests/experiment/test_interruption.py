"""Runs that are ended from outside: signals to the runner, kills, a second run."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from terrawatt.runs.integrity import check_files
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.manifest import read_manifest
from terrawatt.runs.phases import read_phases
from terrawatt.runs.status import State, read_status
from terrawatt.runs.times import read_times

Start = Callable[..., "subprocess.Popen[str]"]
Eventually = Callable[[Callable[[], object], str], None]

# Tells its process id and a child's, then goes on for ever.
ENDLESS = ("sh", "-c", "sleep 600 & echo pids $$ $!; wait")


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "results/flying/run_1")


def pids_in(log: Path) -> list[int]:
    """What the workload told of itself, once it has."""
    text = log.read_text() if log.exists() else ""
    told = [line.split()[1:] for line in text.splitlines() if line.startswith("pids ")]
    return [int(pid) for pid in told[-1]] if told else []


def phase_names(folder: RunFolder) -> list[str]:
    return [phase.name for phase in read_phases(folder.phases)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_run_in_order(
    started: Start,
    eventually: Eventually,
    is_running: Callable[[int], bool],
    folder: RunFolder,
    number: signal.Signals,
) -> None:
    runner = started("--warmup", "0", "--", *ENDLESS)
    eventually(lambda: len(pids_in(folder.log)) == 2, "the start of the workload")
    children = [child.pid for child in psutil.Process(runner.pid).children(recursive=True)]
    runner.send_signal(number)
    out, err = runner.communicate()
    assert runner.returncode == 130
    assert err == f"terrawatt: error: ended by {number.name}; what was measured before is in {folder.path}\n"
    assert "Traceback" not in out
    assert not any(map(is_running, [*children, *pids_in(folder.log)]))

    status = read_status(folder.status)
    assert (status.state, status.reason) == (State.INTERRUPTED, f"ended by {number.name}")
    assert [entry.state for entry in status.repetitions] == [State.INTERRUPTED, State.PENDING]
    assert status.of(1).result is not None
    assert status.of(1).result.reason == "interrupted"
    assert phase_names(folder) == ["cold", "repetition"]
    assert len(read_times(folder.times)) == 4
    assert read_manifest(folder.manifest).checksums
    assert list(folder.path.parents[2].glob("terrawatt-*")) == []  # no scratch is left


def test_a_run_that_is_ended_while_cold(started: Start, eventually: Eventually, folder: RunFolder) -> None:
    runner = started("--cold", "600", "--", "true")
    eventually(folder.manifest.exists, "the manifest")
    runner.send_signal(signal.SIGINT)
    assert runner.wait(60) == 130
    assert read_status(folder.status).state is State.INTERRUPTED
    assert phase_names(folder) == []


def test_a_killed_runner_leaves_a_readable_folder_and_no_process(
    started: Start, eventually: Eventually, is_running: Callable[[int], bool], folder: RunFolder
) -> None:
    runner = started("--warmup", "0", "--", *ENDLESS)
    eventually(lambda: len(pids_in(folder.log)) == 2, "the start of the workload")
    children = [child.pid for child in psutil.Process(runner.pid).children(recursive=True)]
    assert len(children) >= 4  # sampler, guard, the workload and its child
    runner.kill()
    runner.wait()
    eventually(lambda: not any(map(is_running, [*children, *pids_in(folder.log)])), "the end of all processes")

    assert phase_names(folder) == ["cold"]
    assert len(read_times(folder.times)) == 2
    assert read_status(folder.status).state is State.RUNNING  # nobody could tell
    assert read_manifest(folder.manifest).run == "run_1"
    eventually(lambda: not list(folder.path.parents[2].glob("terrawatt-*")), "the end of the scratch folder")

    again = started("--warmup", "0", "-n", "1", "--", "true")  # the lock is free
    assert again.wait(60) == 0
    assert RunFolder(folder.path.with_name("run_2")).manifest.exists()


def test_codecarbon_ends_with_a_killed_runner(
    started: Start, eventually: Eventually, is_running: Callable[[int], bool], config: Path, folder: RunFolder
) -> None:
    config.write_text(config.read_text().replace("enabled = false", "enabled = true"))
    runner = started("--cold", "600", "--", "true")
    eventually(folder.manifest.exists, "the manifest")
    children = psutil.Process(runner.pid).children(recursive=True)
    assert any("emissions_process" in " ".join(child.cmdline()) for child in children)
    runner.kill()
    runner.wait()
    eventually(lambda: not any(is_running(child.pid) for child in children), "the end of all processes")


def test_a_second_run_waits_in_turn(started: Start, eventually: Eventually, folder: RunFolder) -> None:
    first = started("--warmup", "0", "--", *ENDLESS)
    eventually(lambda: len(pids_in(folder.log)) == 2, "the start of the workload")
    refused = started("--", "true")
    _, err = refused.communicate()
    assert refused.returncode == 1
    assert f"process {first.pid} " in err
    assert len(err.splitlines()) == 1

    second = started("--warmup", "0", "-n", "1", "--wait", "--", "true")
    assert second.stdout is not None
    assert second.stdout.readline() == f"waiting for process {first.pid}, {folder.path} to end\n"
    first.send_signal(signal.SIGINT)
    assert first.wait(60) == 130
    assert second.wait(60) == 0
    assert read_status(RunFolder(folder.path.with_name("run_2")).status).state is State.DONE


def test_waiting_can_be_ended(started: Start, eventually: Eventually, folder: RunFolder) -> None:
    started("--warmup", "0", "--", *ENDLESS)
    eventually(lambda: len(pids_in(folder.log)) == 2, "the start of the workload")
    second = started("--wait", "--", "true")
    assert second.stdout is not None
    second.stdout.readline()
    second.send_signal(signal.SIGINT)
    assert second.wait(60) == 130
    assert [path.name for path in folder.path.parent.iterdir()] == ["run_1"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk; test_runner.py simulates a full one")
def test_a_disk_that_is_really_full(started: Start, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(("mount", "-t", "tmpfs", "-o", "size=110m", "none", str(disk)), check=False)
    if mounted.returncode != 0:
        pytest.skip("this machine lets nobody mount")
    try:
        program = ("sh", "-c", 'dd if=/dev/zero of="$1/big" bs=1M count=200 status=none', "sh", "{output}")
        runner = started("--results", str(disk), "--warmup", "0", "--", *program)
        _, err = runner.communicate()
        assert runner.returncode == 1
        assert len(err.splitlines()) == 1
        assert "No space left on device" in err
        folder = RunFolder(disk / "flying/run_1")
        json.loads(folder.status.read_text())
        assert read_manifest(folder.manifest).run == "run_1"
        assert phase_names(folder)[0] == "cold"
    finally:
        subprocess.run(("umount", str(disk)), check=True)


@pytest.fixture
def other_lock(config: Path) -> Path:
    """Settings of a machine of its own, so to say, with the same results folder."""
    path = config.with_name("other.toml")
    path.write_text(config.read_text().replace("/lock", "/other-lock"))
    return path


def test_a_run_under_way_cannot_be_resumed(
    started: Start, eventually: Eventually, folder: RunFolder, other_lock: Path
) -> None:
    first = started("--warmup", "0", "--", *ENDLESS)
    eventually(lambda: len(pids_in(folder.log)) == 2, "the start of the workload")
    before = folder.status.read_bytes()
    here = started("--resume", "1")
    assert f"process {first.pid} " in here.communicate()[1]
    elsewhere = started("--config", str(other_lock), "--resume", "1")
    _, err = elsewhere.communicate()
    where = f"process {first.pid} on {socket.gethostname()}"
    assert err == f"terrawatt: error: {folder.path}: is in use: {where} measures it; wait for its end\n"
    assert (here.returncode, elsewhere.returncode) == (1, 1)
    assert folder.status.read_bytes() == before
    assert first.poll() is None


def test_two_runs_into_one_results_folder_have_folders_of_their_own(
    started: Start, folder: RunFolder, other_lock: Path
) -> None:
    options = ("--warmup", "0", "-n", "1", "--", "sleep", "0.5")
    runs = [started(*options), started("--config", str(other_lock), *options)]
    assert [run.wait(120) for run in runs] == [0, 0]
    for number in (1, 2):
        one = RunFolder(folder.path.with_name(f"run_{number}"))
        assert read_status(one.status).state is State.DONE
        assert check_files(one, read_manifest(one.manifest)).is_intact
        assert phase_names(one) == ["cold", "repetition", "idle"]
    assert len(list(folder.path.parent.iterdir())) == 2
