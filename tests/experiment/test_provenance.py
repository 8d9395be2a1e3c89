import json
import subprocess
from pathlib import Path

import pytest

from terrawatt import __version__
from terrawatt.experiment import provenance

GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")


def test_the_machine_is_described_for_a_manifest() -> None:
    machine = provenance.machine()
    assert machine["memory_bytes"] > 0
    assert machine["usable_threads"] >= 1
    assert json.loads(json.dumps(machine)) == machine


def test_only_variables_that_change_what_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setenv("SECRET_TOKEN", "secret")
    machine = provenance.machine()
    assert machine["environment"]["OMP_NUM_THREADS"] == "2"
    assert "secret" not in json.dumps(machine)


def test_versions_without_a_repository(tmp_path: Path) -> None:
    versions = provenance.versions(tmp_path)
    assert versions["terrawatt"] == __version__
    assert "numpy" in versions
    assert "commit" not in versions


def test_the_commit_and_whether_files_differ_from_it(tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        return subprocess.run((*GIT, *arguments), cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    git("init", "-q")
    (tmp_path / "file").write_text("a")
    git("add", "file")
    git("commit", "-q", "-m", "first")
    commit = git("rev-parse", "HEAD").strip()
    assert provenance.versions(tmp_path)["commit"] == commit
    (tmp_path / "file").write_text("b")
    assert provenance.versions(tmp_path)["commit"] == f"{commit}+changes"


def test_programs_that_are_missing_are_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "gpus" not in provenance.machine()
    assert "commit" not in provenance.versions(Path(__file__).parent)
