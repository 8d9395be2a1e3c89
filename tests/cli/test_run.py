import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from run_folders import Recipe, make_run
from terrawatt.cli import app
from terrawatt.cli import run as command
from terrawatt.cli.scenario_options import NAMES
from terrawatt.errors import PackError
from terrawatt.experiment import runner
from terrawatt.experiment.runner import Outcome, Request
from terrawatt.experiment.scenario_run import OnFailure
from terrawatt.records import Scenario
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.manifest import read_manifest, write_manifest
from terrawatt.runs.status import State
from terrawatt.training.options import from_parameters

TWO = """
fixed_args: {options: {'--loss': BCEWithLogits, '--epochs': 2}}
varying_args:
  groups:
    - options: {'--model': ShortCNN, '--rgb': 1, '--lr': 0.001}
    - options: {'--model': s-cnn-all, '--lr': 0.01}
"""


def call(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        app.main(["run", *arguments])
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out, printed.err


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Request]:
    """What the runner is asked for; nothing is run, and every pack is a good one."""
    asked: list[Request] = []

    def run(request: Request, _progress: object) -> Outcome:
        asked.append(request)
        return Outcome(tmp_path / "results/run_1", {})

    monkeypatch.setattr(runner, "run", run)
    monkeypatch.setattr(command, "_check_pack", lambda path, _trainings: {"path": str(path), "patches": 3})
    monkeypatch.chdir(tmp_path)
    return asked


@pytest.fixture
def param_file(tmp_path: Path) -> Path:
    path = tmp_path / "two.yaml"
    path.write_text(TWO)
    return path


def test_one_scenario_from_the_seeds_options(requests: list[Request], capsys: pytest.CaptureFixture[str]) -> None:
    words = "--model s-cnn-all --optim Adam --lr 0.01 --loss MSE --epochs 10.0 --batch 50 --count 0 --seed 7"
    code, out, err = call(*words.split(), "--data", "my/pack", "--repetitions", "3", capsys=capsys)
    assert (code, err) == (0, "")
    assert "next: terrawatt summary 1" in out
    (request,) = requests
    (scenario,) = request.scenarios
    assert scenario.parameters["model"] == "s-cnn-all"
    assert (scenario.parameters["epochs"], scenario.parameters["lr"], scenario.seed) == (10, 0.01, 7)
    assert request.settings.protocol.repetitions == 3
    assert request.data == {"path": "my/pack", "patches": 3}
    assert request.on_failure is OnFailure.CONTINUE


def test_a_scenario_is_a_training_with_its_places(requests: list[Request], capsys: pytest.CaptureFixture[str]) -> None:
    call("--model", "s-cnn-rgb", "--lr", "0.5", "--data", "my/pack", capsys=capsys)
    argv = requests[0].scenarios[0].command
    assert argv[:5] == (sys.executable, "-P", "-m", "terrawatt", "train")
    assert argv[-7:] == ("--no-verify", "--seed", "{seed}", "--out", "{output}", "--repetition", "{repetition}")
    options = dict(zip(argv[5:-7:2], argv[6:-7:2], strict=True))
    read = from_parameters({name.removeprefix("--"): value for name, value in options.items()})
    assert read == from_parameters({"model": "s-cnn-rgb", "lr": 0.5, "data": "my/pack"})


