"""Folders of the older scripts with Telegraf's series in a real InfluxDB give the same table as our own runs."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from older_folders import SETTINGS, make_older, write_telegraf
from servers.influxdb import InfluxServer
from terrawatt.cli.app import main
from terrawatt.config import Settings, load
from terrawatt.errors import ConfigError, RunFolderError
from terrawatt.report.look import Look
from terrawatt.summary.compare import compare_runs
from terrawatt.summary.gather import Gathered, gather
from terrawatt.summary.scenarios import By
from terrawatt.summary.summarise import summarise
from terrawatt.summary.tables import read_table

REPETITIONS = 3
Row = Mapping[str, object]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    with InfluxServer(tmp_path_factory.mktemp("influx"), databases=("telegraf", "two", "rare", "silent")) as server:
        write_telegraf(server, REPETITIONS)
        yield server


@pytest.fixture
def settings(server: InfluxServer, tmp_path: Path) -> Callable[..., Settings]:
    def make(database: str = "telegraf", old: str = "", new: str = "") -> Settings:
        assert old in SETTINGS
        file = tmp_path / "terrawatt.toml"
        file.write_text(SETTINGS.replace(old, new).format(url=server.url(database)))
        return load(file)

    return make


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_older(tmp_path / "conso-classif" / "run_7", REPETITIONS)


def rows(gathered: Gathered) -> list[Row]:
    return [row.values for row in gathered.rows]


def test_the_table_is_that_of_the_truth(folder: Path, settings: Callable[..., Settings]) -> None:
    found = rows(gather([folder], settings=settings()))
    assert [row["Repetition"] for row in found] == [1, 2, 3]
    for row in found:
        assert row["Energy (plug)"] == pytest.approx(50 * 300, rel=0.01)
        assert row["Energy gross (plug)"] == pytest.approx(90 * 300, rel=0.01)
        assert row["CPU"] == pytest.approx(70 * 300, rel=0.01)
        assert row["Temperature"] == pytest.approx(25 * 300, rel=0.01)
        assert row["Reads count"] == pytest.approx(900, rel=0.05)
        assert row["Duration"] == pytest.approx(300)
        assert row["Emissions"] == pytest.approx(float(str(row["Repetition"])) * 1e-5)
        assert row["Energy (CodeCarbon)"] == pytest.approx(float(str(row["Repetition"])) * 3600)
        assert (row["Run"], row["Model"], row["Batch size"], row["Epochs"]) == (7, "s-cnn-rgb", 100, 10)


def test_memory_is_what_is_free(folder: Path, settings: Callable[..., Settings]) -> None:
    """Theirs was `used_percent`, though the page says free memory."""
    assert [row["Memory"] for row in rows(gather([folder], settings=settings()))] == pytest.approx([-20 * 300] * 3)


def test_reads_do_not_grow_with_the_uptime(folder: Path, settings: Callable[..., Settings]) -> None:
    """Theirs was the plain integral of a counter that stood at millions: here 1.5e9 and more."""
    assert [row["Reads"] for row in rows(gather([folder], settings=settings()))] == pytest.approx(
        [900 * 300 / 2] * 3, rel=0.05
    )


def test_the_baseline_is_the_mean_of_what_was_read(folder: Path, settings: Callable[..., Settings]) -> None:
    """Theirs divided what was integrated of the cold period by all of it."""
    (run,) = gather([folder], settings=settings()).runs
    idle = run.sources["plug"].idles[1]
    assert idle is not None
    assert idle.before is not None
    assert idle.before.level == pytest.approx(40.0)


def test_a_repetition_with_fewer_than_two_readings_has_no_energy_instead_of_0(
    server: InfluxServer, folder: Path, settings: Callable[..., Settings]
) -> None:
    """Theirs was 0 J."""
    write_telegraf(server, REPETITIONS, plug_every_s=400, database="rare")
    gathered = gather([folder], settings=settings("rare"))
    assert all(np.isnan(float(str(row.get("Energy (plug)", "nan")))) for row in rows(gathered))
    assert all(row.is_unusable for row in gathered.rows)
    assert all(", 2 needed" in str(row["Verdict"]) for row in rows(gathered))


def test_nothing_in_the_folder_is_changed_or_deleted(
    folder: Path, settings: Callable[..., Settings], tmp_path: Path
) -> None:
    """Theirs deleted the raw data when it had read them."""

    def content() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    before = content()
    summarise([folder], tmp_path / "out", settings=settings(), figures=False)
    assert content() == before


def test_what_cannot_be_known_is_empty_with_a_reason(folder: Path, settings: Callable[..., Settings]) -> None:
    gathered = gather([folder], settings=settings())
    row = rows(gathered)[0]
    assert row["Block"] is None
    assert "Seed" not in row
    verdict = str(row["Verdict"])
    assert "Block: the older scripts know no blocks" in verdict
    assert "Seed: the older scripts fix and record no seed" in verdict
    assert any("of the older scripts: no checksums" in note for note in gathered.notes)
    assert not any("killed" in note for note in gathered.notes)


def test_the_written_table_is_read_again(folder: Path, settings: Callable[..., Settings], tmp_path: Path) -> None:
    result = summarise([folder], tmp_path / "out", settings=settings(), look=Look(("time_line",), ("svg",)))
    again = read_table(result.files.csv)
    assert list(again.frame.columns) == list(result.table.frame.columns)
    assert result.report is not None
    assert result.report.exists()
    assert not result.is_unusable


def test_groups_and_scores_of_the_workload(tmp_path: Path, settings: Callable[..., Settings]) -> None:
    run = tmp_path / "conso-classif" / "run_8"
    for number in (1, 2):
        make_older(run / f"group_{number}", REPETITIONS)
    (run / "group_2" / "output" / "scores_3.csv").write_text(",Accuracy,recall,loss\n0,0.5,0.25,9\n9,0.9,0.75,1\n")
    found = {(row["Group"], row["Repetition"]): row for row in rows(gather([run], settings=settings()))}
    assert len(found) == 6
    assert (found[2, 3]["Accuracy"], found[2, 3]["Recall"]) == (0.9, 0.75)
    assert "Accuracy" not in found[2, 2]


def test_several_machines_in_the_database_are_refused_until_one_is_chosen(
    server: InfluxServer, folder: Path, settings: Callable[..., Settings]
) -> None:
    for host in ("lab", "server"):
        write_telegraf(server, REPETITIONS, host=host, database="two")
    with pytest.raises(ConfigError, match=r"sampling\.host_name: several hosts .*choose one: lab, server"):
        gather([folder], settings=settings("two"))
    chosen = settings("two", "[sampling]", '[sampling]\nhost_name = "lab"')
    assert rows(gather([folder], settings=chosen))[0]["Energy (plug)"] == pytest.approx(15_000, rel=0.01)


def test_a_time_without_series_costs_the_energies_and_says_so(folder: Path, settings: Callable[..., Settings]) -> None:
    gathered = gather([folder], settings=settings("silent"))
    assert rows(gathered)[0]["Duration"] == pytest.approx(300)
    assert rows(gathered)[0]["Emissions"] == pytest.approx(1e-5)
    assert "the database has no reading of mqtt_consumer" in str(rows(gathered)[0]["Verdict"])
    assert all(row.is_unusable for row in gathered.rows)


def test_the_command_reads_the_settings(
    folder: Path, settings: Callable[..., Settings], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings()
    config = str(tmp_path / "terrawatt.toml")
    with pytest.raises(SystemExit) as ended:
        main(["summary", str(folder), "--config", config, "--out", str(tmp_path / "out"), "--figures", "none"])
    assert not ended.value.code
    printed = capsys.readouterr().out
    assert "s-cnn-rgb" in (tmp_path / "out" / "output_all.csv").read_text()
    assert "note: run_7: of the older scripts: no checksums" in printed


def test_older_runs_are_compared_too(tmp_path: Path, settings: Callable[..., Settings]) -> None:
    folders = [make_older(tmp_path / "conso" / f"run_{number}", REPETITIONS) for number in (1, 2)]
    report = compare_runs(folders, by=By.RUN, settings=settings())
    (found,) = report.columns[0].verdicts
    assert found.comparison.n == (3, 3)  # the series are the same: no scatter, and no ratio


def test_settings_that_do_not_say_where_the_series_are(folder: Path) -> None:
    for settings in (None, Settings()):
        with pytest.raises(RunFolderError, match=r"of the older scripts: set store\.url, .*older-folders\.md"):
            gather([folder], settings=settings)
