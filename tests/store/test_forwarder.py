"""The forwarder, with a real InfluxDB: whatever happens on the way, in the end every row is there, once."""

import math
import random
import threading
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from servers.influxdb import InfluxServer
from terrawatt.config import StoreSettings
from terrawatt.errors import StoreRefusedError, StoreUnreachableError
from terrawatt.records import Sample, SeriesKey
from terrawatt.store import forwarder as forwarder_module
from terrawatt.store.forwarder import Forwarder
from terrawatt.store.influxdb import InfluxStore, open_influx
from terrawatt.store.sqlite import SqliteStore
from terrawatt.store.watermark import FILE_NAME

POWER = SeriesKey.of("power", "power_w", host="lab", source="plug")
CPU = SeriesKey.of("cpu", "usage_user", host="lab", cpu="cpu-total")
T0 = 1_790_000_000_000_000_000
END = T0 + 10**15


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "telemetry.sqlite"


def fill(path: Path, count: int, start: int = 0) -> None:
    """So many readings of two series in small commits; every seventh has failed."""
    with SqliteStore(path) as store:
        for first in range(start, start + count, 50):
            store.write(
                Sample(key, T0 + i, math.nan if i % 7 == 3 else i / 3)
                for i in range(first, min(first + 50, start + count))
                for key in (POWER, CPU)
            )


def forwarder_to(influx: InfluxStore, path: Path) -> Forwarder:
    return Forwarder(path, influx, str(influx))


def assert_all_there(influx: InfluxStore, path: Path) -> None:
    with SqliteStore(path, read_only=True) as store:
        keys = store.keys()
        for key in keys:
            here, there = store.read(key), influx.read(key, T0, END)
            np.testing.assert_array_equal(there.t_ns, here.t_ns)
            np.testing.assert_array_equal(there.value, here.value)
        assert influx.keys() == keys


def test_every_row_goes_once_and_a_second_time_nothing_is_left(influx: InfluxStore, path: Path) -> None:
    fill(path, 6000)
    forwarder = forwarder_to(influx, path)
    assert forwarder.remaining() == 12_000
    assert forwarder.send_all() == forwarder.sent == 12_000
    assert forwarder.remaining() == 0
    assert_all_there(influx, path)
    again = forwarder_to(influx, path)
    assert again.remaining() == again.send_all() == 0
    again.restart()
    assert again.send_all() == 12_000
    assert_all_there(influx, path)


def test_late_replaced_and_failed_rows_go_too(influx: InfluxStore, path: Path) -> None:
    with SqliteStore(path) as store:
        forwarder = forwarder_to(influx, path)
        store.write([Sample(POWER, T0 + 100, 1.0), Sample(POWER, T0 + 101, math.nan)])
        forwarder.send_all()
        store.write([Sample(POWER, T0 + 5, 2.0)])
        store.write([Sample(POWER, T0 + 100, 3.0), Sample(POWER, T0 + 101, 4.0)])
        assert forwarder.remaining() == 3
        assert forwarder.send_all() == 3
    assert_all_there(influx, path)
    assert influx.read(POWER, T0, END).value.tolist() == [2.0, 3.0, 4.0]


def test_rows_are_sent_while_others_are_being_committed(influx: InfluxStore, path: Path) -> None:
    fill(path, 100)
    forwarder = forwarder_to(influx, path)
    writer = threading.Thread(target=fill, args=(path, 5000, 100))
    writer.start()
    while writer.is_alive():
        forwarder.send_all()
    writer.join()
    forwarder.send_all()
    assert forwarder.sent == 2 * 5100
    assert_all_there(influx, path)


def test_a_database_that_was_down_the_whole_time_gets_everything_later(tmp_path: Path, path: Path) -> None:
    server = InfluxServer(tmp_path)
    with open_influx(StoreSettings(url=server.url())) as influx:
        fill(path, 300)
        forwarder = forwarder_to(influx, path)
        with pytest.raises(StoreUnreachableError):
            forwarder.send_all()
        assert forwarder.sent == 0
        assert forwarder.remaining() == 600
        with server:
            assert forwarder_to(influx, path).send_all() == 600
            assert_all_there(influx, path)


