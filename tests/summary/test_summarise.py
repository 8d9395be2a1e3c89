import csv
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from run_folders import Recipe
from terrawatt.analysis.table import all_columns
from terrawatt.errors import AnalysisError, RunFolderError, UsageError
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.manifest import read_manifest, write_manifest
from terrawatt.runs.status import State
from terrawatt.summary.overview import overview
from terrawatt.summary.record import read_record
from terrawatt.summary.summarise import summarise
from terrawatt.summary.tables import read_table


def tables_only(runs, out, **options):
    return summarise(runs, out, figures=False, **options)


@pytest.fixture
def two_groups(make_run):
    rgb = (("model", "s-cnn-rgb"), ("lr", 0.001), ("seed", 7), ("hidden", 128))
    return make_run(5, Recipe(), Recipe(parameters=rgb))


def test_three_files_with_the_same_table(make_run, tmp_path):
    result = tables_only([make_run()], tmp_path / "out", command="terrawatt summary 1")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "output_all.csv",
        "output_all.json",
        "output_all.parquet",
    ]
    pd.testing.assert_frame_equal(read_table(result.files.csv).frame, result.table.frame)
    parquet = pq.read_table(result.files.parquet)
    assert parquet.column_names == list(result.table.frame)
    assert parquet["Energy (plug)"].to_pylist() == result.table.frame["Energy (plug)"].tolist()
    assert str(parquet.schema.field("Group").type) == "int64"  # also where it is empty
    assert not result.is_unusable


def test_the_csv_is_what_every_program_reads(make_run, tmp_path):
    result = tables_only([make_run()], tmp_path / "out")
    raw = result.files.csv.read_bytes()
    assert raw.count(b"\r\n") == raw.count(b"\n") == 4
    rows = list(csv.DictReader(raw.decode("utf-8").splitlines()))
    assert list(rows[0]) == list(all_columns(["model", "lr", "batch", "seed"], ["plug"]))
    assert float(rows[0]["Energy (plug)"]) == result.table.frame["Energy (plug)"][0]  # every digit
    assert rows[0]["Temperature"] == rows[0]["Group"] == ""
    assert rows[0]["Seed"] == "7"


def test_the_json_tells_how_the_numbers_came_about(make_run, tmp_path):
    result = tables_only([make_run(2)], tmp_path / "out", command="terrawatt summary 2")
    record = json.loads(result.files.json.read_text())
    assert record["command"] == "terrawatt summary 2"
    assert {column["name"]: column["unit"] for column in record["columns"]}["Energy (plug)"] == "J"
    (run,) = record["runs"]
    assert run["baselines"]["plug"]["before"]["level_w"] == pytest.approx(40)
    assert run["cold_levels"] == pytest.approx({"CPU": 5, "Memory": 80})
    assert run["sources"][0]["semantics"] == "mean"
    assert run["sources"][0]["accuracy"][0]["plus_minus_w"] == 3
    assert len(run["manifest_sha256"]) == 64
    energy = record["repetitions"][0]["energies"]["plug"]
    assert energy["n_readings"] == 60
    u = result.table.frame["u Energy (plug)"][0]
    assert np.hypot.reduce(list(energy["net_budget_j"].values())) == pytest.approx(u)
    assert "no series temp: no sensor on this machine" in run["notes"]


def test_the_json_reads_back_also_with_missing_numbers(make_run, tmp_path):
    made = make_run(1, latency_s=60.0)  # no baseline
    record = read_record(tables_only([made], tmp_path / "out").files.json)
    assert record.repetitions[0].energies["plug"].baseline_w is None
    assert record.runs[0].baselines["plug"].reason == "no idle period before the repetitions"
    assert record.runs[0].facts.scenario["model"] == "s-cnn-all"


def test_a_grid_of_scenarios_has_one_table(two_groups, tmp_path):
    frame = tables_only([two_groups], tmp_path / "out", grouped=True).table.frame
    assert frame["Group"].tolist() == [1, 1, 1, 2, 2, 2]
    assert frame["Model"].tolist() == ["s-cnn-all"] * 3 + ["s-cnn-rgb"] * 3
    assert frame["hidden"].tolist() == [None] * 3 + [128] * 3
    assert frame["Batch size"].tolist() == [100] * 3 + [None] * 3


def test_several_runs_in_the_order_given(make_run, tmp_path):
    frame = tables_only([make_run(3), make_run(1)], tmp_path / "out").table.frame
    assert frame["Run"].tolist() == [3, 3, 3, 1, 1, 1]


def test_grouped_must_fit_the_folder(make_run, two_groups, tmp_path):
    with pytest.raises(UsageError, match="--grouped False"):
        tables_only([make_run(1)], tmp_path / "out", grouped=True)
    with pytest.raises(UsageError, match="has 2 groups"):
        tables_only([two_groups], tmp_path / "out", grouped=False)
    assert not (tmp_path / "out").exists()
    group = tables_only([two_groups / "group_2"], tmp_path / "out", grouped=False).table.frame
    assert group["Group"].tolist() == [2, 2, 2]