@pytest.mark.parametrize("option", ["--param-file", "--param_file", "-f"])
def test_scenarios_of_a_parameter_file(
    requests: list[Request], param_file: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(option, str(param_file), "--batch", "20", "--data", "pack", capsys=capsys)[0] == 0
    first, second = (scenario.parameters for scenario in requests[0].scenarios)
    assert (first["model"], first["lr"], first["epochs"], first["batch"]) == ("s-cnn-rgb", 0.001, 2, 20)
    assert (second["model"], second["lr"]) == ("s-cnn-all", 0.01)


def test_the_pack_of_the_settings(
    requests: list[Request], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TERRAWATT_DATA__PACK", "settled/pack")
    assert call("--model", "s-cnn-all", capsys=capsys)[0] == 0
    assert requests[0].data["path"] == "settled/pack"
    assert "settled/pack" in requests[0].scenarios[0].command


def test_how_failures_and_other_runs_are_met(
    requests: list[Request], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    storage = str(tmp_path / "run_3")
    words = ("--on-failure", "stop", "--wait", "--storage_path", storage)
    assert call("--model", "s-cnn-all", "--data", "pack", *words, capsys=capsys)[0] == 0
    request = requests[0]
    assert (request.on_failure, request.wait, request.storage_path) == (OnFailure.STOP, True, tmp_path / "run_3")


def test_a_dry_run_lists_the_scenarios_and_runs_nothing(
    requests: list[Request], param_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = call("-f", str(param_file), "--dry-run", "--repetitions", "4", capsys=capsys)
    assert (code, err, requests) == (0, "", [])
    lines = out.splitlines()
    assert lines[0].startswith("1: model s-cnn-rgb, ")
    assert lines[1].startswith("2: model s-cnn-all, ")
    assert lines[2] == "2 scenarios of 4 repetitions; nothing was run"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TWO.replace("'--lr': 0.01", "'--lr': 0.01, '--lr': 0.02"), "two.yaml, line 6: key '--lr' stands twice"),
        (TWO.replace("'--epochs'", "'--epoch'"), "two.yaml, line 2: unknown key '--epoch'. Did you mean epochs"),
        (TWO.replace("0.001", "fast"), "two.yaml, scenario 1: "),
        (TWO.replace("s-cnn-all", "s-cnn-al"), "two.yaml, scenario 2: "),
        (TWO.replace("2}}", "10.5}}"), "two.yaml, scenario 1: "),
        (TWO.replace("'--epochs': 2", "'--batch': 2"), "--batch is given, and stands in"),
        ("fixed_args: !!python/object/apply:os.system ['true']", "two.yaml, line 1: tags like"),
    ],
)
def test_a_wrong_parameter_file_is_one_line(
    requests: list[Request], param_file: Path, text: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    param_file.write_text(text)
    code, out, err = call("-f", str(param_file), "--batch", "20", "--data", "pack", capsys=capsys)
    assert (code, out, requests) == (2, "", [])
    assert err.startswith("terrawatt: error: ")
    assert message in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "message"), [(None, "cannot be read (No such file or directory)"), (b"\xff", "not a text in UTF-8")]
)
def test_a_parameter_file_that_cannot_be_read(
    requests: list[Request], tmp_path: Path, content: bytes | None, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / "file.yaml").write_bytes(content)
    code, _, err = call("-f", str(tmp_path / "file.yaml"), capsys=capsys)
    assert code == 2
    assert message in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--model s-cnn-al --data pack", "Did you mean s-cnn-all"),
        ("--model s-cnn-all", "no data: give a pack with --data"),
        ("--data pack", "no model"),
        ("--model s-cnn-all --epochs 10.5 --data pack", "--epochs 10.5"),
    ],
)
def test_wrong_usage_is_one_line(
    requests: list[Request], words: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = call(*words.split(), capsys=capsys)
    assert (code, out, requests) == (2, "", [])
    assert message in err
    assert len(err.splitlines()) == 1


def test_one_pack_for_all_scenarios(
    requests: list[Request], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "two.yaml"
    path.write_text(
        "varying_args: {groups: [{options: {model: s-cnn-all, data: a}}, {options: {model: s-cnn-all, data: b}}]}"
    )
    code, _, err = call("-f", str(path), capsys=capsys)
    assert code == 2
    assert "read one pack" in err


class DamagedPack:
    """A pack of 200 images for training, one of which is damaged."""

    path = Path("pack")
    has_all_bands = True

    @classmethod
    def open(cls, _path: Path) -> "DamagedPack":
        return cls()

    def __len__(self) -> int:
        return 300

    def class_names(self, _n_classes: int) -> tuple[str, ...]:
        return ("Pastures",)

    def rows(self, split: str) -> range:
        return range(200 if split == "train" else 50)

    def verify(self, _progress: Any) -> None:
        raise PackError("patch 2 is damaged")


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ("100", "patch 2 is damaged"),
        ("201", "--batch 201 is larger than the train split of 200 images; give at most that"),
    ],
)
def test_a_pack_that_cannot_serve_ends_before_anything_is_measured(
    batch: str, message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("terrawatt.data.pack.Pack", DamagedPack)
    monkeypatch.chdir(tmp_path)
    code, _, err = call("--model", "s-cnn-all", "--data", "pack", "--batch", batch, capsys=capsys)
    assert (code, err) == (1, f"terrawatt: error: {message}\n")
    assert list(tmp_path.iterdir()) == []


def test_parameter_files_may_hold_every_option_of_a_scenario() -> None:
    assert {"model", "optim", "lr", "loss", "epochs", "batch", "count", "rgb", "finetune", "seed"} <= set(NAMES)


class OtherPack(DamagedPack):
    """An undamaged pack, of another content than the run's."""

    def verify(self, _progress: Any) -> None:
        return

    def fingerprint(self) -> dict[str, Any]:
        return {"path": "/pack", "index_sha256": "other"}


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of a training that was ended before its second repetition."""
    (tmp_path / "terrawatt.toml").write_text(
        f"[experiment]\nlock = '{tmp_path}/lock'\n[protocol]\ncold_s = 60\nidle_after_s = 40\n"
    )
    monkeypatch.chdir(tmp_path)
    path = make_run(tmp_path / "results", 4, Recipe(repetitions=2, states=(State.DONE, State.RUNNING)))
    folder = RunFolder(path)
    scenario = Scenario({"model": "s-cnn-all"}, ("true",), seed=7)
    data = {"path": "/pack", "index_sha256": "the run's"}
    manifest = read_manifest(folder.manifest)
    write_manifest(folder.manifest, replace(manifest, scenario=scenario, data=data, working_folder=str(tmp_path)))
    return path


def test_a_resume_looks_at_the_pack_again(
    begun: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("terrawatt.data.pack.Pack", OtherPack)
    before = RunFolder(begun).phases.read_bytes()
    code, out, err = call("--resume", str(begun), capsys=capsys)
    assert code == 1
    assert out.startswith("data: pack, 300 patches, checksums right\n")
    assert "cannot be resumed with these changes" in err  # its meter is not here
    assert "  sources.plug." in err
    assert RunFolder(begun).phases.read_bytes() == before

    monkeypatch.setattr("terrawatt.data.pack.Pack", DamagedPack)
    assert call("--resume", str(begun), capsys=capsys)[2] == "terrawatt: error: patch 2 is damaged\n"


@pytest.mark.parametrize("options", [("--model", "s-cnn-all"), ("--param-file", "two.yaml"), ("--dry-run",)])
def test_a_resume_has_its_own_scenarios(
    options: tuple[str, ...], param_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = call("--resume", "1", *options, capsys=capsys)
    assert code == 2
    assert "--resume goes on with the scenarios of the run" in err


def test_a_scenario_written_in_two_ways_is_refused(
    requests: list[Request], param_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    param_file.write_text("model: [s-cnn-all, S-CNN-All]\n")
    code, _, err = call("--param-file", str(param_file), "--data", "my/pack", capsys=capsys)
    assert (code, requests) == (2, [])
    assert "scenario 2 is the same as scenario 1" in err


def test_very_many_scenarios_are_run_only_when_that_is_meant(
    requests: list[Request], param_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    param_file.write_text("varying_args: {range: {options: {seed: [0, 100001, 1]}}}\n")
    code, _, err = call("--model", "s-cnn-all", "--param-file", str(param_file), "--dry-run", capsys=capsys)
    assert (code, requests) == (2, [])
    assert "100001 scenarios; give --yes if that is meant" in err
