"""The seed's three commands, without Qanat: its executables get what Qanat 0.1.0 was seen to give them.

argv without a shell, `[command, executable, options…, --storage_path, ABSOLUTE]`, in the project's root; the run's
folders and their files are there; a program that was started has its stdout and stderr in them.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from terrawatt.cli import qanat as commands
from terrawatt.data.archive import open_archive
from terrawatt.data.packer import pack_archive
from terrawatt.data.synth import synthesise
from terrawatt.experiment.grid import expand
from terrawatt.runs.layout import RunFolder, scenario_folders
from terrawatt.runs.manifest import read_manifest
from terrawatt.runs.phases import read_phases

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
NAME = "conso-classif-deep"

SETTINGS = """
[experiment]
name = "conso-classif-deep"

[data]
pack = "pack"

[protocol]
cold_s = 1
idle_after_s = 0.5
warmup = 0
repetitions = 1

[sampling]
interval_s = 0.2
host = ["cpu"]

[emissions]
enabled = false
"""

TWO = """
fixed_args:
  options: {'--loss': BCEWithLogits, '--optim': SGD, '--count': 1, '--hidden': 0, '--threads': 1}
varying_args:
  range:
    options: {'--epochs': [1, 2, 1]}
  groups:
    - options: {'--model': ShortCNN, '--rgb': 1, '--lr': 0.001, '--batch': 8}
    - options: {'--model': ShortCNN, '--rgb': 0, '--lr': 0.001, '--batch': 8}
"""


@dataclass
class Qanat:
    """A project, and what Qanat does in it."""

    root: Path

    @property
    def experiment(self) -> dict[str, Any]:
        """The experiment as `qanat experiment new -f` takes it over."""
        return dict(yaml.safe_load((self.root / "experiments/conso_classif_deep/experiment.yml").read_text()))

    def run(self, number: int, *groups: Mapping[str, Any], at_once: bool = False) -> Path:
        """`qanat experiment run`; with `at_once` as of `--n_threads` with the number of groups."""
        path = self.root / "results" / NAME / f"run_{number}"
        folders = [path] if len(groups) == 1 else [path / f"group_{i}" for i in range(len(groups))]
        head = [self.experiment["executable_command"], self.experiment["executable"]]
        commands = [
            [*head, *(str(word) for option in group.items() for word in option), "--storage_path", str(folder)]
            for group, folder in zip(groups, folders, strict=True)
        ]
        for folder, group, command in zip(folders, groups, commands, strict=True):
            folder.mkdir(parents=True)
            info = {"command": " ".join(command), "parameters": dict(group)}
            (folder / "group_info.yaml").write_text(yaml.dump(info))
        info = {"run_id": number, "commands": [" ".join(command) for command in commands], "storage_path": str(path)}
        (path / "info.yaml").write_text(yaml.dump(info | {"status": ["running"] * len(groups)}))
        self._carry_out(commands, folders, at_once)
        (path / "info.yaml").write_text(yaml.dump(info | {"status": ["finished"] * len(groups)}))
        return path

    def _carry_out(self, commands: Sequence[Sequence[str]], folders: Sequence[Path], at_once: bool) -> None:
        started: list[tuple[subprocess.Popen[bytes], Path]] = []
        for command, folder in zip(commands, folders, strict=True):
            with (folder / "stdout.txt").open("w") as out, (folder / "stderr.txt").open("w") as err:
                process = subprocess.Popen(command, stdout=out, stderr=err, cwd=self.root, env=self.environment)
            started.append((process, folder))
            if not at_once:
                process.wait(300)
        for process, folder in started:
            assert process.wait(300) == 0, (folder / "stderr.txt").read_text()

    def action(self, name: str, run: int, *arguments: str) -> str:
        """`qanat experiment action`: what it printed."""
        (action,) = (found[name] for found in self.experiment["actions"] if name in found)
        storage = ("--storage_path", f"results/{NAME}/run_{run}")
        return self.call([action["executable_command"], action["executable"], *arguments, *storage], self.root)

    def call(self, command: Sequence[str], folder: Path) -> str:
        """Another program, which must succeed."""
        ended = subprocess.run(
            command, cwd=folder, env=self.environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert (ended.returncode, ended.stderr) == (0, "")
        return ended.stdout

    @property
    def environment(self) -> dict[str, str]:
        """That of a shell in which terrawatt's environment is activated."""
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        return os.environ | {"PATH": path, "TMPDIR": str(self.root.parent)}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Qanat:
    """A project of Qanat with the experiments of this repository, settings and a small pack."""
    root = tmp_path_factory.mktemp("lab") / "performance-tracking"
    root.mkdir()
    synthesise(root.parent / "archive", version="v1", patches=24, seed=1)
    pack_archive(open_archive(root.parent / "archive"), root / "pack")
    (root / "terrawatt.toml").write_text(SETTINGS)
    (root / "experiments").symlink_to(EXPERIMENTS)
    return Qanat(root)


