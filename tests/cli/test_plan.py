import json
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from run_folders import Recipe, make_run
from scattered_runs import change_manifest
from terrawatt.cli import app
from terrawatt.cli import run as run_command
from terrawatt.experiment import runner
from terrawatt.experiment.runner import Outcome, Request
from terrawatt.records import Order

FILE = "model: [s-cnn-all, s-cnn-rgb]\nepochs: [2, 4]\nbatch: 100\nlr: [0.1, 0.01]\n"
PARAMETERS = (
    ("model", "s-cnn-all"), ("optim", "SGD"), ("loss", "BCEWithLogits"), ("lr", 0.001), ("batch", 100), ("epochs", 2),
    ("seed", 7), ("labels", 19), ("precision", "fp32"), ("hidden", 128),
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "terrawatt.toml").write_text('[experiment]\nname = "conso"\n[protocol]\nrepetitions = 4\n')
    (tmp_path / "plan.yaml").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def plan(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        app.main(["plan", *arguments])
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out, printed.err


def measured(folder: Path, host: str) -> None:
    path = make_run(folder / "results", 1, replace(Recipe(), parameters=PARAMETERS))
    change_manifest(path, host=host, checksums={})


def test_a_plan_by_earlier_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    measured(folder, socket.gethostname())
    code, out, err = plan(capsys, "plan.yaml")
    assert (code, err) == (0, "")
    assert out.startswith("8 scenarios of 4 repetitions: 4 blocks, blocks; 64 executions with warm-ups")
    assert "2 x model s-cnn-all, epochs 2: about 1 min 00 s" in out
    assert "2 x model s-cnn-all, epochs 4: about 1 min 16 s (1 min 16 s to 2 min 00 s)" in out
    assert "2 x model s-cnn-rgb, epochs 2: not known: it was not measured here" in out
    assert "without 4 scenarios of which nothing is known" in out


def test_runs_of_another_machine_are_not_used(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    measured(folder, "elsewhere")
    code, out, _ = plan(capsys, "plan.yaml")
    assert code == 0
    assert "note: 1 earlier scenarios are not used: they are of the machine elsewhere" in out
    assert "duration, energy, emissions, disk: not known" in out


def test_one_scenario_by_its_options_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    measured(folder, socket.gethostname())
    code, out, _ = plan(capsys, "--model", "s-cnn-all", "--epochs", "2", "-n", "5", "--order", "blocks", "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["scenarios"], found["repetitions"], found["order"]) == (1, 5, Order.SEQUENTIAL)
    assert found["parts"][0]["cost"]["origin"] == "measured"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give a parameter file, a scenario"),
        (("plan.yaml", "--lr", "0.5"), "--lr is given, and stands in plan.yaml too"),
        (("plan.yaml", "--detect", "5%", "--from", "1"), "give no scenarios"),
        (("plan.yaml", "--pilot", "--json"), "make it first"),
        (("--resume", "1"), "--resume belongs to terrawatt run"),
        (("--model", "s-cnn-al"), "unknown model"),
        (("nowhere.yaml",), "nowhere.yaml: cannot be read"),
    ],
)
def test_wrong_usage_is_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    code, _, err = plan(capsys, *arguments)
    assert code == 2
    assert message in err


def test_a_wrong_value_in_a_list_names_the_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "plan.yaml").write_text("model: s-cnn-all\nepochs: [10, 10.5]\n")
    code, _, err = plan(capsys, "plan.yaml")
    assert code == 2
    assert "plan.yaml: --epochs 10.5" in err


def test_a_million_scenarios_are_planned_only_when_that_is_meant(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "plan.yaml").write_text(
        "fixed_args: {options: {model: s-cnn-all}}\n"
        "varying_args: {range: {options: {seed: [0, 1000, 1], batch: [1, 1001, 1]}}}\n"
    )
    code, _, err = plan(capsys, "plan.yaml")
    assert code == 2
    assert "1000000 scenarios; give --yes if that is meant, as there is no terminal to ask" in err
    code, out, _ = plan(capsys, "plan.yaml", "--yes")
    assert code == 0
    assert out.startswith("1000000 scenarios of 4 repetitions")


@pytest.fixture
def asked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """The runs that a pilot would have made."""
    requests: list[Request] = []

    def run(request: Request, _progress: object) -> Outcome:
        requests.append(request)
        return Outcome(folder / "results/conso/run_5", {})

    monkeypatch.setattr(runner, "run", run)
    monkeypatch.setattr(run_command, "_check_pack", lambda path, _trainings: {"path": str(path)})
    return requests


def test_a_pilot_is_one_epoch_of_each_kind_under_a_short_protocol(
    asked: list[Request], capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = plan(capsys, "plan.yaml", "--pilot", "--data", "my/pack", "--cold", "300")
    assert code == 0
    assert "run_5" in err
    assert out.startswith("8 scenarios of 4 repetitions")
    (request,) = asked
    trained = [(one.parameters["model"], one.parameters["epochs"]) for one in request.scenarios]
    assert trained == [("s-cnn-all", 1), ("s-cnn-rgb", 1)]
    protocol = request.settings.protocol
    assert (protocol.repetitions, protocol.cold_s, protocol.warmup, protocol.order) == (1, 30, 1, Order.SEQUENTIAL)


def test_a_pilot_has_a_second_epoch_where_the_first_computes_features_for_all(
    folder: Path, asked: list[Request], capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "weights.pt").touch()
    (folder / "plan.yaml").write_text(
        "model: inception-v3-transfer\nweights: weights.pt\nepochs: 10\ncache-features: [none, memory]\n"
    )
    code, _, err = plan(capsys, "plan.yaml", "--pilot", "--data", "my/pack")
    assert code == 0, err
    (request,) = asked
    trained = [(one.parameters.get("cache-features"), one.parameters["epochs"]) for one in request.scenarios]
    assert trained == [(None, 1), ("memory", 2)]


def test_a_scenario_written_in_two_ways_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "plan.yaml").write_text("model: [s-cnn-all, S-CNN-All]\nepochs: 2\n")
    code, _, err = plan(capsys, "plan.yaml")
    assert code == 2
    assert "plan.yaml: s-cnn-all stands in it twice, written in two ways" in err
