"""`terrawatt store`, with run folders of a known content and a real InfluxDB."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from run_folders import HOST_SERIES, PLUG, T0, Recipe, S, make_run
from servers.influxdb import InfluxServer
from terrawatt.cli.app import main
from terrawatt.config import StoreSettings
from terrawatt.records import Sample, SeriesKey
from terrawatt.runs.layout import RunFolder
from terrawatt.store.influxdb import open_influx
from terrawatt.store.sqlite import SqliteStore

LAST_NS = 2**62


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Calls `terrawatt store`; gives the exit code and what was printed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "terrawatt.toml").write_text('[experiment]\nname = "conso"\nresults = "results"\n')

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["store", *arguments])
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


@pytest.fixture
def folder(tmp_path: Path, call: Callable[..., object]) -> RunFolder:
    """Run 1, with a reading that failed."""
    path = make_run(tmp_path / "results", 1, Recipe())
    with SqliteStore(path / "telemetry.sqlite") as store:
        store.write([Sample(PLUG.series, T0 + 5 * S, math.nan)])
    return RunFolder(path)


def use(url: str) -> None:
    """Let the settings name a database."""
    toml = Path("terrawatt.toml")
    toml.write_text(f'{toml.read_text()}\n[store]\nurl = "{url}"\n')


def test_info_shows_the_series_of_a_run(call, folder: RunFolder) -> None:
    code, out, err = call("info", "1")
    assert (code, err) == (0, "")
    with SqliteStore(folder.telemetry, read_only=True) as store:
        count = len(store.read(PLUG.series))
    assert f"  {PLUG.series}: {count} readings, 1 failed, longest gap 2 s, 2026-09-21T" in out
    for key in HOST_SERIES.values():
        assert f"  {key}: " in out
    assert call("info")[:2] == (
        0,
        "store.url: sqlite, so series are in the run folders alone; name a run to see them\n",
    )


def test_info_shows_what_a_database_says_of_itself(call, folder: RunFolder, tmp_path: Path) -> None:
    with InfluxServer(tmp_path) as server:
        use(server.url())
        server.write("cpu,host=lab usage_user=3\nmem,host=lab2 used=4i")
        code, out, _ = call("info")
        assert code == 0
        assert f"{server.url()}: InfluxDB 1.6" in out
        assert "series: 2; hosts: lab, lab2" in out
        assert "in the last hour: 2 readings of 2 series" in out
        out = call("info", "1")[1]
        with SqliteStore(folder.telemetry, read_only=True) as store:
            assert f"{server.url()}: {store.count_after(0)} rows are still to be sent" in out
    code, out, err = call("info")
    assert code == 1
    assert "cannot be reached" in err


@pytest.mark.parametrize("name", ["series.csv", "series.parquet"])
def test_series_go_from_one_run_to_another(call, folder: RunFolder, tmp_path: Path, name: str) -> None:
    other = tmp_path / "other"
    other.mkdir()
    code, out, _ = call("export", "1", "-o", name)
    assert code == 0
    for _ in range(2):
        assert call("import", name, "--into", str(other))[0] == 0
    with (
        SqliteStore(folder.telemetry, read_only=True) as first,
        SqliteStore(other / "telemetry.sqlite", read_only=True) as second,
    ):
        assert second.keys() == first.keys()
        assert out == f"{name}: {sum(len(first.read(key)) for key in second.keys())} readings\n"  # noqa: SIM118
        for key in second.keys():  # noqa: SIM118
            assert second.read(key).t_ns.tolist() == first.read(key).t_ns.tolist()
            np.testing.assert_array_equal(second.read(key).value, first.read(key).value)


def test_what_is_exported_as_lines_can_be_written_to_influxdb(call, folder: RunFolder, tmp_path: Path) -> None:
    assert call("export", "1", "-o", "series.lp")[0] == 0
    assert (tmp_path / "series.lp").read_text() == (tmp_path / "series.lp").read_text().strip() + "\n"
    assert call("export", "1", "-o", "lines.txt", "--format", "line")[0] == 0
    with InfluxServer(tmp_path) as server, open_influx(StoreSettings(url=server.url())) as influx:
        server.write((tmp_path / "lines.txt").read_text())
        there = influx.read(PLUG.series, 0, LAST_NS)
    with SqliteStore(folder.telemetry, read_only=True) as store:
        np.testing.assert_array_equal(there.value, store.read(PLUG.series).value)


def test_a_failed_export_leaves_what_was_there(call, folder: RunFolder, tmp_path: Path) -> None:
    with SqliteStore(folder.telemetry) as store:
        store.write([Sample(SeriesKey.of("power", "power_w", host="a\nb"), T0, 1.0)])
    (tmp_path / "series.line").write_text("as it was")
    code, _, err = call("export", "1", "-o", "series.line")
    assert code == 1
    assert "cannot be kept in InfluxDB" in err
    assert (tmp_path / "series.line").read_text() == "as it was"
    assert [path.name for path in tmp_path.glob(".series*")] == []


def test_a_bad_file_is_refused_before_anything_is_imported(call, folder: RunFolder, tmp_path: Path) -> None:
    assert call("export", "1", "-o", "good.csv")[0] == 0
    (tmp_path / "bad.csv").write_text((tmp_path / "good.csv").read_text() + "power,power_w,{},soon,1\n")
    other = tmp_path / "other"
    other.mkdir()
    code, _, err = call("import", "good.csv", "bad.csv", "--into", "other")
    assert code == 1
    assert "bad.csv, line" in err
    assert list(other.iterdir()) == []


def test_importing_into_a_sealed_run_says_that_it_is_another_one_now(call, folder: RunFolder, tmp_path: Path) -> None:
    from terrawatt.runs.manifest import read_manifest, seal

    seal(folder, read_manifest(folder.manifest))
    assert call("export", "1", "-o", "series.csv")[0] == 0
    assert "note" not in call("info", "1")[1]
    code, out, _ = call("import", "series.csv", "--into", "1")
    assert code == 0
    assert "note: the series are no longer those that were measured" in out


def test_forward_sends_what_a_database_lacks_once(call, folder: RunFolder, tmp_path: Path) -> None:
    with InfluxServer(tmp_path) as server:
        use(server.url())
        server.kill()
        code, _, err = call("forward", "1")
        assert code == 1
        assert "cannot be reached" in err
        server.start()
        with SqliteStore(folder.telemetry, read_only=True) as store:
            count = store.count_after(0)
        assert call("forward", "1")[:2] == (0, f"results/conso/run_1: {count} rows sent, 0 remain; 15 phases\n")
        assert call("forward", "1")[:2] == (0, "results/conso/run_1: 0 rows sent, 0 remain; 15 phases\n")
        assert call("forward", "1", "--again")[1].startswith(f"results/conso/run_1: {count} rows sent, 0 remain")
        assert "0 rows are still to be sent" in call("info", "1")[1]
        assert server.count("terrawatt_phase", "duration_s") == 15
        with open_influx(StoreSettings(url=server.url())) as influx:
            assert len(influx.read(PLUG.series, 0, LAST_NS)) > 100
        assert call("export", "1", "-o", "series.csv")[0] == 0
        server.query('DROP DATABASE "telegraf"; CREATE DATABASE "telegraf"')
        assert call("import", "series.csv")[0] == 0
        assert server.count("power", "power_w") > 100


def test_what_is_refused_for_good_is_an_error_the_first_time(call, folder: RunFolder, tmp_path: Path) -> None:
    with InfluxServer(tmp_path) as server:
        use(server.url())
        server.write(f"power,host=lab,source=plug power_w=1i {T0}")
        code, out, err = call("forward", "1")
        assert code == 1
        assert "power power_w: kept there as integer" in err
        assert "refused for good" in out
        assert err.count("\n") == 1
        code, out, _ = call("forward", "1")
        assert code == 0
        assert "0 rows sent, 0 remain" in out
        assert "refused for good" in out


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("forward", "1"), "store.url names no database"),
        (("import", "series.csv"), "store.url names no database"),
        (("export", "1", "-o", "x", "--format", "parket"), "--format parket: no such format. Did you mean parquet?"),
        (("export", "2", "-o", "x"), "run_2: has 2 groups, and a file takes one: 2/1, 2/2"),
        (("export", "7", "-o", "x"), "no such run"),
        (("import", "series.csv", "--into", "2"), "2: has 2 groups; name one, e.g. 2/1"),
    ],
)
def test_what_cannot_be_meant_is_said(
    call, folder: RunFolder, tmp_path: Path, arguments: tuple[str, ...], what: str
) -> None:
    assert call("export", "1", "-o", "series.csv")[0] == 0
    make_run(tmp_path / "results", 2, Recipe(), Recipe())
    code, _, err = call(*arguments)
    assert code in {1, 2}
    assert what.removeprefix("run_") in err
    assert err.count("\n") == 1


def test_the_scenarios_of_a_sweep_share_one_store(call, tmp_path: Path) -> None:
    path = make_run(tmp_path / "results", 2, Recipe(has_store=False), Recipe(has_store=False))
    with SqliteStore(path / "telemetry.sqlite") as store:
        store.write([Sample(PLUG.series, T0 + second * S, 40.0) for second in range(5)])
    (path / "plan.json").write_text("{}")
    code, out, err = call("info", "2")
    assert (code, err) == (0, "")
    assert out.count(f"{PLUG.series}: 5 readings") == 1
    assert call("export", "2", "-o", "all.csv")[:2] == (0, "all.csv: 5 readings\n")
    assert call("import", "all.csv", "--into", "2/1")[0] == 0
