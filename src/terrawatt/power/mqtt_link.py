"""The connection to an MQTT broker: made once with clear errors, then kept as long as it is wanted.

A session that the broker keeps holds what is published with QoS 1 while we are away. It comes all at once when we
return, mixed with what is published then, so its arrival says nothing about when it was measured. The broker sends in
order: once we have asked for the topics again and nothing came before the answer, all that had waited is through.
"""

import hashlib
import logging
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from pydantic import SecretStr

from terrawatt.errors import SourceError
from terrawatt.power.mqtt_intake import Message

QOS = 1
KEEPALIVE_S = 15  # a broker that is gone without a word is noticed after one and a half of it
ANSWER_S = 10.0
_CONNECT_S = 3.0  # an end is held up so long by an attempt to reconnect
_LONGEST_WAIT_S = 30  # between two attempts to reconnect; the first comes after 1 s
_PORTS = {"mqtt": 1883, "mqtts": 8883}
_ID_DIGITS = 13  # with "terrawatt-" 23 characters, which every broker takes (MQTT 3.1.1, 3.1.3.1)
_REFUSALS = {
    "Not authorized": "user and password are wrong, or missing",
    "Bad user name or password": "user and password are wrong, or missing",
}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Broker:
    """Where a broker is, and who we are to it; `tls`: with what its certificate is verified, None without TLS."""

    url: str
    user: SecretStr | None = None
    password: SecretStr | None = None
    tls: ssl.SSLContext | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or _PORTS[parts.scheme]


class MqttLink:
    """Follows some topics of a broker. Its callbacks come from a thread of its own.

    Attributes:
        is_connected: whether the topics are being followed now.
    """

    def __init__(self, name: str, broker: Broker, topics: Sequence[str]) -> None:
        self.is_connected = False
        self._name = name
        self._broker = broker
        self._topics = tuple(topics)
        self._client: Client | None = None
        self._session: str | None = None
        self._take: Callable[[Message], None] = lambda message: None
        self._lose: Callable[[], None] = lambda: None
        self._answered = threading.Event()
        self._refusal = ""
        self._is_started = False
        self._is_closing = False
        self._has_refused_again = False
        self._may_have_waited = False
        self._asked: int | None = None  # the number of the last request for the topics
        self._n_since_asked = 0

    def keep_session(self, owner: str) -> None:
        """Let the broker keep what comes while we are away; one session for each owner, by one client at a time."""
        who = "\0".join((owner, self._name, *self._topics))
        self._session = f"terrawatt-{hashlib.sha256(who.encode()).hexdigest()[:_ID_DIGITS]}"

    def start(self, take: Callable[[Message], None], lose: Callable[[], None]) -> None:
        """Connect, and follow the topics from now on, also after the connection was lost.

        Args:
            take: takes each message.
            lose: is told when the connection is lost.

        Raises:
            SourceError: there is no connection; says why and what to do.
        """
        self._take, self._lose = take, lose
        self._client = client = self._new_client()
        host, port = self._broker.address
        try:
            client.connect(host, port, KEEPALIVE_S)
        except (OSError, ValueError) as error:
            raise self._wrong(_why(error)) from error
        client.loop_start()
        if not self._answered.wait(ANSWER_S):
            self._refusal = f"it does not answer in {ANSWER_S:.0f} s; is this the port of an MQTT broker?"
        if self._refusal:
            self.close()
            raise self._wrong(self._refusal)

    def close(self) -> None:
        """End the connection; the broker keeps nothing more for us."""
        self._is_closing = True
        client, self._client = self._client, None
        if client is None:
            return
        if self.is_connected and self._session:
            client.unsubscribe(list(self._topics))
        client.disconnect()
        client.loop_stop()
        self.is_connected = False

    def _new_client(self) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._session or f"terrawatt-{uuid.uuid4().hex[:_ID_DIGITS]}",
            clean_session=self._session is None,
        )
        client.connect_timeout = _CONNECT_S
        client.reconnect_delay_set(min_delay=1, max_delay=_LONGEST_WAIT_S)
        if self._broker.tls is not None:
            client.tls_set_context(self._broker.tls)
        if self._broker.user is not None:
            password = self._broker.password
            client.username_pw_set(
                self._broker.user.get_secret_value(), None if password is None else password.get_secret_value()
            )
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_disconnect = self._on_disconnect
        return client

    def _on_connect(
        self, client: Client, userdata: Any, flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._fail(client, f"it refuses the connection: {_REFUSALS.get(str(reason), str(reason))}")
            return
        self._may_have_waited = flags.session_present
        self._ask(client)

    def _ask(self, client: Client) -> None:
        self._n_since_asked = 0
        _, self._asked = client.subscribe([(topic, QOS) for topic in self._topics])

    def _on_subscribe(
        self, client: Client, userdata: Any, number: int, reasons: list[ReasonCode], properties: Properties | None
    ) -> None:
        if number != self._asked:
            return
        refused = [topic for topic, reason in zip(self._topics, reasons, strict=False) if reason.is_failure]
        if refused:
            self._fail(client, f"it does not let this user read {', '.join(refused)}")
            return
        if self._may_have_waited and self._n_since_asked:
            self._ask(client)
        else:
            self._may_have_waited = False
        if not self.is_connected:
            self.is_connected = True
            self._has_refused_again = False
            if self._is_started:
                log.warning("source %s: connected to the broker again", self._name)
            self._is_started = True
            self._answered.set()

    def _on_message(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        arrival_ns = time.time_ns()
        if not message.retain:
            self._n_since_asked += 1
        # A message that is sent again was sent before, to a connection that is gone.
        has_waited = self._may_have_waited or message.dup
        self._take(Message(message.topic, bytes(message.payload), arrival_ns, message.retain, has_waited))

    def _on_disconnect(
        self, client: Client, userdata: Any, flags: DisconnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        was_connected, self.is_connected = self.is_connected, False
        if self._is_closing:
            return
        if not self._is_started:
            hint = "speak plain MQTT, mqtt://" if self._broker.tls else "want TLS, mqtts://"
            self._fail(client, f"it ended the connection before it was made; does it {hint}?")
        elif was_connected:
            log.warning("source %s: the connection to the broker is lost (%s); trying again", self._name, reason)
            self._lose()

    def _fail(self, client: Client, what: str) -> None:
        """Before the start has ended: the reason of its error. Later: a line in the log, once for each loss."""
        if not self._is_started:
            self._refusal = self._refusal or what
            client.disconnect()  # and no other attempt
            self._answered.set()
        elif not self._has_refused_again:
            self._has_refused_again = True
            log.error("source %s: %s", self._name, self._wrong(what))

    def _wrong(self, what: str) -> SourceError:
        host, port = self._broker.address
        return SourceError(f"sources[{self._name}]: broker {host}:{port}: {what}")


def _why(error: OSError | ValueError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted ({error.verify_message}); set ca_file to the certificate of the authority "
            "that signed it"
        )
    if isinstance(error, ssl.SSLError):
        return f"no TLS with it ({error.strerror or error}); is this its port for mqtts?"
    if isinstance(error, ConnectionResetError):
        return "it ended the connection; does it speak TLS (mqtts://) on this port, or plain MQTT (mqtt://)?"
    if isinstance(error, TimeoutError):
        return f"it does not answer in {_CONNECT_S:.0f} s; is the address right, and no firewall between?"
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"cannot be reached ({reason}); does it run, and is the address right?"
