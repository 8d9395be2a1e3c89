"""A simulated plug on an MQTT broker."""

import queue
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from paho.mqtt.client import Client, ConnectFlags
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from pydantic import SecretStr

from terrawatt.errors import SourceError, UsageError
from terrawatt.power.simulator.dialects import Dialect
from terrawatt.power.simulator.meter import MeterReading

ANSWER_S = 10.0
_PORTS = {"mqtt": 1883, "mqtts": 8883}
_MOST_WAITING = 100_000  # messages, while the broker is away


@dataclass(frozen=True, slots=True)
class BrokerAccess:
    """Where the broker is (`mqtt://HOST:PORT` or `mqtts://…`), and who we are to it."""

    url: str
    user: SecretStr | None = None
    password: SecretStr | None = None
    ca_file: Path | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port.

        Raises:
            UsageError: the URL is none.
        """
        try:
            parts = urlsplit(self.url)
            if parts.scheme in _PORTS and parts.hostname and "@" not in self.url:
                return parts.hostname, parts.port or _PORTS[parts.scheme]
        except ValueError:
            pass
        raise UsageError("--broker: write mqtt://HOST:PORT or mqtts://HOST:PORT, without user and password")

    @property
    def has_tls(self) -> bool:
        """Whether it is spoken to over TLS."""
        return self.url.startswith("mqtts:")


class MqttSpeaker:
    """Publishes each reading in the words of a dialect; while the broker is away, messages of QoS 1 wait."""

    def __init__(
        self, access: BrokerAccess, dialect: Dialect, name: str, *, qos: int = 1, is_retained: bool = False
    ) -> None:
        self._access = access
        self._dialect = dialect
        self._topics = dialect.topics_of(name)
        self._qos = qos
        self._is_retained = is_retained
        self._acknowledged = 0
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.max_queued_messages_set(_MOST_WAITING)
        self._client.reconnect_delay_set(1, 5)
        self._client.on_publish = self._count

    @property
    def where(self) -> str:
        """Broker and topics."""
        return f"{self._access.url} {' '.join(self._topics)}"

    @property
    def sent(self) -> int:
        """How many messages have left; with QoS 1: that the broker has acknowledged."""
        return self._acknowledged

    def start(self) -> None:
        """Connect.

        Raises:
            SourceError: it cannot be done; says why.
        """
        host, port = self._access.address
        answers: queue.Queue[ReasonCode] = queue.Queue()
        self._client.on_connect = _put_reason(answers)
        if self._access.user is not None:
            password = self._access.password
            self._client.username_pw_set(
                self._access.user.get_secret_value(), password.get_secret_value() if password else None
            )
        try:
            if self._access.has_tls:
                self._client.tls_set_context(ssl.create_default_context(cafile=self._access.ca_file))
            self._client.connect(host, port)
        except OSError as error:
            reason = getattr(error, "verify_message", None) or error.strerror or type(error).__name__
            raise SourceError(f"{self._access.url}: cannot be reached ({reason}); is the broker running?") from error
        self._client.loop_start()
        try:
            answer = answers.get(timeout=ANSWER_S)
        except queue.Empty:
            self.close()
            raise SourceError(f"{self._access.url}: no answer in {ANSWER_S:.0f} s; is this an MQTT broker?") from None
        if answer.is_failure:
            self.close()
            raise SourceError(f"{self._access.url}: it refuses us ({answer}); check user and password")

    def say(self, reading: MeterReading) -> None:
        """Publish a reading as often as it has copies."""
        for _ in range(reading.copies):
            for topic, payload in self._dialect.write(reading, self._topics):
                self.publish(topic, payload)

    def publish(self, topic: str, payload: str) -> None:
        """Publish anything else."""
        message = self._client.publish(topic, payload, self._qos, self._is_retained)
        if message.rc is MQTTErrorCode.MQTT_ERR_QUEUE_SIZE:
            raise SourceError(f"{self._access.url}: away for so long that {_MOST_WAITING} messages wait")

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()

    def _count(self, client: Client, data: object, number: int, reason: ReasonCode, properties: Properties) -> None:
        self._acknowledged += 1


def _put_reason(
    answers: "queue.Queue[ReasonCode]",
) -> Callable[[Client, object, ConnectFlags, ReasonCode, Properties | None], None]:
    def connected(
        client: Client, data: object, flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        answers.put(reason)

    return connected