def progress_in_percent(folder: Path) -> float:
    """As Qanat reads it: 100 once it is finished, else the sum of the counts."""
    head, *counts = (folder / "progress.txt").read_text().split()
    name, total = head.split("=")
    assert name == "count_total"
    return 100.0 if counts[-1:] == ["finished"] else 100 * sum(map(int, counts)) / int(total)


def test_qanat_finds_what_the_description_names(project: Qanat) -> None:
    described = project.experiment
    assert described["name"] == NAME
    named = [described, *(action for entry in described["actions"] for action in entry.values())]
    assert [entry["name"] for entry in named] == [NAME, "summary", "report"]
    for entry in named:
        assert (project.root / entry["executable"]).is_file()
        assert entry["executable_command"].split() == ["python"]
    assert (project.root / described["path"]).is_dir()


@pytest.fixture(scope="module")
def single(project: Qanat) -> Path:
    """The seed's first command; values of a command line are texts."""
    options = {"--model": "ShortCNN", "--optim": "SGD", "--lr": "0.001", "--loss": "BCEWithLogits", "--epochs": "1"}
    more = {"--batch": "8", "--count": "0", "--rgb": "1", "--hidden": "0", "--threads": "1"}
    return project.run(7, options | more)


@pytest.fixture(scope="module")
def grouped(project: Qanat) -> Path:
    """The seed's second command, with as many threads as there are groups; values of a range are floats."""
    groups = [{f"--{name}": value for name, value in group.items()} for group in expand(TWO, "two.yml", None)]
    assert isinstance(groups[0]["--epochs"], float)
    return project.run(8, *groups, at_once=True)


@pytest.mark.slow
def test_one_scenario_goes_into_qanats_folder(single: Path) -> None:
    folder = RunFolder(single)
    manifest = read_manifest(folder.manifest)
    assert (manifest.scenario.parameters["model"], manifest.scenario.parameters["epochs"]) == ("s-cnn-rgb", 1)
    for name in ("times.txt", "output", "emissions", "telemetry.sqlite"):
        assert (single / name).exists()
    assert progress_in_percent(single) == 100
    assert "run folder: " in (single / "stdout.txt").read_text()
    assert not {"stdout.txt", "info.yaml", "progress.txt"} & manifest.checksums.keys()


@pytest.mark.slow
def test_groups_started_at_once_are_measured_in_turn(grouped: Path) -> None:
    folders = scenario_folders(grouped)
    assert [folder.group for folder in folders] == [0, 1]
    models = [read_manifest(folder.manifest).scenario.parameters["model"] for folder in folders]
    assert models == ["s-cnn-rgb", "s-cnn-all"]
    assert [progress_in_percent(folder.path) for folder in folders] == [100, 100]
    spans = []
    for folder in folders:
        windows = [phase.window for phase in read_phases(folder.phases)]
        spans.append((min(window.start_ns for window in windows), max(window.end_ns for window in windows)))
    for before, after in pairwise(sorted(spans)):
        assert before[1] <= after[0]


@pytest.mark.slow
def test_the_actions_make_table_and_report(project: Qanat, single: Path) -> None:
    assert "report.html" in project.action("summary", 7)
    table = pd.read_csv(single / "summary/output_all.csv")
    assert list(table["Model"]) == ["s-cnn-rgb"]
    (single / "summary/report.html").unlink()
    assert "report.html" in project.action("report", 7)
    assert (single / "summary/report.html").exists()


