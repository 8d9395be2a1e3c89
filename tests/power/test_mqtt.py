"""Plugs on a real broker: connecting, being refused, losing the connection and finding it again."""

import json
import logging
import math
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from servers.certificates import make_certificate
from servers.mosquitto import USER, Mosquitto
from servers.programs import free_port
from terrawatt.config import SourceSettings
from terrawatt.errors import SourceError
from terrawatt.power.mqtt import MqttSource, create
from terrawatt.power.source import KeepsSession, PushedSource
from terrawatt.records import Sample

PATIENCE_S = 30.0
PASSWORD = "right one"  # noqa: S105  # of a broker that lives as long as a test
POWER = "zwave/plug/50/0/value/66049"
COUNTER = "zwave/plug/50/0/value/65537"


class Samples:
    """What a source has sent."""

    def __init__(self) -> None:
        self._all: list[Sample] = []
        self._more = threading.Condition()

    def take(self, samples: Sequence[Sample]) -> None:
        with self._more:
            self._all.extend(samples)
            self._more.notify_all()

    def wait_for(self, condition: Callable[[list[Sample]], bool]) -> list[Sample]:
        """All samples, once they fulfil a condition."""
        with self._more:
            assert self._more.wait_for(lambda: condition(self._all), PATIENCE_S), self._all[-10:]
            return list(self._all)

    def until(self, value: float) -> list[Sample]:
        """All samples, once this value is the last."""
        return self.wait_for(lambda samples: bool(samples) and samples[-1].value == value)

    @property
    def values(self) -> list[float]:
        with self._more:
            return [sample.value for sample in self._all]


Start = Callable[..., tuple[MqttSource, Samples]]


