"""A simulated plug at work: over real MQTT and HTTP, switched by a file or a command, with its truth beside it."""

import json
import queue
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from paho.mqtt.client import Client, MQTTMessage
from pydantic import SecretStr

from servers.mosquitto import Mosquitto
from servers.programs import free_port
from terrawatt.errors import SourceError
from terrawatt.power.simulator.dialects import DIALECTS
from terrawatt.power.simulator.meter import MeterReading, MeterSettings
from terrawatt.power.simulator.profile import constant
from terrawatt.power.simulator.publisher import BrokerAccess, MqttSpeaker
from terrawatt.power.simulator.server import ANSWERERS, HttpSpeaker
from terrawatt.power.simulator.simulation import Simulation
from terrawatt.power.simulator.triggers import BusyCommand, BusyFile
from terrawatt.power.simulator.truth import Scheduled, Triggered, read_truth
from terrawatt.units import NS_PER_S

FAST = MeterSettings(interval_s=0.02)


class Listener:
    """A speaker that keeps what it is told."""

    where = "here"
    sent = 0

    def __init__(self) -> None:
        self.readings: queue.Queue[MeterReading] = queue.Queue()

    def start(self) -> None: ...

    def say(self, reading: MeterReading) -> None:
        self.readings.put(reading)

    def close(self) -> None: ...


def eventually(is_so: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.005)


def test_it_reads_in_time_and_its_truth_holds_every_reading(tmp_path: Path) -> None:
    power = Scheduled(constant(50.0), time.time_ns())
    listener = Listener()
    with Simulation(power, FAST, listener, tmp_path / "truth.csv") as simulation:
        first, *_, last = [listener.readings.get(timeout=20) for _ in range(20)]
    truth = read_truth(tmp_path / "truth.csv")
    assert truth.between_j(first.t_ns, last.t_ns) == pytest.approx(last.energy_j - first.energy_j)
    assert simulation.counts.taken >= 20


def test_a_file_switches_it_and_the_switching_times_are_in_the_truth(tmp_path: Path) -> None:
    flag = tmp_path / "busy"
    power = Triggered(40.0, constant(100.0), BusyFile(flag), time.time_ns())
    listener = Listener()
    with Simulation(power, FAST, listener, tmp_path / "truth.csv"):
        flag.touch()
        eventually(lambda: listener.readings.get(timeout=20).power_w == 100)
        flag.unlink()
        eventually(lambda: listener.readings.get(timeout=20).power_w == 40)
    truth = read_truth(tmp_path / "truth.csv")
    busy_ns, idle_ns = power.changes_ns(power.start_ns, int(truth.t_ns[-1]))[::2][0], power._switches_ns[-1]
    total_s = (truth.t_ns[-1] - truth.t_ns[0]) / NS_PER_S
    expected_j = 40 * total_s + 60 * (idle_ns - busy_ns) / NS_PER_S
    assert truth.between_j(int(truth.t_ns[0]), int(truth.t_ns[-1])) == pytest.approx(expected_j)


def test_a_command_is_seen_while_it_runs() -> None:
    sleeping = (sys.executable, "-c", "input()")
    is_busy = BusyCommand(f"{Path(sys.executable).name} -c 'input()'")
    other = BusyCommand("python -c 'input(2)'")
    assert not is_busy()
    with subprocess.Popen(sleeping, stdin=subprocess.PIPE) as process:
        eventually(is_busy)
        assert not other()
        process.communicate()
    assert not is_busy()


def test_what_is_late_comes_late_and_what_is_lost_is_counted(tmp_path: Path) -> None:
    listener = Listener()
    settings = MeterSettings(interval_s=0.02, late_s=0.2, loss=1.0)
    with Simulation(Scheduled(constant(1.0), time.time_ns()), settings, listener, tmp_path / "truth.csv") as simulation:
        reading = listener.readings.get(timeout=20)
        assert time.time_ns() >= reading.arrival_ns == reading.t_ns + NS_PER_S // 5
    assert reading.copies == 0
    assert simulation.counts.lost == simulation.counts.taken > 1