@pytest.mark.slow
def test_the_seeds_third_command_from_the_folder_above(project: Qanat, grouped: Path) -> None:
    script = f"{project.root.name}/experiments/conso/stats_summary.py"
    project.call(["python", script, "8", "--grouped", "True", "--file", "False"], project.root.parent)
    table = pd.read_csv(grouped / "summary/output_all.csv")
    assert list(zip(table["Run"], table["Group"], table["Model"], strict=True)) == [
        (8, 0, "s-cnn-rgb"),
        (8, 1, "s-cnn-all"),
    ]


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """The commands that an executable leads to; nothing is done."""
    asked: list[list[str]] = []
    monkeypatch.setattr(commands, "main", asked.append)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return asked


def test_a_run_waits_for_others_and_counts_for_qanat(called: list[list[str]]) -> None:
    commands.execute(["--lr", "0.30000000000000004", "--storage_path", "/results/run_3/group_0"])
    commands.execute(["--model", "s-cnn-rgb"])
    place = ["--storage_path", "/results/run_3/group_0", "--wait", "--progress-file"]
    assert called == [
        ["run", "--lr", "0.30000000000000004", *place, "/results/run_3/group_0/progress.txt"],
        ["run", "--model", "s-cnn-rgb", "--wait"],
    ]


def test_arguments_of_actions_are_those_of_the_summary(called: list[list[str]], tmp_path: Path) -> None:
    (tmp_path / "run_1/summary").mkdir(parents=True)
    commands.make_report(["--storage_path=run_1", "--intensity", "50"])
    (tmp_path / "run_1/summary/output_all.csv").touch()
    commands.make_report(["--storage_path", "run_1"])
    commands.make_report(["--storage_path", "run_1", "--file", "False"])
    assert called == [
        ["summary", "run_1", "--intensity", "50"],
        ["summary", "run_1", "--file", "True"],
        ["summary", "run_1", "--file", "False"],
    ]


def test_runs_are_those_of_the_project_that_holds_the_script(called: list[list[str]], tmp_path: Path) -> None:
    script = Path("lab/experiments/conso/stats_summary.py")
    commands.stats_summary(script, ["3", "-g", "True"])
    commands.stats_summary(script, ["3", "--results", "elsewhere"])
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab/terrawatt.toml").touch()
    commands.stats_summary(script, ["3", "4", "--file", "True"])
    assert called == [
        ["summary", "3", "-g", "True", "--results", str(tmp_path / "lab/results")],
        ["summary", "3", "--results", "elsewhere"],
        ["summary", "3", "4", "--file", "True", "--config", str(tmp_path / "lab/terrawatt.toml")],
    ]


@pytest.mark.parametrize(
    ("given", "model"),
    [
        (("--model", "ShortCNN", "--rgb", "0"), "s-cnn-all"),
        (("--model", "ShortCNN", "--rgb", "1.0"), "s-cnn-rgb"),
        (("--model", "InceptionV3", "--rgb", "1", "--finetune", "0"), "inception-v3-transfer"),
        (("--model", "InceptionV3", "--rgb", "1", "--finetune", "1.0"), "inception-v3-finetune"),
        (("--model", "InceptionV3", "--finetune", "2"), "inception-v3-scratch"),
    ],
)
def test_the_labs_names_of_models(
    given: tuple[str, ...],
    model: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    seed = ("--optim", "SGD", "--lr", "0.001", "--loss", "BCEWithLogits", "--epochs", "10.0", "--batch", "100.0")
    with pytest.raises(SystemExit) as ended:
        commands.execute([*given, *seed, "--count", "1", "--storage_path", str(tmp_path / "run_1"), "--dry-run"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"1: model {model}, optim SGD, loss BCEWithLogits, lr 0.001, batch 100,")


def test_a_python_without_terrawatt_says_so() -> None:
    script = EXPERIMENTS / "conso_classif_deep/execute.py"
    ended = subprocess.run(
        [sys.executable, "-S", "-I", str(script)], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 1
    assert "No module named 'terrawatt'; activate the environment" in ended.stderr
