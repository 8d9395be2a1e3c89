"""The sampler sends what it commits on to a real InfluxDB, whatever that does meanwhile."""

import math
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from servers.influxdb import InfluxServer, User
from terrawatt.config import SamplingSettings, Settings, SourceSettings, StoreSettings
from terrawatt.errors import ProtocolError
from terrawatt.records import Sample, SeriesKey
from terrawatt.store.forwarder import Forwarder
from terrawatt.store.influxdb import InfluxStore, open_influx
from terrawatt.store.sqlite import SqliteStore
from terrawatt.telemetry.forwarding import ForwardingThread
from terrawatt.telemetry.own import sampler_starts
from terrawatt.telemetry.process import SamplerProcess

PLUG = SeriesKey.of("power", "power_w", host="lab", source="plug")
FIRST_NS, LAST_NS = 0, 2**62
SECRET = "not to be seen anywhere"  # noqa: S105  # of a server of the tests


@pytest.fixture
def store_path(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    return tmp_path / "run" / "telemetry.sqlite"


@pytest.fixture
def sampler(store_path: Path) -> Iterator[Callable[[StoreSettings], SamplerProcess]]:
    """Makes samplers at 20 Hz that forward, and ends them."""
    made: list[SamplerProcess] = []
    recording = store_path.with_name("plug.csv")
    recording.write_text(
        "t_s,power_w\n" + "".join(f"{step / 10},{'' if step % 10 == 5 else 10 + step}\n" for step in range(100))
    )

    def make(database: StoreSettings) -> SamplerProcess:
        settings = Settings(
            store=database.model_dump(include={"url", "ca_file"}),  # a table, beside which the environment counts
            sampling=SamplingSettings(interval_s=0.05, host_name="lab", host=("cpu", "mem")),
            sources=(SourceSettings.model_validate({"name": "plug", "kind": "replay", "file": str(recording)}),),
        )
        made.append(SamplerProcess(settings, store_path, store_path.with_name("log.txt")))
        return made[-1]

    yield make
    for process in made:
        process.stop()


def readings(path: Path) -> int:
    with SqliteStore(path, read_only=True) as store:
        return len(store.read(PLUG))


def wait_for_readings(sampler: SamplerProcess, path: Path, count: int) -> None:
    """Until so many readings are committed; the sampler tells of each commit."""
    latest = sampler.latest()
    while readings(path) < count:
        assert sampler.is_alive(), sampler.failure()
        while sampler.latest() == latest:
            threading.Event().wait(0.02)
        latest = sampler.latest()


def assert_all_there(influx: InfluxStore, path: Path) -> None:
    with SqliteStore(path, read_only=True) as store:
        keys = store.keys()
        assert {PLUG, sampler_starts("lab")} < set(keys)
        for key in keys:
            here, there = store.read(key), influx.read(key, FIRST_NS, LAST_NS)
            np.testing.assert_array_equal(there.t_ns, here.t_ns)
            np.testing.assert_array_equal(there.value, here.value)


def test_all_series_arrive_with_their_gaps_and_no_secret_is_written(
    tmp_path: Path,
    store_path: Path,
    sampler: Callable[[StoreSettings], SamplerProcess],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERRAWATT_STORE__USER", "anna")
    monkeypatch.setenv("TERRAWATT_STORE__PASSWORD", SECRET)
    users = [User("anna", SECRET, {"telegraf": "ALL"})]
    with InfluxServer(tmp_path, users=users, tls=True) as server:
        assert server.certificate is not None
        settings = StoreSettings(url=server.url(), ca_file=server.certificate.ca_file)
        process = sampler(settings)
        process.start()
        wait_for_readings(process, store_path, 20)
        process.stop()
        with open_influx(settings) as influx:
            assert_all_there(influx, store_path)
            plug = influx.read(PLUG, FIRST_NS, LAST_NS)
    assert np.isnan(plug.value).any()
    assert not np.isnan(plug.value).all()
    for file in store_path.parent.iterdir():
        assert SECRET.encode() not in file.read_bytes(), file.name
    assert [path.name for path in sorted(store_path.parent.iterdir())] == [
        "forwarded.json",
        "log.txt",
        "plug.csv",
        "telemetry.sqlite",
    ]
    assert "sent on" not in store_path.with_name("log.txt").read_text()


def test_a_database_that_is_down_costs_one_line_in_the_log_and_no_reading(
    tmp_path: Path, store_path: Path, sampler: Callable[[StoreSettings], SamplerProcess]
) -> None:
    server = InfluxServer(tmp_path)
    settings = StoreSettings(url=server.url())
    process = sampler(settings)
    process.start()
    wait_for_readings(process, store_path, 20)
    process.stop()
    log = store_path.with_name("log.txt").read_text()
    assert log.count("nothing is sent on now: influxdb://127.0.0.1:") == 1
    with server, open_influx(settings) as influx:
        assert Forwarder(store_path, influx, str(influx)).send_all() > 20
        assert_all_there(influx, store_path)


def test_a_killed_sampler_is_followed_by_one_that_sends_what_it_left(
    tmp_path: Path, store_path: Path, sampler: Callable[[StoreSettings], SamplerProcess]
) -> None:
    with InfluxServer(tmp_path) as server:
        settings = StoreSettings(url=server.url())
        process = sampler(settings)
        process.start()
        wait_for_readings(process, store_path, 20)
        child = process._child
        assert child is not None
        child.process.kill()
        child.process.wait()
        process.restart()
        wait_for_readings(process, store_path, readings(store_path) + 10)
        process.stop()
        with open_influx(settings) as influx:
            assert_all_there(influx, store_path)
            assert len(influx.read(sampler_starts("lab"), FIRST_NS, LAST_NS)) == 2


def test_secrets_that_do_not_go_together_end_it_at_the_start(
    store_path: Path, sampler: Callable[[StoreSettings], SamplerProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERRAWATT_STORE__PASSWORD", SECRET)
    with pytest.raises(ProtocolError, match="the sampler cannot start: store: the user is missing") as caught:
        sampler(StoreSettings(url="influxdb://127.0.0.1:1/telegraf")).start()
    assert SECRET not in str(caught.value)


def test_the_thread_sends_rows_while_others_come_and_the_rest_at_the_end(tmp_path: Path, store_path: Path) -> None:
    with InfluxServer(tmp_path) as server, open_influx(StoreSettings(url=server.url())) as influx:
        with SqliteStore(store_path) as store:
            store.write([Sample(PLUG, 1, 1.0)])
            thread = ForwardingThread(Forwarder(store_path, influx, str(influx)), interval_s=0.01)
            thread.start()
            while server.count("power", "power_w") < 1:
                threading.Event().wait(0.01)
            store.write([Sample(PLUG, 2, math.nan), Sample(PLUG, 3, 3.0)])
            while server.count("power", "power_w") < 2:
                threading.Event().wait(0.01)
            server.kill()
            store.write([Sample(PLUG, 4, 4.0)])
            server.start()
            thread.end()
            assert not thread.is_alive()
        assert influx.read(PLUG, 0, 10).t_ns.tolist() == [1, 2, 3, 4]
