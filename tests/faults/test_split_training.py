"""A real training in two processes by a split file, killed in its second repetition and resumed."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from faults.lab import PATIENCE_S, Lab, eventually
from terrawatt.data.archive import open_archive
from terrawatt.data.packer import pack_archive
from terrawatt.data.packformat import SPLITS
from terrawatt.data.splitfile import read_split
from terrawatt.data.synth import synthesise
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.manifest import read_manifest
from terrawatt.runs.status import State, read_status

SMALL = ("--model", "s-cnn-rgb", "--hidden", "0", "--epochs", "1", "--batch", "8", "--device", "cpu")
SOURCE = '[[sources]]\nname = "estimate"\nkind = "estimate"'


def terrawatt(lab: Lab, *arguments: str) -> "subprocess.Popen[str]":
    """A command in a session of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "terrawatt", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=lab.folder,
        start_new_session=True,
    )
    lab.runs.append(process)
    return process


def succeed(process: "subprocess.Popen[str]") -> None:
    out, _ = process.communicate(timeout=2 * PATIENCE_S)
    assert process.returncode == 0, out


def states(folder: RunFolder) -> list[State]:
    return [one.state for one in read_status(folder.status).repetitions] if folder.status.exists() else []


@pytest.mark.slow
def test_a_run_by_a_split_file_in_two_processes_goes_on_after_a_kill(lab: Lab) -> None:
    synthesise(lab.folder / "archive", version="v1", patches=40, seed=1)
    pack_archive(open_archive(lab.folder / "archive"), lab.folder / "pack")
    made = ("--random", "--sizes", "0.5", "0.25", "0.25", "--seed", "3", "--out", "split.parquet")
    succeed(terrawatt(lab, "data", "split", "archive", *made))
    lab.config([SOURCE], cold_s=0.2, repetitions=2)
    options = ("--data", "pack", "--split", "split.parquet", "--nproc", "2", "--threads", "2")
    runner = terrawatt(lab, "run", *SMALL, *options)
    folder = RunFolder(lab.folder / "results/faults/run_1")
    eventually(lambda: runner.poll() is not None or State.DONE in states(folder), "a first repetition")
    os.killpg(runner.pid, signal.SIGKILL)
    runner.wait()
    assert State.DONE in states(folder)

    succeed(terrawatt(lab, "run", "--resume", "1"))
    assert states(folder) == [State.DONE] * 2
    split = read_split(lab.folder / "split.parquet")
    parameters = read_manifest(folder.manifest).scenario.parameters
    assert (parameters["split"], parameters["nproc"]) == (split.digest[:12], 2)
    for repetition in (1, 2):
        record = json.loads(folder.output_of(repetition, "training.json").read_bytes())
        assert record["processes"] == 2
        assert Path(record["split"]["file"]).name == "split.parquet"
        assert record["split"]["seed"] == 3
        assert (record["n_train"], record["n_test"]) == (split.size("train"), split.size("test"))
    tested = np.load(folder.output / "patch_ids.npy")
    wanted = np.array(split.patch_ids)[split.parts == SPLITS.index("test")]
    assert sorted(tested.tolist()) == sorted(wanted.tolist())
