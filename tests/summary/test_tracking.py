"""A summary in MLflow: a real store in a file, and no server but one that is not there."""

import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from run_folders import Recipe
from terrawatt.cli.app import main
from terrawatt.errors import ExportError, UsageError
from terrawatt.runs.status import State
from terrawatt.summary.logged_runs import metric_names, safe_name
from terrawatt.summary.measurements import Roles
from terrawatt.summary.summarise import SummaryResult, summarise
from terrawatt.summary.summarise_table import summarise_table
from terrawatt.summary.tracking import Tracker, without_credentials

MakeRun = Callable[..., Path]
PASSWORD = "4711.0815"  # noqa: S105 - of nobody


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow makes its tables once for all tests, which takes it seconds."""
    path = tmp_path_factory.mktemp("mlflow") / "empty.db"
    Tracker(f"sqlite:///{path}")
    return path


@pytest.fixture
def uri(empty_store: Path, tmp_path: Path) -> Iterator[str]:
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    yield f"sqlite:///{tmp_path / 'mlflow.db'}"
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    for engine in SqlAlchemyStore._engine_map.values():
        engine.dispose()  # else its open connection is a warning


def logged(uri: str, experiment: str = "conso") -> dict[str, Any]:
    """All runs of an experiment by their names."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    found = client.get_experiment_by_name(experiment)
    runs = client.search_runs([found.experiment_id])
    named = {run.info.run_name: run for run in runs}
    assert len(named) == len(runs)
    return named


def summary_of(run: Path) -> SummaryResult:
    return summarise([run], run / "summary", figures=False)


def test_each_repetition_is_a_run_under_that_of_the_summary(make_run: MakeRun, uri: str) -> None:
    run = make_run(1, Recipe(), Recipe(parameters=(("model", "inception-v3-scratch"), ("lr", 0.01))))
    result = summary_of(run)
    said = str(Tracker(uri).log(result))
    assert said == f"{uri}, experiment conso: 7 runs logged, 0 updated"
    runs = logged(uri)
    parent = runs.pop("run_1")
    assert parent.data.metrics == {"repetitions": 6, "scenarios": 2, "unusable": 0}
    assert "a processor" in parent.data.tags["terrawatt.machine"]
    assert parent.data.tags["terrawatt.meter"].startswith("plug: replay, mean, ± 3 W below 300 W")
    assert sorted(runs) == [f"run 1 group {group} repetition {n}" for group in (1, 2) for n in (1, 2, 3)]
    assert {each.data.tags["mlflow.parentRunId"] for each in runs.values()} == {parent.info.run_id}
    second = runs["run 1 group 2 repetition 1"].data
    assert second.params == {"model": "inception-v3-scratch", "learning_rate": "0.01"}
    row = result.table.frame.iloc[3]
    assert second.metrics["energy_plug_j"] == row["Energy (plug)"]
    assert second.metrics["u_energy_plug_j"] == row["u Energy (plug)"]
    assert second.metrics["duration_s"] == row["Duration"]
    assert second.tags["terrawatt.usable"] == "yes"
    assert all(np.isfinite(value) for each in runs.values() for value in each.data.metrics.values())


def test_a_summary_made_again_updates_its_runs(make_run: MakeRun, uri: str) -> None:
    run = make_run(1, Recipe())
    Tracker(uri).log(summary_of(run))
    before = {name: each.info.run_id for name, each in logged(uri).items()}
    again = Tracker(uri).log(summary_of(run))
    assert (again.created, again.updated) == (0, 4)
    assert {name: each.info.run_id for name, each in logged(uri).items()} == before


def test_what_changed_replaces_what_was_logged(make_run: MakeRun, uri: str) -> None:
    run = make_run(1, Recipe())
    result = summary_of(run)
    Tracker(uri).log(result)
    before = {name: each.info.run_id for name, each in logged(uri).items()}
    result.table.frame.loc[0, "Energy (plug)"] = np.nan  # gone: MLflow takes no metric back
    result.table.frame.loc[1, "Duration"] = 61.5
    again = Tracker(uri).log(result)
    assert (again.created, again.updated) == (1, 3)
    after = logged(uri)
    assert len(after) == 4
    assert "energy_plug_j" not in after["run 1 repetition 1"].data.metrics
    assert after["run 1 repetition 1"].info.run_id != before["run 1 repetition 1"]
    assert after["run 1 repetition 2"].data.metrics["duration_s"] == 61.5
    assert after["run 1 repetition 2"].info.run_id == before["run 1 repetition 2"]


def test_a_repetition_that_is_gone_goes(make_run: MakeRun, uri: str) -> None:
    run = make_run(1, Recipe())
    result = summary_of(run)
    Tracker(uri).log(result)
    shorter = replace(result.table, frame=result.table.frame.drop(index=2))
    Tracker(uri).log(replace(result, table=shorter))
    assert sorted(logged(uri)) == ["run 1 repetition 1", "run 1 repetition 2", "run_1"]


