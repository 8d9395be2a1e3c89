"""A sweep launched on a real Slurm of one node: in turn, with true exit codes, cancelled, begun again, resumed."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from faults.lab import eventually
from servers.slurm import Slurm
from terrawatt.experiment.launch.record import Launch, part_folder, read_launch
from terrawatt.records import Window
from terrawatt.runs.layout import RunFolder, scenario_folders
from terrawatt.runs.manifest import read_manifest
from terrawatt.runs.phases import read_phases
from terrawatt.runs.status import State, read_status
from terrawatt.summary.gather import gather

TOML = """
[experiment]
name = "cluster"
results = "results"
lock = "lock"

[protocol]
cold_s = 0.6
idle_after_s = 0.3
warmup = 0
repetitions = {repetitions}

[sampling]
interval_s = 0.2
host = ["cpu"]

[emissions]
enabled = false

[[hosts.{host}.sources]]
name = "own"
kind = "estimate"
"""


@pytest.fixture(scope="module")
def slurm() -> Iterator[Slurm]:
    with Slurm() as running:
        yield running


class Cluster:
    """A project on the shared disk of a cluster."""

    def __init__(self, folder: Path, slurm: Slurm) -> None:
        self.folder, self.slurm = folder, slurm

    def settings(self, repetitions: int) -> None:
        host = os.uname().nodename.partition(".")[0]
        (self.folder / "terrawatt.toml").write_text(TOML.format(repetitions=repetitions, host=host))

    def terrawatt(self, *words: str, code: int = 0) -> str:
        """A command as a user types it on the login node; its output."""
        ended = subprocess.run(
            [sys.executable, "-m", "terrawatt", *words],
            cwd=self.folder,
            env=self.slurm.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ended.returncode == code, ended.stdout + ended.stderr
        return ended.stdout + ended.stderr

    def launch(self, *command: str, options: Sequence[str] = ()) -> Path:
        out = self.terrawatt("measure", "--launcher", "slurm", *options, "--", *command)
        return Path(out.split("run folder: ")[1].strip())

    def jobs(self, run: Path) -> dict[int, str]:
        return dict(read_launch(run).jobs)

    def await_end(self, run: Path) -> Launch:
        """Wait until none of its jobs is queued or runs."""
        launch = read_launch(run)
        for part, job in launch.jobs.items():
            eventually(lambda job=job: job not in self.slurm.states(), f"job {job} of part {part} ends")
        return launch


@pytest.fixture
def cluster(tmp_path: Path, slurm: Slurm) -> Cluster:
    return Cluster(tmp_path, slurm)


def span(folder: RunFolder) -> Window:
    windows = [phase.window for phase in read_phases(folder.phases)]
    return Window(min(window.start_ns for window in windows), max(window.end_ns for window in windows))


def states(run: Path) -> list[State]:
    return [read_status(folder.status).state for folder in scenario_folders(run)]


@pytest.mark.slow
def test_three_blocks_of_two_scenarios_are_measured_one_after_the_other(cluster: Cluster) -> None:
    cluster.settings(3)
    (cluster.folder / "two.yml").write_text("varying_args: {groups: [{options: {n: 1}}, {options: {n: 2}}]}")
    options = ("--param-file", "two.yml", "--order-seed", "1", "--seed", "7")
    run = cluster.launch("sh", "-c", "echo scenario $0, seed $1; sleep 0.4", "{n}", "{seed}", options=options)
    launch = cluster.await_end(run)
    folders = scenario_folders(run)
    assert states(run) == [State.DONE] * 6, [log.read_text() for log in (run / "launch").glob("*.err")]
    spans = [span(folder) for folder in folders]  # in the order of the plan
    assert all(before.end_ns <= after.start_ns for before, after in pairwise(spans))
    rows = gather([run]).rows
    measured = [(row.values["Block"], row.values["n"], row.values["Repetition"], row.values["Seed"]) for row in rows]
    assert measured == [(one.block, one.scenario, one.repetition, 6 + one.repetition) for one in launch.entries]
    assert [one.block for one in launch.entries] == [1, 1, 2, 2, 3, 3]
    for folder, (_, n, _, seed) in zip(folders, measured, strict=True):
        assert f"scenario {n}, seed {seed}" in folder.log.read_text()
        manifest = read_manifest(folder.manifest)
        assert [source.name for source in manifest.sources] == ["own"]  # of [hosts.NAME]
        assert manifest.store == "telemetry.sqlite"
        assert manifest.checksums
    assert len(list((run / "launch").glob("*_log.out"))) == 6


@pytest.mark.slow
def test_exit_codes_count_and_what_failed_is_submitted_again(cluster: Cluster) -> None:
    cluster.settings(1)
    good = cluster.folder / "good"
    run = cluster.launch("sh", "-c", f"test -e {good}")
    (failed,) = cluster.await_end(run).jobs.values()
    assert states(run) == [State.FAILED]
    assert cluster.slurm.completed()[failed] == "FAILED"
    good.touch()
    assert "0 of 1 jobs are done, 0 queued or running" in cluster.terrawatt("measure", "--resume", str(run))
    (again,) = cluster.await_end(run).jobs.values()
    assert states(run) == [State.DONE]
    assert cluster.slurm.completed()[again] == "COMPLETED"
    assert "measured again: an earlier attempt was failed" in part_folder(run, 1).log.read_text()
    assert "1 of 1 jobs are done" in cluster.terrawatt("measure", "--resume", str(run))
    assert dict(read_launch(run).jobs) == {1: again}


@pytest.mark.slow
def test_cancelled_jobs_are_interrupted_and_a_resume_submits_what_is_left(cluster: Cluster) -> None:
    cluster.settings(2)
    begun, go_on = cluster.folder / "begun", cluster.folder / "go-on"
    wait = f"touch {begun}; while ! test -e {go_on}; do sleep 0.1; done"
    run = cluster.launch("sh", "-c", wait)
    eventually(begun.exists, "the first job measures")
    assert "0 of 2 jobs are done, 2 queued or running" in cluster.terrawatt("measure", "--resume", str(run))
    cluster.slurm.call("scancel", cluster.jobs(run)[1].partition("_")[0])
    cluster.await_end(run)
    assert states(run) == [State.INTERRUPTED, State.PENDING]
    assert "repetitions 0 of 2 done" in cluster.terrawatt("status", str(run))
    go_on.touch()
    cluster.terrawatt("measure", "--resume", str(run))
    cluster.await_end(run)
    assert states(run) == [State.DONE] * 2


@pytest.mark.slow
def test_a_job_that_a_node_loses_is_begun_again_by_slurm(cluster: Cluster) -> None:
    cluster.settings(1)
    begun, go_on = cluster.folder / "begun", cluster.folder / "go-on"
    run = cluster.launch("sh", "-c", f"echo x >> {begun}; while ! test -e {go_on}; do sleep 0.1; done")
    eventually(begun.exists, "the job measures")
    (job,) = cluster.jobs(run).values()
    cluster.slurm.call("scontrol", "requeue", job)
    go_on.touch()
    eventually(lambda: cluster.slurm.states().get(job) == "PENDING", "the job is taken from its node")
    cluster.slurm.call("scontrol", "update", f"jobid={job}", "starttime=now")  # not in two minutes
    cluster.await_end(run)
    assert states(run) == [State.DONE]
    assert begun.read_text() == "x\nx\n"
    assert len(gather([run]).rows) == 1