def test_a_broker_gets_every_message_also_those_of_its_absence(tmp_path: Path) -> None:
    dialect = DIALECTS["zwave"]
    with Mosquitto(tmp_path, password="open sesame") as broker:  # noqa: S106
        heard: queue.Queue[tuple[str, float, bool]] = queue.Queue()
        client = broker.client()
        client.on_message = lambda _client, _data, message: heard.put(_told(message))
        subscribed = threading.Event()
        client.on_subscribe = lambda *_: subscribed.set()
        client.on_connect = _subscribe
        client.subscribe("zwave/#", qos=1)
        assert subscribed.wait(20)
        access = BrokerAccess(f"mqtt://127.0.0.1:{broker.port}", SecretStr("terrawatt"), SecretStr("open sesame"))
        speaker = MqttSpeaker(access, dialect, "plug")
        speaker.start()
        speaker.say(MeterReading(1, 1, 1, 1.0, 0.0, copies=2))
        assert [heard.get(timeout=20)[1] for _ in range(4)] == [1, 0, 1, 0]
        subscribed.clear()
        broker.kill()
        speaker.say(MeterReading(2, 2, 2, 2.0, 0.0))
        broker.start()
        assert subscribed.wait(20)
        eventually(lambda: speaker.sent == 6)
        speaker.say(MeterReading(3, 3, 3, 3.0, 0.0))
        eventually(lambda: speaker.sent == 8)
        speaker.close()
        client.disconnect()
        client.loop_stop()


def _told(message: MQTTMessage) -> tuple[str, float, bool]:
    return message.topic, json.loads(message.payload)["value"], message.retain


def _subscribe(client: Client, *_: object) -> None:
    client.subscribe("zwave/#", qos=1)


def test_a_broker_that_is_not_there_or_refuses_is_an_error(tmp_path: Path) -> None:
    dialect = DIALECTS["plain"]
    port = free_port()
    with pytest.raises(SourceError, match=rf"mqtt://127\.0\.0\.1:{port}: cannot be reached \(Connection refused\)"):
        MqttSpeaker(BrokerAccess(f"mqtt://127.0.0.1:{port}"), dialect, "plug").start()
    with Mosquitto(tmp_path, password="open sesame") as broker:  # noqa: S106
        access = BrokerAccess(f"mqtt://127.0.0.1:{broker.port}", SecretStr("terrawatt"), SecretStr("wrong"))
        with pytest.raises(SourceError, match=r"it refuses us \(Not authorized\)") as error:
            MqttSpeaker(access, dialect, "plug").start()
        assert "wrong" not in str(error.value)


READING = MeterReading(NS_PER_S, NS_PER_S, NS_PER_S, 42.5, 3600.0)


def asked(speaker: HttpSpeaker, path: str, token: str = "") -> dict[str, object]:
    request = urllib.request.Request(speaker.url + path, headers={"Authorization": f"Bearer {token}"} if token else {})  # noqa: S310
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
        content = json.load(answer)
    assert isinstance(content, dict)
    return content


@pytest.mark.parametrize(
    ("protocol", "path", "part"),
    [
        ("http-shelly", "/rpc/Switch.GetStatus?id=0", {"apower": 42.5, "id": 0}),
        ("http-tasmota", "/cm?cmnd=Status%2010", None),
        ("http-esphome", "/sensor/power", {"id": "sensor-power", "value": 42.5, "state": "42.5 W"}),
        ("http-esphome", "/sensor/energy", {"id": "sensor-energy", "value": 0.001, "state": "0.001 kWh"}),
        ("http-homeassistant", "/api/states/sensor.simulated_power", {"state": "42.5"}),
    ],
)
def test_each_device_answers_in_its_words(protocol: str, path: str, part: dict[str, object] | None) -> None:
    speaker = HttpSpeaker(protocol)
    speaker.start()
    speaker.say(READING)
    content = asked(speaker, path)
    if part is None:
        part, content = {"Power": 42.5, "Total": 0.001}, content["StatusSNS"]["ENERGY"]  # type: ignore[index]
    assert content.items() >= part.items()
    with pytest.raises(urllib.error.HTTPError, match="404") as error:
        asked(speaker, "/elsewhere")
    error.value.close()
    speaker.close()
    assert speaker.sent == 1


def test_a_token_is_asked_for_and_a_lost_reading_is_no_answer() -> None:
    speaker = HttpSpeaker("http-homeassistant", token=SecretStr("abc"))
    speaker.start()
    speaker.say(READING)
    path = "/api/states/sensor.simulated_energy"
    assert asked(speaker, path, "abc")["state"] == "0.001"
    for wrong in ("", "abd"):
        with pytest.raises(urllib.error.HTTPError, match="401") as error:
            asked(speaker, path, wrong)
        error.value.close()
    speaker.say(MeterReading(1, 1, 1, 1.0, 1.0, copies=0))
    with pytest.raises((urllib.error.URLError, ConnectionError)):
        asked(speaker, path, "abc")
    speaker.close()


def test_a_port_that_is_taken_is_an_error() -> None:
    first = HttpSpeaker("http-shelly")
    first.start()
    with pytest.raises(SourceError, match="cannot listen there"):
        HttpSpeaker("http-shelly", int(first.url.rpartition(":")[2])).start()
    first.close()
    assert set(ANSWERERS) == {"http-shelly", "http-tasmota", "http-esphome", "http-homeassistant"}