def test_a_database_killed_again_and_again_loses_nothing(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forwarder_module, "BATCH_ROWS", 200)
    rng = random.Random(5)
    fill(path, 10_000)
    with InfluxServer(tmp_path) as server, open_influx(StoreSettings(url=server.url(), timeout_s=5)) as influx:
        for _ in range(4):
            killer = threading.Timer(rng.uniform(0.0, 0.1), server.kill)
            killer.start()
            forwarder = forwarder_to(influx, path)
            before = 20_000 - forwarder.remaining()
            with suppress(StoreUnreachableError):
                forwarder.send_all()
            killer.join()
            acknowledged = before + forwarder.sent
            server.start()
            there = sum(influx.keys_between(T0, END).values())
            assert there >= acknowledged
        forwarder = forwarder_to(influx, path)
        forwarder.send_all()
        assert_all_there(influx, path)


def test_a_lost_watermark_costs_only_sending_again(influx: InfluxStore, path: Path) -> None:
    fill(path, 200)
    forwarder_to(influx, path).send_all()
    marks = path.with_name(FILE_NAME)
    for damage in (b"", b"{", b'{"databases": 3}'):
        marks.write_bytes(damage)
        assert forwarder_to(influx, path).remaining() == 400
    marks.unlink()
    assert forwarder_to(influx, path).send_all() == 400
    assert_all_there(influx, path)


def test_each_database_has_a_watermark_of_its_own(server: InfluxServer, influx: InfluxStore, path: Path) -> None:
    fill(path, 100)
    forwarder_to(influx, path).send_all()
    with open_influx(StoreSettings(url=server.url("another"))) as another:
        another.create_database()
        forwarder = forwarder_to(another, path)
        assert forwarder.remaining() == 200
        forwarder.send_batch()
        assert forwarder_to(influx, path).remaining() == 0
        assert_all_there(another, path)


def test_the_watermark_of_a_longer_file_is_not_believed(influx: InfluxStore, path: Path) -> None:
    fill(path, 100)
    forwarder_to(influx, path).send_all()
    path.unlink()
    fill(path, 10)
    assert forwarder_to(influx, path).remaining() == 20


def test_what_the_database_refuses_for_good_is_counted_and_said_and_does_not_hold_up_the_rest(
    server: InfluxServer, influx: InfluxStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.write(f"power,host=lab,source=plug power_w=1i {T0 - 5}", str(influx).rpartition("/")[2])
    fill(path, 300)
    monkeypatch.setattr(forwarder_module, "BATCH_ROWS", 70)
    forwarder = forwarder_to(influx, path)
    assert forwarder.send_all() == 600
    refused = sum(i % 7 != 3 for i in range(300))
    assert forwarder.refused == forwarder_to(influx, path).refused == refused
    (complaint,) = forwarder.complaints
    assert "refused for good: power power_w: kept there as integer" in complaint
    assert len(influx.read(CPU, T0, END)) == 300


def test_a_database_that_does_not_exist_keeps_the_rows_here(server: InfluxServer, path: Path) -> None:
    fill(path, 10)
    with open_influx(StoreSettings(url=server.url("nothing"))) as influx:
        forwarder = forwarder_to(influx, path)
        with pytest.raises(StoreRefusedError, match="there is no such database"):
            forwarder.send_all()
        assert forwarder.remaining() == 20


def test_a_file_of_the_first_format_is_sent_and_left_as_it_is(influx: InfluxStore, version_1: Path) -> None:
    before = version_1.read_bytes()
    assert forwarder_to(influx, version_1).send_batch() == 6
    assert version_1.read_bytes() == before
    with SqliteStore(version_1, read_only=True) as store:
        keys = store.keys()
        for key in keys:
            np.testing.assert_array_equal(influx.read(key, 0, END).value, store.read(key).value)
    assert len(keys) == 2
    with SqliteStore(version_1) as store:  # a run that goes on with it brings it to the newest format
        store.write([Sample(keys[0], 9, 9.0)])
    assert forwarder_to(influx, version_1).send_all() == 1


def test_the_store_itself_is_not_touched(influx: InfluxStore, path: Path) -> None:
    fill(path, 100)
    before = path.read_bytes()
    forwarder_to(influx, path).send_all()
    assert path.read_bytes() == before
    assert sorted(file.name for file in path.parent.iterdir()) == [FILE_NAME, path.name]
