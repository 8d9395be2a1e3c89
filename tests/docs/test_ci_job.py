"""The job of docs/statistics.md: its steps, as GitHub's runner runs them, on stored runs and on a small measurement."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from doc_pages import ROOT, titled
from scattered_runs import IDLE_W, make_scattered

JOB: dict[str, Any] = yaml.safe_load(titled(ROOT / "docs/statistics.md", ".github/workflows/energy.yml"))["jobs"][
    "compare"
]
RNG = np.random.default_rng(11)


def step(name: str) -> str:
    """The script of a step."""
    (found,) = [one["run"] for one in JOB["steps"] if one.get("name") == name]
    return str(found)


def environment(folder: Path, base: str) -> dict[str, str]:
    """What a runner sets, and what the job does with it."""
    given = {name: value.replace("origin/${{ github.base_ref }}", base) for name, value in JOB["env"].items()}
    assert not any("${{" in value for value in given.values())
    return os.environ | given | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "RUNNER_TEMP": str(folder / "temp"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        "TERRAWATT_EXPERIMENT__LOCK": str(folder / "lock"),
    }  # fmt: skip


def run(script: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a script in the shell that the job asks for."""
    assert JOB["defaults"]["run"]["shell"] == "bash"  # by GitHub's documentation the command line below
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    work = folder / "work"
    return subprocess.run(
        command, cwd=work, env=environment(folder, "main") | more, capture_output=True, text=True, check=False
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("work", "temp"):
        (tmp_path / name).mkdir()
    return tmp_path


def measured(folder: Path, excess: float, n: int, scatter: float) -> None:
    """Runs 1 and 2 of a job: net energies that scatter by a share, and those of the second larger by another."""
    results = folder / "temp" / "energy"
    for number, (label, share) in enumerate({"before": 0.0, "after": excess}.items(), start=1):
        scattered = RNG.normal(size=n)
        scattered = scatter * (scattered - scattered.mean()) / scattered.std(ddof=1)
        make_scattered(results, number, **{label: list(IDLE_W + 50 * (1 + share) * (1 + scattered))})
    (results / "conso").rename(results / "ci")


def test_a_planted_increase_above_the_limit_fails_the_job(folder: Path) -> None:
    measured(folder, 0.08, n=10, scatter=0.01)
    ended = run(step("Compare"), folder)
    assert ended.returncode == 4
    assert "after: above the limit: Energy (plug) +" in (folder / "summary.md").read_text("utf-8")
    assert "up to +5 % are allowed" in ended.stderr


def test_a_planted_increase_within_the_limit_passes(folder: Path) -> None:
    measured(folder, 0.01, n=10, scatter=0.01)
    ended = run(step("Compare"), folder)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "after: within the limit: " in (folder / "summary.md").read_text("utf-8")


def test_an_increase_that_is_uncertain_says_so_and_fails_only_where_that_is_asked_for(folder: Path) -> None:
    measured(folder, 0.05, n=4, scatter=0.03)
    ended = run(step("Compare"), folder)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "after: undecided: " in (folder / "summary.md").read_text("utf-8")
    strict = step("Compare").replace("--fail-above 5%", "--fail-above 5% --fail-undecided")
    assert run(strict, folder).returncode == 5


def test_the_job_measures_both_versions_and_compares_them(folder: Path) -> None:
    work = folder / "work"
    git = ["git", "-C", str(work), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    (work / "bench.py").write_text("sum(range(100_000)); __import__('time').sleep(0.6)\n", encoding="utf-8")
    for command in (["init", "-qb", "main"], ["add", "bench.py"], ["commit", "-qm", "bench"]):
        subprocess.run([*git, *command], check=True)
    (work / "bench.py").write_text("sum(range(200_000)); __import__('time').sleep(0.6)\n", encoding="utf-8")
    short = {"COLD_S": "1", "IDLE_AFTER_S": "1", "WARMUP": "0", "REPETITIONS": "3"}
    made = run(step("Measure"), folder, TERRAWATT_SAMPLING__INTERVAL_S="0.1", TERRAWATT_EMISSIONS__ENABLED="false",
               **{f"TERRAWATT_PROTOCOL__{name}": value for name, value in short.items()})  # fmt: skip
    assert made.returncode == 0, made.stderr
    runs = folder / "temp" / "energy" / "ci"
    assert sorted(path.name for path in runs.iterdir() if path.is_dir()) == ["run_1", "run_2"]
    assert "range(100_000)" in (folder / "temp" / "before" / "bench.py").read_text("utf-8")
    compared = run(step("Compare").replace("1 2", "1 2 --column Duration"), folder)
    assert "command before" in compared.stdout
    assert "command after" in compared.stdout
