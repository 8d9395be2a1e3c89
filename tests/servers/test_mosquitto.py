"""The broker that other tests stand on: it asks for passwords, speaks TLS, obeys rules, and survives a kill."""

import queue
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from servers.certificates import make_certificate
from servers.mosquitto import Mosquitto
from servers.programs import require_program


class Subscriber:
    """A client with a session that the broker keeps."""

    def __init__(self, broker: Mosquitto, topic: str) -> None:
        self.topic = topic
        self.messages: queue.Queue[str] = queue.Queue()
        self.connected: queue.Queue[ReasonCode] = queue.Queue()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="listener", clean_session=False)
        self._client.on_message = self._take
        self._client.on_subscribe = lambda *arguments: self.connected.put(arguments[3][0])
        self._client.on_connect = self._subscribe
        self._client.connect(broker.host, broker.port)
        self._client.loop_start()
        self.connected.get(timeout=10)

    def _subscribe(self, client: Client, *_: Any) -> None:
        client.subscribe(self.topic, qos=1)

    def _take(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        self.messages.put(message.payload.decode())

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as running:
        yield running


def test_what_is_published_arrives(broker: Mosquitto) -> None:
    listener = Subscriber(broker, "plug/power")
    broker.publish("plug/power", "42.5", qos=1)
    assert listener.messages.get(timeout=10) == "42.5"
    listener.close()


@pytest.mark.parametrize("end", [Mosquitto.stop, Mosquitto.kill])
def test_sessions_and_their_queues_survive_its_end(broker: Mosquitto, end: Any) -> None:
    listener = Subscriber(broker, "plug/power")
    listener.close()
    broker.publish("plug/power", "1", qos=1)
    broker.publish("plug/kept", "2", qos=1, retain=True)
    port = broker.port
    broker.save()
    end(broker)
    with pytest.raises(OSError, match="refused"):
        broker.publish("plug/power", "never")
    broker.start()
    assert broker.port == port
    again = Subscriber(broker, "plug/power")
    assert again.messages.get(timeout=10) == "1"
    again.close()
    kept = Subscriber(broker, "plug/kept")
    assert kept.messages.get(timeout=10) == "2"
    kept.close()


def test_a_password_is_asked_for(tmp_path: Path) -> None:
    with Mosquitto(tmp_path, password="right one") as broker:  # noqa: S106
        broker.publish("plug/power", "42.5", qos=1)
        with pytest.raises(PermissionError, match="Not authorized"):
            broker.client(password="wrong one")  # noqa: S106


def test_tls_is_checked_against_the_authority(tmp_path: Path) -> None:
    with Mosquitto(tmp_path, tls=True, password="secret") as broker:  # noqa: S106
        broker.publish("plug/power", "42.5", qos=1)
        stranger = make_certificate(tmp_path / "stranger")
        context = ssl.create_default_context(cafile=stranger.ca_file)
        with (
            socket.create_connection((broker.host, broker.port)) as plain,
            pytest.raises(ssl.SSLCertVerificationError),
        ):
            context.wrap_socket(plain, server_hostname=broker.host)


def test_rules_are_obeyed(tmp_path: Path) -> None:
    with Mosquitto(tmp_path, acl="topic read zwave/#") as broker:
        listener = Subscriber(broker, "zwave/plug")
        broker.publish("zwave/plug", "1", qos=1)  # refused without a word: MQTT 3.1.1 has none
        listener.close()
        assert "Denied PUBLISH" in broker.log_file.read_text()
        assert listener.messages.empty()


def test_a_missing_program_skips_and_fails_where_all_tests_must_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-server is not installed; get it with: apt-get install x"):
        require_program("no-such-server", "apt-get install x")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no-such-server is not installed"):
        require_program("no-such-server", "apt-get install x")