def make(broker: Mosquitto | int, device: str, topic: str, scheme: str = "mqtt", **keys: Any) -> MqttSource:
    port = broker if isinstance(broker, int) else broker.port
    content = {"device": device, "broker": f"{scheme}://127.0.0.1:{port}", "topic": topic, **keys}
    return create(SourceSettings.model_validate({"name": "plug", "kind": "mqtt", **content}), "lab")


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts sources, and closes them."""
    started: list[MqttSource] = []

    def begin(*arguments: Any, keeps_session: bool = False, **keys: Any) -> tuple[MqttSource, Samples]:
        source, samples = make(*arguments, **keys), Samples()
        if keeps_session:
            source.keep_session()
        started.append(source)
        source.start(samples.take)
        return source, samples

    yield begin
    for source in started:
        source.close()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as running:
        yield running


def timed(value: float, t_ns: int | None = None) -> str:
    return json.dumps({"time": (time.time_ns() if t_ns is None else t_ns) // 10**6, "value": value})


def wait_until(condition: Callable[[], bool]) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.01)


DEVICES: dict[str, tuple[str, dict[str, Any], Any, list[float]]] = {
    "zwave": (POWER, {}, {"time": 0, "value": 12.5}, [12.5]),
    "zigbee2mqtt": ("zigbee2mqtt/plug", {}, {"power": 12.5, "energy": 2}, [12.5, 7.2e6]),
    "tasmota": ("tele/plug/SENSOR", {}, {"ENERGY": {"Power": 12, "Total": 2}}, [12, 7.2e6]),
    "shelly": ("plug/status/switch:0", {}, {"apower": 12.5, "aenergy": {"total": 2}}, [12.5, 7200]),
    "esphome": ("plug/sensor/power/state", {}, "12.5", [12.5]),
    "homeassistant": ("ha/sensor/plug/state", {}, "12.5", [12.5]),
    "plain": ("plug/power", {"unit": "kW"}, "0.0125", [12.5]),
    "json": (
        "plug/all",
        {"path": "a.w", "counter_path": "wh", "counter_unit": "Wh"},
        {"a": {"w": 12}, "wh": 2},
        [12, 7200],
    ),
}


@pytest.mark.parametrize("device", DEVICES)
def test_each_device_is_followed(broker: Mosquitto, start: Start, device: str) -> None:
    topic, keys, content, expected = DEVICES[device]
    source, samples = start(broker, device, topic, **keys)
    before_ns = time.time_ns()
    if device == "zwave":
        content = {**content, "time": before_ns // 10**6}
    broker.publish(topic, content if isinstance(content, str) else json.dumps(content), qos=1)
    found = samples.wait_for(lambda taken: len(taken) >= len(expected))
    after_ns = time.time_ns()
    assert [sample.value for sample in found] == expected
    assert [sample.key for sample in found] == [description.series for description in source.descriptions]
    assert all(before_ns - 10**6 <= sample.t_ns <= after_ns for sample in found)
    assert source.descriptions[0].has_device_time is (device == "zwave")
    assert source.counts == {"used": 1}


def test_it_is_a_source_that_sends_by_itself_and_can_have_a_session() -> None:
    source = make(1883, "zwave", POWER)
    assert isinstance(source, PushedSource)
    assert isinstance(source, KeepsSession)
    source.close()  # not started


def test_shelly_tells_what_has_changed(broker: Mosquitto, start: Start) -> None:
    source, samples = start(broker, "shelly", "plug/events/rpc")
    now_ns = time.time_ns()
    for status in ({"apower": 12.5}, {"aenergy": {"total": 2}}, {"temperature": {"tC": 50}}):
        content = {"method": "NotifyStatus", "params": {"ts": now_ns / 1e9, "switch:0": status}}
        broker.publish("plug/events/rpc", json.dumps(content), qos=1)
    samples.until(7200)
    wait_until(lambda: sum(source.counts.values()) == 3)
    assert source.counts == {"used": 2, "without a reading": 1}
    assert samples.values == [12.5, 7200]


def test_the_counter_beside_a_power_is_followed_too(broker: Mosquitto, start: Start) -> None:
    source, samples = start(broker, "zwave", POWER, counter=True)
    broker.publish(COUNTER, timed(2), qos=1)
    broker.publish(POWER, timed(12.5), qos=1)
    found = samples.until(12.5)
    power, counter = source.descriptions
    assert [(sample.key, sample.value) for sample in found] == [(counter.series, 7.2e6), (power.series, 12.5)]


def test_a_retained_message_is_dropped_and_counted(broker: Mosquitto, start: Start) -> None:
    broker.publish("plug/power", "99", qos=1, retain=True)
    source, samples = start(broker, "plain", "plug/power")
    broker.publish("plug/power", "12", qos=1, retain=True)  # retained for others, but new to us
    assert [sample.value for sample in samples.until(12)] == [12]
    assert source.counts == {"retained": 1, "used": 1}


def test_user_and_password(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Mosquitto(tmp_path, password=PASSWORD) as broker:
        with pytest.raises(SourceError) as missing:
            start(broker, "plain", "plug/power")
        wrong = f"sources[plug]: broker 127.0.0.1:{broker.port}: it refuses the connection: user and password are wrong"
        assert str(missing.value) == f"{wrong}, or missing"
        monkeypatch.setenv("TERRAWATT_SOURCE_PLUG_USER", USER)
        monkeypatch.setenv("TERRAWATT_SOURCE_PLUG_PASSWORD", "wrong one")
        with pytest.raises(SourceError) as refused:
            start(broker, "plain", "plug/power")
        assert str(refused.value) == f"{wrong}, or missing"
        monkeypatch.setenv("TERRAWATT_SOURCE_PLUG_PASSWORD", PASSWORD)
        _, samples = start(broker, "plain", "plug/power")
        broker.publish("plug/power", "12", qos=1)
        samples.until(12)


def test_secrets_may_be_in_files(start: Start, tmp_path: Path) -> None:
    files = {}
    for name, content in (("user_file", USER), ("password_file", PASSWORD)):
        files[name] = tmp_path / name
        files[name].write_text(f"{content}\n")
        files[name].chmod(0o600)
    with Mosquitto(tmp_path, password=PASSWORD) as broker:
        _, samples = start(broker, "plain", "plug/power", **files)
        broker.publish("plug/power", "12", qos=1)
        samples.until(12)


# Paho leaves the socket of a handshake that failed to the garbage collector.
_unclosed = pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket", "ignore:unclosed <ssl.SSLSocket")


@_unclosed
def test_tls_with_an_authority_of_ones_own(start: Start, tmp_path: Path) -> None:
    with Mosquitto(tmp_path, tls=True) as broker:
        keys = {"scheme": "mqtts", "ca_file": str(broker.ca_file)}
        _, samples = start(broker, "plain", "plug/power", **keys)
        broker.publish("plug/power", "12", qos=1)
        samples.until(12)
        stranger = str(make_certificate(tmp_path / "stranger").ca_file)
        with pytest.raises(SourceError, match=r"its certificate is not trusted \(.*\); set ca_file"):
            start(broker, "plain", "plug/power", scheme="mqtts", ca_file=stranger)
        with pytest.raises(SourceError, match=r"its certificate is not trusted \(.*\); set ca_file"):
            start(broker, "plain", "plug/power", scheme="mqtts")
        with pytest.raises(SourceError, match="ended the connection before it was made; does it want TLS, mqtts://"):
            start(broker, "plain", "plug/power")


@_unclosed
def test_tls_with_a_broker_that_has_none_is_refused(broker: Mosquitto, start: Start) -> None:
    with pytest.raises(SourceError, match=r"no TLS with it|it ended the connection; does it speak TLS"):
        start(broker, "plain", "plug/power", scheme="mqtts")


def test_a_broker_that_is_not_there(start: Start) -> None:
    port = free_port()
    with pytest.raises(SourceError) as caught:
        start(port, "plain", "plug/power")
    assert str(caught.value) == (
        f"sources[plug]: broker 127.0.0.1:{port}: cannot be reached (Connection refused); does it run, and is the "
        "address right?"
    )


class Answering(threading.Thread):
    """A broker that gives each client ready answers, one a packet, then ends; that of one client waits for its end."""

    def __init__(self, *clients: Sequence[bytes]) -> None:
        super().__init__(daemon=True)
        self.n_served = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self._clients = clients
        self.port = int(self._server.getsockname()[1])
        self.start()

    def run(self) -> None:
        with self._server:
            for answers in self._clients:
                client, _ = self._server.accept()
                with client:
                    for answer in answers:
                        client.recv(4096)
                        client.sendall(answer)
                    if len(self._clients) == 1:
                        while client.recv(4096):
                            pass
                self.n_served += 1


CONNACK = b"\x20\x02\x00\x00"
SUBACK = b"\x90\x03\x00\x01\x01"
SUBACK_REFUSED = b"\x90\x03\x00\x01\x80"


def test_a_topic_that_one_may_not_read(start: Start) -> None:
    with pytest.raises(SourceError, match="it does not let this user read plug/power"):
        start(Answering([CONNACK, SUBACK_REFUSED]).port, "plain", "plug/power")


def test_a_server_that_never_answers(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("terrawatt.power.mqtt_link.ANSWER_S", 0.2)
    with pytest.raises(SourceError, match=r"it does not answer in .* is this the port of an MQTT broker"):
        start(Answering([]).port, "plain", "plug/power")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (TimeoutError("timed out"), "it does not answer in 3 s; is the address right, and no firewall between?"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong"), "no TLS with it"),
        (socket.gaierror(-2, "Name or service not known"), "cannot be reached (Name or service not known)"),
        (ValueError("Invalid host."), "cannot be reached (Invalid host.)"),
    ],
)
def test_what_hinders_a_connection_is_said(
    start: Start, monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(Client, "connect", fail)
    with pytest.raises(SourceError) as caught:
        start(1883, "plain", "plug/power")
    assert str(caught.value).startswith(f"sources[plug]: broker 127.0.0.1:1883: {message}")


@pytest.mark.usefixtures("_impatient")
def test_a_broker_that_refuses_later_is_named_once(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    refusing = b"\x20\x02\x00\x05"
    server = Answering([CONNACK, SUBACK], [], [refusing], [refusing], [refusing])
    source, samples = start(server.port, "plain", "plug/power")
    wait_until(lambda: server.n_served >= 4)
    wait_until(lambda: "refuses the connection" in caplog.text)
    source.close()
    assert caplog.text.count("refuses the connection: user and password are wrong, or missing") == 1
    assert samples.values == []


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconnects at once."""
    original = Client.reconnect_delay_set
    monkeypatch.setattr(Client, "reconnect_delay_set", lambda client, **_: original(client, 0, 0))