def test_missing_and_broken_groups_are_told_and_the_rest_is_used(make_run, tmp_path):
    path = make_run(6, Recipe(), Recipe(), Recipe(), Recipe())
    (path / "group_2" / "manifest.json").unlink()
    for file in sorted((path / "group_3").rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    (path / "group_3").rmdir()
    result = tables_only([path], tmp_path / "out")
    assert sorted(set(result.table.frame["Group"])) == [1, 4]
    assert any("group_3 is missing" in note for note in result.notes)
    assert any(note.startswith("left out: ") and "group_2" in note for note in result.notes)


def test_an_unfinished_run_is_told_and_what_has_ended_is_used(make_run, tmp_path):
    path = make_run(1, repetitions=4, states=(State.DONE, State.DONE, State.RUNNING, State.PENDING))
    result = tables_only([path], tmp_path / "out")
    assert result.table.frame["Repetition"].tolist() == [1, 2]
    assert "run_1: interrupted: without repetitions 3, 4, which have not ended" in result.notes


def test_a_run_in_which_nothing_has_ended_is_an_error_and_leaves_nothing(make_run, tmp_path):
    path = make_run(1, repetitions=1, states=(State.PENDING,))
    with pytest.raises(AnalysisError, match="no repetition has ended yet"):
        tables_only([path], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_without_a_manifest_is_no_run(tmp_path):
    (tmp_path / "run_1").mkdir()
    with pytest.raises(RunFolderError, match=r"no manifest\.json, so no run of terrawatt"):
        tables_only([tmp_path / "run_1"], tmp_path / "out")


def test_two_runs_of_one_number_are_refused(make_run, tmp_path):
    first = make_run(1)
    other = tmp_path / "elsewhere" / "run_1"
    other.parent.mkdir()
    first.rename(other)
    with pytest.raises(UsageError, match="same run number"):
        tables_only([make_run(1), other], tmp_path / "out")


def test_a_run_given_twice_counts_once(make_run, tmp_path):
    path = make_run(1)
    assert len(tables_only([path, path], tmp_path / "out").table.frame) == 3


def test_runs_of_several_machines_are_told(make_run, tmp_path):
    first, second = make_run(1), make_run(2)
    folder = RunFolder(second)
    write_manifest(folder.manifest, replace(read_manifest(folder.manifest), host="other"))
    result = tables_only([first, second], tmp_path / "out")
    assert "the runs are of several machines: lab, other" in result.notes
    assert list(result.table.frame["Host"]) == ["lab"] * 3 + ["other"] * 3


def test_unusable_when_no_repetition_is_usable(make_run, tmp_path):
    assert tables_only([make_run(1, has_store=False)], tmp_path / "a").is_unusable
    assert not tables_only([make_run(2, states=(State.DONE, State.FAILED, State.FAILED))], tmp_path / "b").is_unusable


def test_the_analyses_of_an_existing_table(make_run, tmp_path):
    out = tmp_path / "out"
    first = tables_only([make_run(1, states=(State.DONE, State.DONE, State.FAILED))], out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    again = tables_only([], out, from_file=True)
    pd.testing.assert_frame_equal(again.table.frame, first.table.frame)
    assert again.verdicts == first.verdicts
    assert again.unusable == first.unusable
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_the_analyses_of_a_table_alone(make_run, tmp_path):
    first = tables_only([make_run()], tmp_path / "out")
    alone = tmp_path / "alone" / "table.csv"
    alone.parent.mkdir()
    alone.write_bytes(first.files.csv.read_bytes())
    again = tables_only([alone], alone.parent, from_file=True)
    pd.testing.assert_frame_equal(again.table.frame, first.table.frame)
    assert again.verdicts == {}
    assert not again.is_unusable
    assert "nothing is known of its runs" in again.notes[0]


def test_a_record_of_a_newer_format_or_a_damaged_one_is_refused(make_run, tmp_path):
    files = tables_only([make_run()], tmp_path / "out").files
    files.json.write_text(files.json.read_text().replace('"format_version": 1', '"format_version": 99'))
    with pytest.raises(AnalysisError, match="format 99"):
        tables_only([], tmp_path / "out", from_file=True)
    files.json.write_text("{")
    with pytest.raises(AnalysisError, match=r"output_all\.json"):
        tables_only([], tmp_path / "out", from_file=True)


def test_overview_by_scenario(two_groups, tmp_path):
    rgb, everything = sorted(overview(tables_only([two_groups], tmp_path / "out")), key=lambda row: "all" in row.label)
    assert "s-cnn-rgb" in rgb.label
    assert (everything.n, everything.total) == (3, 3)
    assert everything.energy_j.mean == pytest.approx(3000)
    assert everything.energy_j.expanded > 0
    assert everything.duration_s.mean == 60
    assert everything.accuracy.mean > 0.9


def test_unusable_repetitions_stay_out_of_the_overview(make_run, tmp_path):
    result = tables_only([make_run(1, states=(State.DONE, State.FAILED, State.DONE))], tmp_path / "out")
    (row,) = overview(result)
    assert (row.n, row.total) == (2, 3)


@pytest.mark.slow
def test_the_report_is_written_beside_the_table(two_groups, tmp_path):
    result = summarise([two_groups], tmp_path / "out", command="terrawatt summary 5")
    assert result.report == tmp_path / "out" / "report.html"
    page = result.report.read_text(encoding="utf-8")
    assert "terrawatt summary 5" in page
    assert "s-cnn-rgb" in page
    assert "no sensor on this machine" in page
    assert any((tmp_path / "out" / "figures").iterdir())


def test_a_run_in_which_everything_failed_has_rows_and_is_unusable(make_run, tmp_path):
    result = tables_only([make_run(1, states=(State.FAILED,) * 3)], tmp_path / "out")
    assert result.is_unusable
    assert result.table.frame["Energy (plug)"].isna().all()
    assert result.table.frame["Verdict"].tolist() == ["unusable: failed: exit code 1"] * 3
    assert [row.n for row in overview(result)] == [0]
