"""Series that a folder lacks are read from the database that has them too."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from run_folders import COLD_S, PLUG, REPETITION_S, T0, WARMUP_S, Recipe, S, samples
from servers.influxdb import ADMIN, InfluxServer, User
from terrawatt.config import Settings, StoreSettings, load
from terrawatt.errors import ChangedFilesError
from terrawatt.records import SeriesKey
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.manifest import read_manifest, seal, write_manifest
from terrawatt.store.influxdb import open_influx
from terrawatt.store.sqlite import SqliteStore
from terrawatt.summary.gather import gather

MakeRun = Callable[..., Path]
READER = User("reader", "for the tests", {"telegraf": "READ"})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    with InfluxServer(tmp_path_factory.mktemp("influx"), users=(READER,)) as server:
        admin = StoreSettings(url=server.url(), user=ADMIN.name, password=ADMIN.password)
        with open_influx(admin) as database:
            database.write(samples(Recipe()))
        yield server


@pytest.fixture
def run(make_run: MakeRun, server: InfluxServer, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A run that has ended in order, whose series are in the database too."""
    monkeypatch.setenv("TERRAWATT_STORE__USER", READER.name)
    monkeypatch.setenv("TERRAWATT_STORE__PASSWORD", READER.password)
    folder = RunFolder(make_run())
    seal(folder, replace(read_manifest(folder.manifest), database=server.url()))
    return folder


def table(folder: RunFolder, settings: Settings | None = None) -> pd.DataFrame:
    return gather([folder.path], settings=settings).table.frame


def set_external(folder: RunFolder) -> None:
    write_manifest(folder.manifest, replace(read_manifest(folder.manifest), is_external=True, checksums={}))


def cut_off(folder: RunFolder, key: SeriesKey, end_ns: int) -> None:
    """Leave of the store what one series had until some time."""
    with SqliteStore(folder.telemetry) as store:
        kept = store.read(key, None, end_ns)
    folder.telemetry.unlink()
    with SqliteStore(folder.telemetry) as store:
        store.write(sample for sample in samples(Recipe()) if sample.key != key or sample.t_ns <= end_ns)
        assert len(store.read(key)) == len(kept)


@pytest.mark.parametrize("loss", ["gone", "empty"])
def test_a_folder_without_its_series_gives_the_same_table(run: RunFolder, loss: str) -> None:
    before = table(run)
    run.telemetry.unlink()
    if loss == "empty":
        SqliteStore(run.telemetry).close()
        set_external(run)
    gathered = gather([run.path])
    pd.testing.assert_frame_equal(gathered.table.frame, before)
    assert any(note.startswith("run_1: series of influxdb://127.0.0.1") for note in gathered.notes)


def test_the_settings_win_where_the_database_has_moved(run: RunFolder, server: InfluxServer, tmp_path: Path) -> None:
    run.telemetry.unlink()
    write_manifest(run.manifest, replace(read_manifest(run.manifest), database="influxdb://127.0.0.1:1/telegraf"))
    toml = tmp_path / "terrawatt.toml"
    toml.write_text(f'[store]\nurl = "{server.url()}"\n')
    assert table(run, load(toml))["Energy (plug)"].notna().all()


def test_a_copy_that_ends_early_is_completed(run: RunFolder) -> None:
    before = table(run)
    end_s = COLD_S + WARMUP_S + 2.5 * REPETITION_S
    cut_off(run, PLUG.series, T0 + int(end_s * S))
    set_external(run)
    gathered = gather([run.path])
    pd.testing.assert_frame_equal(gathered.table.frame, before)
    assert any("telemetry.sqlite ends before the last repetition does" in note for note in gathered.notes)


def test_a_complete_copy_needs_no_database(run: RunFolder) -> None:
    before = table(run)
    manifest = read_manifest(run.manifest)
    write_manifest(run.manifest, replace(manifest, database="influxdb://127.0.0.1:1/gone", is_external=True))
    gathered = gather([run.path])
    pd.testing.assert_frame_equal(gathered.table.frame, before)
    assert not any("influxdb" in note for note in gathered.notes)


def test_without_folder_and_database_both_reasons_are_told(run: RunFolder) -> None:
    run.telemetry.unlink()
    write_manifest(run.manifest, replace(read_manifest(run.manifest), database="influxdb://127.0.0.1:1/gone"))
    gathered = gather([run.path])
    assert all(row.is_unusable for row in gathered.rows)
    (note,) = (note for note in gathered.notes if "no series at all" in note)
    assert "telemetry.sqlite" in note
    assert "127.0.0.1:1/gone" in note


def test_a_wrong_password_is_told_and_not_shown(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    run.telemetry.unlink()
    monkeypatch.setenv("TERRAWATT_STORE__PASSWORD", "wrong and secret")
    gathered = gather([run.path])
    text = " ".join((*gathered.notes, *gathered.table.frame["Verdict"]))
    assert "password" in text
    assert "wrong and secret" not in text


def test_other_files_that_are_gone_are_still_refused(run: RunFolder) -> None:
    run.telemetry.unlink()
    run.times.unlink(missing_ok=True)
    run.phases.unlink()
    with pytest.raises(ChangedFilesError, match=r"missing: .*phases\.jsonl"):
        gather([run.path])
