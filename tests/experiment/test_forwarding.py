"""A run with a real InfluxDB: what arrives there while it goes on, at its end, and later."""

from pathlib import Path

import numpy as np
import pytest

from servers.influxdb import InfluxServer, User
from terrawatt.config import StoreSettings
from terrawatt.errors import StoreRefusedError
from terrawatt.experiment.forwarding import forward, forward_at_end, phase_samples
from terrawatt.records import Phase, SeriesKey, Window
from terrawatt.runs.integrity import check_files
from terrawatt.runs.layout import RunFolder, scenario_folders
from terrawatt.runs.manifest import read_manifest
from terrawatt.runs.phases import read_phases
from terrawatt.store.influxdb import InfluxStore, open_influx
from terrawatt.store.sqlite import SqliteStore

FIRST_NS, LAST_NS = 0, 2**62


def into(runs, url: str, **more: object) -> StoreSettings:
    """Let runs write into a database; returns the settings."""
    store = StoreSettings(url=url, **more)
    runs.settings = runs.settings.model_copy(update={"store": store})
    return store


def only_folder(path: Path) -> RunFolder:
    (folder,) = scenario_folders(path)
    return folder


def assert_all_there(influx: InfluxStore, folder: RunFolder) -> None:
    with SqliteStore(folder.telemetry, read_only=True) as store:
        keys = store.keys()
        for key in keys:
            here, there = store.read(key), influx.read(key, FIRST_NS, LAST_NS)
            np.testing.assert_array_equal(there.t_ns, here.t_ns)
            np.testing.assert_array_equal(there.value, here.value)
    assert len(keys) > 5


def assert_phases_there(influx: InfluxStore, folder: RunFolder) -> None:
    manifest = read_manifest(folder.manifest)
    phases = read_phases(folder.phases)
    for phase in phases:
        tags = {"host": manifest.host, "experiment": "flying", "run": folder.run_path.name, "phase": phase.name}
        if phase.repetition is not None:
            tags["repetition"] = str(phase.repetition)
        found = influx.read(SeriesKey.of("terrawatt_phase", "duration_s", **tags), FIRST_NS, LAST_NS)
        assert found.t_ns.tolist() == [phase.window.start_ns]
        assert found.value.tolist() == [phase.window.duration_s]
    assert {phase.name for phase in phases} == {"cold", "warmup", "repetition", "idle"}


def test_series_and_phases_of_a_run_are_in_the_database_when_it_ends(tmp_path: Path, runs) -> None:
    with InfluxServer(tmp_path) as server:
        store = into(runs, server.url())
        folder = only_folder(runs(("true",)).run_path)
        with open_influx(store) as influx:
            assert_all_there(influx, folder)
            assert_phases_there(influx, folder)
            again = forward(folder, influx)
    assert (again.sent, again.remaining, again.refused, again.complaints) == (0, 0, 0, ())
    assert check_files(folder, read_manifest(folder.manifest)).is_intact
    assert read_manifest(folder.manifest).database == store.url
    assert "sent" not in runs.seen.getvalue()


def test_a_sweep_sends_its_one_store_and_the_phases_of_all_its_scenarios(tmp_path: Path, runs) -> None:
    with InfluxServer(tmp_path) as server:
        store = into(runs, server.url())
        outcome = runs(("true",), ("sleep", "0"))
        first, second = scenario_folders(outcome.run_path)
        with open_influx(store) as influx:
            assert_all_there(influx, first)
            for folder in (first, second):
                manifest = read_manifest(folder.manifest)
                sent = phase_samples(manifest, read_phases(folder.phases))
                for sample in sent:
                    found = influx.read(sample.key, FIRST_NS, LAST_NS)
                    assert (sample.t_ns, sample.value) in zip(found.t_ns.tolist(), found.value.tolist(), strict=True)
                assert len(sent) >= 5
            assert forward(second, influx).sent == 0
        assert (outcome.run_path / "forwarded.json").exists()
        assert all(check_files(one, read_manifest(one.manifest)).is_intact for one in (first, second))


