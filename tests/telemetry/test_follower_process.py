"""The sampler where somebody else writes: it copies from a real InfluxDB, also after it was killed."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from servers.influxdb import InfluxServer, User
from terrawatt.config import Settings, load
from terrawatt.errors import ProtocolError
from terrawatt.records import SeriesKey
from terrawatt.store.sqlite import SqliteStore
from terrawatt.telemetry.process import SamplerProcess

S = 1_000_000_000
PLUG = SeriesKey.of("mqtt_consumer", "value", host="lab", topic="plug")
CPU = SeriesKey.of("cpu", "usage_user", host="lab", cpu="cpu-total")
READER = User("reader", "only for the tests", {"telegraf": "READ"})
TOML = """
[store]
url = "{url}"
[sampling]
interval_s = "external"
host = ["cpu"]
[[sources]]
name = "plug"
kind = "external"
measurement = "mqtt_consumer"
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    with InfluxServer(tmp_path_factory.mktemp("influx"), users=(READER,)) as server:
        yield server


@pytest.fixture
def settings(server: InfluxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("TERRAWATT_STORE__USER", READER.name)
    monkeypatch.setenv("TERRAWATT_STORE__PASSWORD", READER.password)
    file = tmp_path / "terrawatt.toml"
    file.write_text(TOML.format(url=server.url()))
    return load(file)


def write(server: InfluxServer, *t_ns: int) -> None:
    lines = (
        f"cpu,cpu=cpu-total,host=lab usage_user=5 {t}\nmqtt_consumer,host=lab,topic=plug value=42.5 {t}" for t in t_ns
    )
    server.write("\n".join(lines))


def times(path: Path, key: SeriesKey) -> list[int]:
    with SqliteStore(path, read_only=True) as store:
        return [int(t) for t in store.read(key).t_ns]


def test_what_came_late_and_while_it_was_dead_is_copied_too(
    server: InfluxServer, settings: Settings, tmp_path: Path
) -> None:
    path, now = tmp_path / "telemetry.sqlite", time.time_ns()
    first = [now - i * 10 * S for i in (3, 2, 1)]
    write(server, *first)
    with SamplerProcess(settings, path, tmp_path / "log.txt") as sampler:
        report = sampler.start()
        assert (report.interval_s, report.slowest_s, report.host) == (10.0, 10.0, "lab")
        assert times(path, PLUG) == first
        assert sampler._child is not None
        os.kill(sampler._child.process.pid, signal.SIGKILL)
        sampler._child.process.wait()
        late, later = first[0] + 5 * S, now + S
        write(server, late, later)
        sampler.restart()
    assert times(path, PLUG) == times(path, CPU) == sorted([*first, late, later])
    assert READER.password not in (tmp_path / "log.txt").read_text()


def test_a_wrong_password_is_one_line_without_it(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERRAWATT_STORE__PASSWORD", "wrong and secret")
    with (
        SamplerProcess(settings, tmp_path / "t.sqlite", tmp_path / "log.txt") as sampler,
        pytest.raises(ProtocolError, match=r"the sampler cannot start: influxdb://127\.0\.0\.1.*password") as caught,
    ):
        sampler.start()
    assert "\n" not in str(caught.value)
    assert "wrong and secret" not in str(caught.value) + (tmp_path / "log.txt").read_text()
