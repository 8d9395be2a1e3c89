"""Kind `mqtt`: plugs that publish on an MQTT broker.

[[sources]]
name = "plug"
kind = "mqtt"
device = "zwave"
broker = "mqtt://127.0.0.1:1883"
topic = "zwave/Smart_switch_PC/50/0/value/66049"
"""

import logging
import ssl
import time
from collections.abc import Mapping

from terrawatt.config import SourceSettings
from terrawatt.credentials import secret, source_variable
from terrawatt.errors import SourceError, did_you_mean
from terrawatt.power.mqtt_devices import DEVICES, MqttOptions, Plan, Timing
from terrawatt.power.mqtt_intake import Intake, Lateness, Message
from terrawatt.power.mqtt_link import Broker, MqttLink
from terrawatt.power.options import describe, describe_power_and_counter, parse_options, wrong
from terrawatt.power.payloads.reading import Quantity
from terrawatt.power.source import Take
from terrawatt.records import Semantics, SourceDescription

log = logging.getLogger(__name__)


class MqttSource:
    """One device on one broker."""

    def __init__(self, intake: Intake, link: MqttLink, session_owner: str) -> None:
        self._intake = intake
        self._link = link
        self._session_owner = session_owner
        self._take: Take = lambda samples: None

    @property
    def descriptions(self) -> tuple[SourceDescription, ...]:
        """The power and the counter, as far as they are wanted; complete once there is a reading."""
        return self._intake.descriptions

    @property
    def counts(self) -> Mapping[str, int]:
        """What became of the messages so far: `used`, or why not."""
        return dict(self._intake.counts)

    @property
    def lateness(self) -> Lateness | None:
        """How long after the device's own time its messages came; None where they have none."""
        return self._intake.lateness

    def keep_session(self) -> None:
        """Let the broker keep what comes while we are away; before `start`, and for one reader of this source only.

        Not where a message has no time of its own: nobody could say later when it was measured.
        """
        if self._session_owner:
            self._link.keep_session(self._session_owner)

    def start(self, take: Take) -> None:
        """Connect, and hand over samples as they come; returns when the topics are followed.

        Raises:
            SourceError: the broker cannot be reached, or refuses; says why and what to do.
        """
        self._take = take
        self._link.start(self._on_message, self._on_loss)

    def close(self) -> None:
        """Disconnect; the log gets what became of all messages."""
        self._link.close()
        log.info("source %s: %s", self.descriptions[0].name, self._intake.summary())

    def _on_message(self, message: Message) -> None:
        samples = self._intake.take(message)
        if samples:
            self._take(samples)

    def _on_loss(self) -> None:
        samples = self._intake.end_of_hold(time.time_ns())
        if samples:
            self._take(samples)


def create(settings: SourceSettings, host: str) -> MqttSource:
    """The source of an entry of kind `mqtt`; it does not connect yet.

    Raises:
        SourceError: an option is wrong.
        ConfigError: a file of a secret cannot be used.
    """
    device = str(settings.options.get("device", "plain"))  # without one, the keys of `plain` are asked for
    if device not in DEVICES:
        raise wrong(settings, f"device: there is no {device!r}.{did_you_mean(device, tuple(DEVICES))}")
    options = parse_options(DEVICES[device], settings)
    plan = options.plan()
    descriptions = _describe(settings, host, device, plan)
    topics = [feed.topic for feed in plan.feeds]
    if len(set(topics)) < len(topics):
        raise wrong(settings, "counter_topic: the counter has a topic of its own")
    link = MqttLink(settings.name, _broker(settings, options), topics)
    session_owner = "" if plan.timing is Timing.ARRIVAL else host
    return MqttSource(Intake(descriptions, plan.feeds, plan.timing), link, session_owner)


def _describe(settings: SourceSettings, host: str, device: str, plan: Plan) -> tuple[SourceDescription, ...]:
    has_device_time = plan.timing is Timing.DEVICE or (plan.timing is Timing.AUTO and plan.expects_device_time)
    note = f"{device} over MQTT, topic {plan.feeds[0].topic}"
    if len(plan.quantities) == 2:
        return describe_power_and_counter(settings, host, plan.semantics, note=note, has_device_time=has_device_time)
    semantics = Semantics.COUNTER if plan.quantities[0] is Quantity.ENERGY else plan.semantics
    return (describe(settings, host, semantics, note=note, has_device_time=has_device_time),)


def _broker(settings: SourceSettings, options: MqttOptions) -> Broker:
    user, password = (
        secret(f"{name} of sources[{settings.name}]", source_variable(settings.name, name), file)
        for name, file in (("user", options.user_file), ("password", options.password_file))
    )
    if password is not None and user is None:
        raise wrong(settings, f"a password needs a user: set {source_variable(settings.name, 'user')}, or user_file")
    tls = None
    if options.broker.startswith("mqtts:"):
        try:
            tls = ssl.create_default_context(cafile=options.ca_file)
        except OSError as error:  # also what is no certificate
            reason = error.strerror if not isinstance(error, ssl.SSLError) and error.strerror else "no certificate"
            raise SourceError(f"sources[{settings.name}]: ca_file: {options.ca_file}: {reason}") from error
    return Broker(options.broker, user, password, tls)