@pytest.mark.usefixtures("_impatient")
def test_a_killed_broker_is_found_again(broker: Mosquitto, start: Start, caplog: pytest.LogCaptureFixture) -> None:
    _, samples = start(broker, "homeassistant", "plug/power")
    broker.publish("plug/power", "1", qos=1)
    samples.until(1)
    broker.kill()
    # Of a reading that holds until the next: nobody knows the power now.
    found = samples.wait_for(lambda taken: math.isnan(taken[-1].value))
    assert len(found) == 2
    broker.start()
    wait_until(lambda: "connected to the broker again" in caplog.text)
    broker.publish("plug/power", "2", qos=1)
    assert samples.until(2)[-1].t_ns > found[-1].t_ns
    assert caplog.text.count("the connection to the broker is lost") == 1


@pytest.mark.usefixtures("_impatient")
def test_what_waited_at_the_broker_has_its_own_time_or_is_dropped(broker: Mosquitto) -> None:
    """More waits than a broker sends at once, so that some comes after it has answered."""
    first = make(broker, "zwave", POWER)
    first.keep_session()
    samples = Samples()
    first.start(samples.take)
    broker.publish(POWER, timed(0), qos=1)
    samples.until(0)
    _cut(first)
    now_ns = time.time_ns() // 10**9 * 10**9
    for number in range(1, 61):
        broker.publish(POWER, timed(number, now_ns - (60 - number) * 10**9), qos=1)
    broker.publish(POWER, "777", qos=1)  # when was this?

    source = make(broker, "zwave", POWER)
    source.keep_session()
    later = Samples()
    source.start(later.take)
    # The first one comes again when the broker was not told that it had come; at the same time it is the same sample.
    found = {sample.t_ns: sample.value for sample in later.until(60) if sample.value != 0}
    assert found == {now_ns - (60 - number) * 10**9: number for number in range(1, 61)}
    broker.publish(POWER, timed(61), qos=1)
    later.until(61)
    assert source.counts["used"] in (61, 62)
    assert source.counts["without the device's time"] == 1
    source.close()