def test_what_must_not_be_used_is_no_metric_and_its_tag_says_why(make_run: MakeRun, uri: str) -> None:
    run = make_run(1, Recipe(states=(State.DONE, State.FAILED, State.DONE)))
    Tracker(uri).log(summary_of(run))
    failed = logged(uri)["run 1 repetition 2"].data
    assert failed.tags["terrawatt.usable"] == "no"
    assert "unusable" in failed.tags["terrawatt.verdicts"]
    assert "energy_plug_j" not in failed.metrics


def test_any_table_is_logged_and_names_are_safe(tmp_path: Path, uri: str) -> None:
    table = tmp_path / "foreign.csv"
    rows = "\n".join(f"{name},{100 + i}.5,{0.5 + i / 10}" for i, name in enumerate(["<b>é", "<b>é", "x/..//y"]))
    table.write_text(f"Méthode (µ²) %,Energy (prise n° 1),AUC\n{rows}\n", encoding="utf-8")
    result = summarise_table([table], Roles(("Méthode (µ²) %",), ("AUC",)), tmp_path / "out", figures=False)
    assert Tracker(uri).log(result).created == 4
    first = logged(uri, "foreign")["repetition 1"].data
    assert first.params == {"methode_μ2": "<b>é"}
    assert first.metrics == {"energy_prise_n_1_j": 100.5, "auc": 0.5}


def test_the_command_logs_table_and_page_and_hides_the_password(
    make_run: MakeRun, uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run(1, Recipe())
    words = ["summary", str(run), "--mlflow", f"{uri}?timeout={PASSWORD}", "--figures", "duration_performance"]
    monkeypatch.setattr("sys.argv", ["terrawatt", *words])
    monkeypatch.setattr(Tracker, "_artifacts", lambda _: (tmp_path / "kept").as_uri())
    with pytest.raises(SystemExit) as ended:
        main(words)
    said = capsys.readouterr()
    assert not ended.value.code, said.err
    assert f"mlflow: {uri}?***, experiment conso: 4 runs logged, 0 updated" in said.out
    assert "--mlflow" in (run / "summary" / "report.html").read_text(encoding="utf-8")
    kept = {path.name: path.read_bytes() for path in (tmp_path / "kept").rglob("*") if path.is_file()}
    assert sorted(kept) == ["output_all.csv", "report.html"]
    assert kept["output_all.csv"] == (run / "summary" / "output_all.csv").read_bytes()
    files = [path for path in run.rglob("*") if path.is_file()]
    assert not [path for path in files if PASSWORD.encode() in path.read_bytes()]
    assert PASSWORD not in said.out + said.err


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("http://user:pa@ss@host:5000/x", "http://***@host:5000/x"),
        ("https://token@host", "https://***@host"),
        ("postgresql://u:p/q@h/db?password=x", "postgresql://***@h/db?***"),
        ("sqlite:////tmp/m.db", "sqlite:////tmp/m.db"),
        ("http://host:5000", "http://host:5000"),
    ],
)
def test_credentials_of_an_address_are_not_shown(uri: str, shown: str) -> None:
    assert without_credentials(uri) == shown


def test_a_wrong_address_is_told_in_one_line_without_its_password(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound, and not listening: nothing answers
        port = unused.getsockname()[1]
        for uri, error in (
            (f"http://ada:{PASSWORD}@127.0.0.1:{port}", ExportError),
            (f"http://ada:{PASSWORD}@[bad", ExportError),
            (f"ftp://ada:{PASSWORD}@host", ExportError),
            (f"sqlite:///{tmp_path}/none/mlflow.db?timeout={PASSWORD}", UsageError),
            (f"//ada:{PASSWORD}@host", UsageError),
            ("", UsageError),
        ):
            with pytest.raises(error) as told:
                Tracker(uri)
            assert PASSWORD not in str(told.value)
            assert "\n" not in str(told.value)
            assert told.value.__cause__ is None


@given(st.text())
def test_a_safe_name_is_one_that_mlflow_takes(text: str) -> None:
    from mlflow.utils.validation import _validate_metric_name, _validate_param_name

    name = safe_name(text)
    _validate_metric_name(name)
    _validate_param_name(name)
    assert safe_name(name) == name


def test_no_two_columns_are_one_metric(make_run: MakeRun) -> None:
    table = summary_of(make_run(1, Recipe())).table
    names = metric_names(table)
    assert len(set(names.values())) == len(names)
    assert {"energy_plug_j", "emissions_kg_co2eq", "cpu_percent_s", "macro_f1"} <= set(names.values())
