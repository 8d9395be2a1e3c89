from collections.abc import Mapping
from pathlib import Path

import pytest

from terrawatt.cli import app
from terrawatt.experiment.launch import slurm
from terrawatt.experiment.request import Request


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[Request, int, Mapping[str, str]]]:
    """What would be launched; nothing is."""
    asked: list[tuple[Request, int, Mapping[str, str]]] = []

    def launch(request: Request, max_jobs: int, cluster: Mapping[str, str], _say: object) -> Path:
        asked.append((request, max_jobs, cluster))
        return tmp_path / "results/run_1"

    monkeypatch.setattr(slurm, "launch", launch)
    monkeypatch.chdir(tmp_path)
    return asked


def call(*words: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        app.main(["measure", *words])
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out, printed.err


def test_options_of_slurm(
    launched: list[tuple[Request, int, Mapping[str, str]]], capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--launcher", "slurm", "--max-jobs", "4", "--slurm", "partition=gpu", "--slurm", "--qos=a=b")
    code, out, err = call(*options, "--repetitions", "3", "--", "true", capsys=capsys)
    assert (code, err) == (0, "")
    assert out.startswith("run folder: ")
    ((request, max_jobs, cluster),) = launched
    assert request.settings.protocol.repetitions == 3
    assert (max_jobs, cluster) == (4, {"partition": "gpu", "qos": "a=b"})


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--launcher", "pbs"), "--launcher pbs: unknown; there is slurm"),
        (("--launcher", "slurm", "--slurm", "partition"), "--slurm partition: write NAME=VALUE"),
        (("--launcher", "slurm", "--progress-file", "f"), "--progress-file belongs to a run that is waited for"),
        (("--max-jobs", "2"), "--max-jobs and --slurm belong to --launcher"),
        (("--slurm", "a=b"), "--max-jobs and --slurm belong to --launcher"),
    ],
)
def test_wrong_usage_is_one_line(
    launched: list[object], words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = call(*words, "--", "true", capsys=capsys)
    assert (code, out, launched) == (2, "", [])
    assert message in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "no sbatch here: --launcher slurm works where Slurm's commands are"),
        (("--until-ci", "2%"), "--until-ci cannot be launched"),
        (("--slurm", "time=1:00:00"), "--slurm time=1:00:00: give whole minutes"),
    ],
)
def test_what_cannot_be_launched_leaves_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    _, out, err = call("--launcher", "slurm", *words, "--", "true", capsys=capsys)
    assert out == ""
    assert message in err
    assert not list(tmp_path.iterdir())