def test_a_database_that_is_down_the_whole_time_is_said_and_gets_everything_later(tmp_path: Path, runs) -> None:
    server = InfluxServer(tmp_path)
    store = into(runs, server.url())
    folder = only_folder(runs(("true",)).run_path)
    said = runs.seen.getvalue()
    assert said.count("cannot be reached") == 2, "at the start, and at the end"
    assert "the series are kept in the run folder, and sent on when it answers" in said
    assert f"`terrawatt store forward {folder.path}` sends the rest" in said
    with server, open_influx(store) as influx:
        done = forward(folder, influx)
        with SqliteStore(folder.telemetry, read_only=True) as kept:
            assert (done.sent, done.remaining) == (kept.last_position(), 0)
        assert_all_there(influx, folder)
        assert_phases_there(influx, folder)
        assert forward(folder, influx).sent == 0
        assert forward(folder, influx, again=True).sent == done.sent
        assert_all_there(influx, folder)
    assert check_files(folder, read_manifest(folder.manifest)).is_intact


def test_a_database_that_is_killed_during_a_run_loses_nothing(tmp_path: Path, runs, python) -> None:
    with InfluxServer(tmp_path) as server:
        store = into(runs, server.url(), timeout_s=2.0)
        kill = f"import os; os.kill({server.pid}, 9)"
        folder = only_folder(runs(python(f"try:\n {kill}\nexcept OSError:\n pass")).run_path)
        assert not server.is_alive()
        server.start()
        with open_influx(store) as influx:
            assert forward(folder, influx).remaining == 0
            assert_all_there(influx, folder)
            assert_phases_there(influx, folder)


def test_conflicts_of_types_are_named_and_cost_only_their_own_fields(tmp_path: Path, runs) -> None:
    with InfluxServer(tmp_path) as server:
        store = into(runs, server.url())
        server.write("cpu,cpu=cpu-total,host=other usage_user=1i")
        folder = only_folder(runs(("true",)).run_path)
        with open_influx(store) as influx, SqliteStore(folder.telemetry, read_only=True) as kept:
            for key in kept.keys():  # noqa: SIM118
                there = 0 if key.field == "usage_user" else len(kept.read(key))
                assert len(influx.read(key, FIRST_NS, LAST_NS)) == there
    assert "rows, which the run folder holds, were refused for good" in runs.seen.getvalue()
    said = runs.seen.getvalue() + folder.log.read_text()
    assert said.count("refused for good: cpu usage_user: kept there as integer") == 1


@pytest.mark.parametrize(
    ("database", "password", "what"),
    [("telegraf", "wrong", "wrong or missing user, password"), ("other", "right", "right to it|no such database")],
)
def test_a_wrong_password_or_database_ends_a_run_before_it_begins(
    tmp_path: Path, runs, monkeypatch: pytest.MonkeyPatch, database: str, password: str, what: str
) -> None:
    monkeypatch.setenv("TERRAWATT_STORE__USER", "anna")
    monkeypatch.setenv("TERRAWATT_STORE__PASSWORD", password)
    with InfluxServer(tmp_path, users=[User("anna", "right", {"telegraf": "ALL"})]) as server:
        into(runs, server.url(database))
        with pytest.raises(StoreRefusedError, match=what) as caught:
            runs(("true",))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "results").exists()


def test_what_has_no_database_or_was_never_measured_sends_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    forward_at_end([RunFolder(tmp_path)], StoreSettings(), said.append)
    forward_at_end([RunFolder(tmp_path)], StoreSettings(url="influxdb://127.0.0.1:1/telegraf"), said.append)
    assert said == []


def test_phases_bear_their_group_and_repetition(tmp_path: Path, runs) -> None:
    outcome = runs(("true",), ("true",))
    folders = scenario_folders(outcome.run_path)
    phase = Phase("train", Window(10**9, 3 * 10**9), repetition=2, epoch=1)
    (sample,) = phase_samples(read_manifest(folders[1].manifest), [phase])
    assert (sample.t_ns, sample.value) == (10**9, 2.0)
    tags = dict(sample.key.tags)
    assert (tags["group"], tags["repetition"], tags["phase"], tags["run"]) == ("2", "2", "train", "run_1")
