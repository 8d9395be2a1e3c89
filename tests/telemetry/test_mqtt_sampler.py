"""The whole chain: a plug on a real broker, the sampler process, both of the plug's series in its file."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from servers.mosquitto import Mosquitto
from terrawatt.config import SamplingSettings, Settings, SourceSettings
from terrawatt.errors import ProtocolError
from terrawatt.records import Series, SeriesKey
from terrawatt.store.sqlite import SqliteStore
from terrawatt.telemetry.own import sampler_starts
from terrawatt.telemetry.process import SamplerProcess

TOPIC = "zigbee2mqtt/plug"
POWER = SeriesKey.of("power", "power_w", host="lab", source="plug")
COUNTER = SeriesKey.of("power", "energy_j", host="lab", source="plug counter")


class Plug(threading.Thread):
    """Publishes 10 times a second: the n-th reading is n W and n Wh, with its time."""

    def __init__(self, broker: Mosquitto) -> None:
        super().__init__(daemon=True)
        self.stopped = threading.Event()
        self.sent = 0
        self._broker = broker

    def run(self) -> None:
        while not self.stopped.wait(0.1):
            self.publish()

    def publish(self) -> None:
        number = self.sent + 1
        state = {"power": number, "energy": number / 1000, "last_seen": time.time_ns() // 10**6}
        self._broker.publish(TOPIC, json.dumps(state), qos=1)
        self.sent = number


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as running:
        yield running


@pytest.fixture
def plug(broker: Mosquitto) -> Iterator[Plug]:
    made = Plug(broker)
    yield made
    made.stopped.set()
    if made.is_alive():
        made.join()


@pytest.fixture
def sampler(tmp_path: Path, broker: Mosquitto) -> Iterator[Callable[..., SamplerProcess]]:
    made: list[SamplerProcess] = []

    def make(**keys: Any) -> SamplerProcess:
        plug = {"name": "plug", "kind": "mqtt", "device": "zigbee2mqtt", "topic": TOPIC}
        plug["broker"] = f"mqtt://127.0.0.1:{broker.port}"
        settings = Settings(
            sampling=SamplingSettings(interval_s=0.2, host_name="lab", host=("cpu",)),
            sources=(SourceSettings.model_validate(plug | keys),),
        )
        made.append(SamplerProcess(settings, tmp_path / "telemetry.sqlite", tmp_path / "log.txt"))
        return made[-1]

    yield make
    for process in made:
        process.stop()


def kept(tmp_path: Path, key: SeriesKey) -> Series:
    with SqliteStore(tmp_path / "telemetry.sqlite", read_only=True) as store:
        return store.read(key)


def wait_for(condition: Callable[[], bool]) -> None:
    end_s = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.02)


def test_power_and_counter_of_a_plug_are_kept(
    tmp_path: Path, plug: Plug, sampler: Callable[..., SamplerProcess]
) -> None:
    process = sampler()
    plug.start()
    report = process.start()
    assert [(source.name, source.same_as) for source in report.sources] == [("plug", ""), ("plug counter", "plug")]
    assert all(source.has_device_time for source in report.sources)  # known since the first message
    wait_for(lambda: len(kept(tmp_path, POWER)) >= 15)
    latest = process.latest()
    process.stop()
    assert process.failure() is None
    assert latest is not None
    assert set(latest.power_w) == {"plug", "plug counter"}
    power, counter = kept(tmp_path, POWER), kept(tmp_path, COUNTER)
    first = int(power.value[0])
    assert power.value.tolist() == list(range(first, first + len(power)))
    assert counter.value.tolist() == pytest.approx([3600 * value for value in power.value])
    assert counter.t_ns.tolist() == power.t_ns.tolist()
    assert all(t_ns % 10**6 == 0 for t_ns in power.t_ns)  # the plug's ms
    log = (tmp_path / "log.txt").read_text()
    assert f"{len(power)} messages, {len(power)} used, " in log
    assert "dropped: none" in log


def test_what_comes_while_a_killed_sampler_is_away_is_kept_for_the_next(
    tmp_path: Path, plug: Plug, sampler: Callable[..., SamplerProcess]
) -> None:
    process = sampler()
    plug.start()
    process.start()
    wait_for(lambda: len(kept(tmp_path, POWER)) >= 5)
    child = process._child
    assert child is not None
    os.kill(child.process.pid, signal.SIGKILL)
    wait_for(lambda: not process.is_alive())
    before = int(kept(tmp_path, POWER).value[-1])
    wait_for(lambda: plug.sent > before + 25)  # also what was read but not committed, at most a second of it, is gone
    process.restart()
    wait_for(lambda: kept(tmp_path, POWER).value[-1] > before + 30)
    process.stop()
    starts = kept(tmp_path, sampler_starts("lab")).t_ns
    missed = kept(tmp_path, POWER)
    while_away = missed.value[missed.t_ns < starts[1]]
    assert set(range(before + 12, before + 25)) <= set(while_away.tolist())


def test_a_broker_that_is_not_there_ends_the_start_with_one_line(
    tmp_path: Path, broker: Mosquitto, sampler: Callable[..., SamplerProcess]
) -> None:
    process = sampler()
    broker.stop()
    with pytest.raises(ProtocolError) as caught:
        process.start()
    broker.start()
    assert str(caught.value) == (
        f"the sampler cannot start: sources[plug]: broker 127.0.0.1:{broker.port}: cannot be reached (Connection "
        "refused); does it run, and is the address right?"
    )


def test_two_series_of_one_name_are_refused(tmp_path: Path) -> None:
    plug = {"name": "plug", "kind": "mqtt", "device": "tasmota", "topic": TOPIC, "broker": "mqtt://127.0.0.1"}
    sources = tuple(
        SourceSettings.model_validate(source) for source in (plug, {"name": "plug counter", "kind": "estimate"})
    )
    process = SamplerProcess(Settings(sources=sources), tmp_path / "telemetry.sqlite", tmp_path / "log.txt")
    with pytest.raises(ProtocolError, match=r"sources\[plug counter\]: a source with several series has one of this"):
        process.start()
