"""A whole run with `interval_s = "external"`: somebody else writes into a real InfluxDB, terrawatt reads."""

import io
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from servers.influxdb import InfluxServer
from terrawatt.config import Settings, load
from terrawatt.errors import ProtocolError
from terrawatt.experiment.progress import Lines
from terrawatt.experiment.runner import Outcome, Request, run
from terrawatt.records import Scenario, SeriesKey
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.manifest import read_manifest
from terrawatt.store.sqlite import SqliteStore
from terrawatt.summary.gather import gather
from terrawatt.telemetry.follower import POLL_S

TOML = """
[experiment]
name = "external"
results = "{folder}/results"
lock = "{folder}/lock"
[protocol]
cold_s = 2
idle_after_s = 0
warmup = 0
repetitions = 2
[store]
url = "{url}"
[sampling]
interval_s = "external"
host = ["cpu", "mem"]
[[sources]]
name = "plug"
kind = "external"
measurement = "mqtt_consumer"
tags = {{ topic = "zwave/plug/50/0/value/66049" }}
unit = "kW"
accuracy = [{{ plus_minus_percent = 1.0 }}]
[emissions]
enabled = false
"""
TOPIC = "zwave/plug/50/0/value/66049"
INTERVAL_S, BUSY_S = 0.2, 2.0  # as in the workload
IDLE_KW, BUSY_KW = 0.04, 0.09
# The workload says when it is busy by a file, which the plug looks at.
WORKLOAD = "import pathlib, sys, time; p = pathlib.Path(sys.argv[1]); p.touch(); time.sleep(2); p.unlink()"


class Telegraf(threading.Thread):
    """Writes what Telegraf would, some of it late: readings are sent in batches, as at its flushes."""

    def __init__(self, server: InfluxServer, busy: Path, flush_s: float = 1.0) -> None:
        super().__init__(name="telegraf", daemon=True)
        self._server, self._busy, self._flush_s = server, busy, flush_s
        self._ended = threading.Event()
        self.wrote = threading.Event()

    def run(self) -> None:
        lines: list[str] = []
        flushed_s = time.monotonic()
        while not self._ended.wait(INTERVAL_S):
            t_ns, is_busy = time.time_ns(), self._busy.exists()
            lines += [
                f"cpu,cpu=cpu-total,host=lab usage_user={75.0 if is_busy else 5.0} {t_ns}",
                f"mem,host=lab available_percent=80,total=16i {t_ns}",
                f"mqtt_consumer,host=gateway,topic={TOPIC} value={BUSY_KW if is_busy else IDLE_KW} {t_ns}",
            ]
            if time.monotonic() - flushed_s > self._flush_s:
                flushed_s = time.monotonic()
                with suppress(OSError):  # the database is down; it keeps what it has
                    self._server.write("\n".join(lines))
                    lines = []
                    self.wrote.set()

    def end(self) -> None:
        self._ended.set()
        self.join()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    with InfluxServer(tmp_path_factory.mktemp("influx")) as server:
        yield server


@pytest.fixture
def settings(server: InfluxServer, tmp_path: Path) -> Settings:
    file = tmp_path / "terrawatt.toml"
    file.write_text(TOML.format(folder=tmp_path, url=server.url()))
    return load(file)


@pytest.fixture
def measure(settings: Settings, tmp_path: Path) -> Callable[[], Outcome]:
    def measure() -> Outcome:
        command = (sys.executable, "-I", "-c", WORKLOAD, str(tmp_path / "busy"))
        return run(Request(settings, (Scenario({"command": "busy"}, command),)), Lines(io.StringIO()))

    return measure


def test_without_anybody_who_writes_nothing_is_measured(measure: Callable[[], Outcome], tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match=r"the database has no reading of mqtt_consumer.* in the last 10 min"):
        measure()
    assert not list((tmp_path / "results").glob("**/manifest.json"))


def test_a_run_reads_what_somebody_else_writes_and_keeps_a_copy(
    server: InfluxServer, measure: Callable[[], Outcome], tmp_path: Path
) -> None:
    telegraf = Telegraf(server, tmp_path / "busy")
    telegraf.start()
    try:
        assert telegraf.wrote.wait(30)
        (path,) = measure().statuses
    finally:
        telegraf.end()
    manifest = read_manifest(path / "manifest.json")
    assert str(manifest.sources[0].series) == "mqtt_consumer,host=gateway,topic=zwave/plug/50/0/value/66049 value"
    assert (manifest.host, manifest.is_external, manifest.database) == ("lab", True, server.url())
    assert manifest.missing["temp"] == "sampling.host does not name 'temp'"
    assert manifest.sampling_interval_s == pytest.approx(INTERVAL_S, rel=0.5)
    first = gather([path])
    for row in first.rows:
        assert row.values["Energy (plug)"] == pytest.approx(50 * BUSY_S, rel=0.2)
        assert row.values["Energy gross (plug)"] == pytest.approx(90 * BUSY_S, rel=0.2)
        assert row.values["CPU"] == pytest.approx(70 * BUSY_S, rel=0.25)
    _check_copy(server, RunFolder(path), manifest.sources[0].series)
    assert server.count("power", "power_w") == 0, "terrawatt itself writes no series"
    assert server.count("terrawatt_phase", "duration_s") == 3


def test_a_database_that_was_down_meanwhile_costs_nothing(
    server: InfluxServer, measure: Callable[[], Outcome], tmp_path: Path
) -> None:
    telegraf = Telegraf(server, tmp_path / "busy")
    telegraf.start()
    fault = threading.Thread(target=_interrupt, args=(server, tmp_path / "busy"))
    fault.start()
    try:
        assert telegraf.wrote.wait(30)
        (path,) = measure().statuses
    finally:
        fault.join()
        telegraf.end()
    folder = RunFolder(path)
    assert "the series cannot be copied now" in folder.log.read_text()
    assert [row.values["Energy (plug)"] for row in gather([path]).rows] == pytest.approx([50 * BUSY_S] * 2, rel=0.2)
    _check_copy(server, folder, read_manifest(folder.manifest).sources[0].series)


def _interrupt(server: InfluxServer, busy: Path) -> None:
    """Kill the database when the first workload begins; it comes back after the follower has asked in vain."""
    for _ in range(600):
        if busy.exists():
            break
        time.sleep(0.1)
    server.kill()
    time.sleep(POLL_S + 1)
    server.start()


def _check_copy(server: InfluxServer, folder: RunFolder, key: SeriesKey) -> None:
    """The copy is what the database has of its time, with readings on both sides of the run."""
    from terrawatt.runs.phases import read_phases

    phases = read_phases(folder.phases)
    with SqliteStore(folder.telemetry, read_only=True) as store:
        copy = store.read(key)
    assert copy.t_ns[0] < phases[0].window.start_ns
    assert copy.t_ns[-1] > phases[-1].window.end_ns
    between = f"time >= {copy.t_ns[0]} AND time <= {copy.t_ns[-1]}"
    (result,) = server.query(f'SELECT "value" FROM "mqtt_consumer" WHERE {between}')  # noqa: S608  # numbers of ours
    assert [int(row[0]) for row in result["series"][0]["values"]] == copy.t_ns.tolist()