def test_what_waited_without_a_time_is_dropped_and_what_comes_then_is_used(broker: Mosquitto) -> None:
    first = make(broker, "zwave", POWER)
    first.keep_session()
    first.start(Samples().take)
    _cut(first)
    for _ in range(60):
        broker.publish(POWER, "777", qos=1)
    source = make(broker, "zwave", POWER)
    source.keep_session()
    samples = Samples()
    source.start(samples.take)
    wait_until(lambda: source.counts.get("waited at the broker") == 60)
    wait_until(lambda: not source._link._may_have_waited)
    broker.publish(POWER, "5", qos=1)
    assert [sample.value for sample in samples.until(5)] == [5]
    source.close()


def _cut(source: MqttSource) -> None:
    """End a source as a kill of its process would: the broker is not told."""
    client = source._link._client
    assert client is not None
    source._link._is_closing = True
    client._sock_close()
    client.loop_stop()


def test_a_clean_end_leaves_nothing_that_would_be_kept(broker: Mosquitto) -> None:
    for _ in range(2):
        source = make(broker, "zwave", POWER)
        source.keep_session()
        samples = Samples()
        source.start(samples.take)
        assert source.counts == {}
        source.close()
        broker.publish(POWER, timed(1), qos=1)
        assert samples.values == []


def test_readers_without_a_session_do_not_disturb_each_other(broker: Mosquitto, start: Start) -> None:
    _, lasting = start(broker, "zwave", POWER, keeps_session=True)
    for value in (1, 2):
        _, passing = start(broker, "zwave", POWER)
        broker.publish(POWER, timed(value), qos=1)
        passing.until(value)
        lasting.until(value)


def test_nothing_is_kept_of_a_device_that_never_tells_its_time(broker: Mosquitto) -> None:
    for _ in range(2):
        source = make(broker, "plain", "plug/power")
        source.keep_session()
        source.start(Samples().take)
        _cut(source)
        broker.publish("plug/power", "777", qos=1)
        assert source.counts == {}


def test_a_flood_is_survived_and_counted(broker: Mosquitto, start: Start, caplog: pytest.LogCaptureFixture) -> None:
    source, samples = start(broker, "zwave", POWER, time="device")
    flooder = Client(CallbackAPIVersion.VERSION2)
    flooder.max_queued_messages_set(0)
    flooder.connect(broker.host, broker.port)
    flooder.loop_start()
    junk = [b"", b"{", b"\xff" * 500, b"[" * 1000, b"nan", b'{"value": 1e400}', b"5", b"x" * 100_000]
    total, rate_hz = 2_000, 1_000  # at ten times the rate the broker itself drops messages
    begin_s = time.monotonic()
    for number in range(total):
        while time.monotonic() < begin_s + number / rate_hz:
            time.sleep(0.005)
        flooder.publish(POWER, junk[number % len(junk)], qos=0)
        if number % 100 == 0:
            flooder.publish(POWER, timed(number), qos=1)
    last = flooder.publish(POWER, timed(-1), qos=1)
    last.wait_for_publish(PATIENCE_S)
    samples.until(-1)
    flooder.disconnect()
    flooder.loop_stop()
    assert source.counts["used"] == 1 + total // 100
    assert [value for value in samples.values if value >= 0] == list(range(0, total, 100))
    assert set(source.counts) == {
        "used",
        "not a number",
        "not JSON",
        "not text",
        "out of range",
        "too large",
        "without the device's time",
    }
    assert len(caplog.records) < 20


def test_the_log_says_at_the_end_what_became_of_all_messages(
    broker: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    source, samples = make(broker, "plain", "plug/power"), Samples()
    source.start(samples.take)
    broker.publish("plug/power", "nonsense", qos=1)
    broker.publish("plug/power", "5", qos=1)
    samples.until(5)
    source.close()
    source.close()
    assert "source plug: 2 messages, 1 used; dropped: 1 not a number" in caplog.text
