"""The devices of kind `mqtt`: the keys of each, which topics it publishes on, and what its readings mean.

What is said here of all devices of a kind is what their documentation says; the accuracy of a plug is its maker's to
say, and belongs into the settings.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from terrawatt.power.options import Options
from terrawatt.power.payloads import shelly, tasmota, values, zigbee2mqtt, zwave
from terrawatt.power.payloads.reading import UNITS, Parser, Quantity
from terrawatt.records import Semantics

UnitName = Literal["mW", "W", "kW", "J", "Wmin", "Wh", "kWh"]
_LONGEST_TOPIC = 65_535  # bytes, of the protocol


class Timing(StrEnum):
    """Which time a reading gets."""

    AUTO = "auto"  # as the first reading has it
    DEVICE = "device"  # the device's own; a message without is refused
    ARRIVAL = "arrival"


@dataclass(frozen=True, slots=True)
class Feed:
    """A topic, and how to read what is published on it."""

    topic: str
    parse: Parser


@dataclass(frozen=True, slots=True)
class Plan:
    """How to follow one device.

    Attributes:
        feeds: its topics.
        quantities: what it gives, the main one first.
        semantics: of its power, by default.
        timing: which time its readings get.
        expects_device_time: whether the first reading is likely to have one.
    """

    feeds: tuple[Feed, ...]
    quantities: tuple[Quantity, ...]
    semantics: Semantics
    timing: Timing = Timing.ARRIVAL
    expects_device_time: bool = False


class MqttOptions(Options, ABC):
    """The keys of all devices.

    `broker`: `mqtt://HOST:PORT`, or `mqtts://` over TLS. `topic`: of the device. `ca_file`: the authority that signed
    the broker's certificate; without it, those that the system trusts. User and password are secrets.
    """

    device: str
    broker: str
    topic: str
    ca_file: Path | None = None
    user_file: Path | None = None
    password_file: Path | None = None

    @field_validator("broker")
    @classmethod
    def _is_address(cls, broker: str) -> str:
        try:
            parts = urlsplit(broker)
            is_address = parts.scheme in ("mqtt", "mqtts") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_address = False
        if not is_address or "@" in broker or parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError("write mqtt://HOST:PORT or mqtts://HOST:PORT, without user and password")
        return broker

    @field_validator("topic", "counter_topic", check_fields=False)
    @classmethod
    def _is_topic(cls, topic: str) -> str:
        if "+" in topic or "#" in topic:
            raise ValueError("wildcards would mix several devices in one series; name one topic")
        if "\0" in topic or len(topic.encode()) > _LONGEST_TOPIC:
            raise ValueError("this cannot be a topic")
        return topic

    @model_validator(mode="after")
    def _fits(self) -> "MqttOptions":
        if not self.topic:
            raise ValueError("topic: write the device's topic")
        if self.ca_file is not None and not self.broker.startswith("mqtts:"):
            raise ValueError("ca_file: only a broker mqtts:// shows a certificate")
        return self

    @abstractmethod
    def plan(self) -> Plan:
        """How to follow the device."""


class ZwaveOptions(MqttOptions):
    """Z-Wave JS UI. `counter`: also the counter of energy (65537) beside the power (66049)."""

    device: Literal["zwave"]
    counter: bool = False
    counter_topic: str = ""
    time: Timing = Timing.AUTO

    @model_validator(mode="after")
    def _counter_has_topic(self) -> "ZwaveOptions":
        if self.counter and not self._counter_topic:
            raise ValueError(f"counter: topic does not end in {zwave.POWER_ID}, so write counter_topic too")
        return self

    @property
    def _counter_topic(self) -> str:
        return self.counter_topic or zwave.counter_topic(self.topic) or ""

    def plan(self) -> Plan:
        """How to follow the device."""
        main = UNITS["kWh" if self.topic.endswith(f"/{zwave.COUNTER_ID}") else "W"]
        feeds = [Feed(self.topic, partial(zwave.parse, unit=main))]
        quantities = [main.quantity]
        if self.counter or self.counter_topic:
            feeds.append(Feed(self._counter_topic, partial(zwave.parse, unit=UNITS["kWh"])))
            quantities.append(Quantity.ENERGY)
        return Plan(tuple(feeds), tuple(quantities), Semantics.MEAN, self.time, expects_device_time=True)


class Zigbee2MqttOptions(MqttOptions):
    """Zigbee2MQTT. `channel`: of a device with several outlets, as `l1` of `power_l1`."""

    device: Literal["zigbee2mqtt"]
    counter: bool = True
    channel: str = ""
    time: Timing = Timing.AUTO

    def plan(self) -> Plan:
        """How to follow the device."""
        feed = Feed(self.topic, partial(zigbee2mqtt.parse, channel=self.channel))
        return Plan((feed,), _with_counter(self.counter), Semantics.ON_CHANGE, self.time)


class TasmotaOptions(MqttOptions):
    """Tasmota. `timezone`: of the device's clock, as `Europe/Paris`; without it, its time is not used."""

    device: Literal["tasmota"]
    counter: bool = True
    channel: int | None = Field(default=None, ge=1)
    timezone: str = ""

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, timezone: str) -> str:
        if timezone:
            try:
                ZoneInfo(timezone)
            except (ValueError, OSError, KeyError):
                raise ValueError("this machine knows no such time zone; write one as Europe/Paris or UTC") from None
        return timezone

    def plan(self) -> Plan:
        """How to follow the device."""
        zone = ZoneInfo(self.timezone) if self.timezone else None
        feed = Feed(self.topic, partial(tasmota.parse, channel=self.channel, zone=zone))
        timing = Timing.ARRIVAL if zone is None else Timing.DEVICE
        return Plan((feed,), _with_counter(self.counter), Semantics.INSTANTANEOUS, timing, zone is not None)


class ShellyOptions(MqttOptions):
    """Shelly Gen2 and later. `component`: of `events/rpc`, where all components are on one topic."""

    device: Literal["shelly"]
    counter: bool = True
    component: str = "switch:0"
    time: Timing = Timing.AUTO

    def plan(self) -> Plan:
        """How to follow the device."""
        is_notified = self.topic.endswith(shelly.NOTIFICATIONS)
        parse: Parser = shelly.parse_status
        if is_notified:
            parse = partial(shelly.parse_notification, component=self.component)
        feed = Feed(self.topic, parse)
        return Plan((feed,), _with_counter(self.counter), Semantics.ON_CHANGE, self.time, is_notified)


class NumberOptions(MqttOptions):
    """Topics of one number: ESPHome, Home Assistant's statestream, any other; `counter_topic`: of its energy."""

    device: Literal["esphome", "homeassistant", "plain"]
    unit: UnitName = "W"
    counter_topic: str = ""
    counter_unit: UnitName = "kWh"

    @model_validator(mode="after")
    def _counter_counts(self) -> "NumberOptions":
        _check_units(self.unit, self.counter_unit, has_counter=bool(self.counter_topic))
        return self

    def plan(self) -> Plan:
        """How to follow the device."""
        missing = {"esphome": values.ESPHOME_MISSING, "homeassistant": values.HOME_ASSISTANT_MISSING}
        topics = [(self.topic, UNITS[self.unit])]
        if self.counter_topic:
            topics.append((self.counter_topic, UNITS[self.counter_unit]))
        feeds = tuple(
            Feed(topic, partial(values.parse_number, unit=unit, missing=missing.get(self.device, frozenset())))
            for topic, unit in topics
        )
        # Home Assistant publishes a state when it changes, the others whenever they have read it.
        semantics = Semantics.ON_CHANGE if self.device == "homeassistant" else Semantics.INSTANTANEOUS
        return Plan(feeds, tuple(unit.quantity for _, unit in topics), semantics)


class JsonOptions(MqttOptions):
    """Objects of any kind; paths as `ENERGY.Power` or `["switch:0", "apower"]`."""

    device: Literal["json"]
    path: tuple[str, ...]
    unit: UnitName = "W"
    counter_path: tuple[str, ...] = ()
    counter_unit: UnitName = "kWh"
    time_path: tuple[str, ...] = ()

    @field_validator("path", "counter_path", "time_path", mode="before")
    @classmethod
    def _split(cls, path: object) -> object:
        return tuple(path.split(".")) if isinstance(path, str) else path

    @model_validator(mode="after")
    def _counter_counts(self) -> "JsonOptions":
        _check_units(self.unit, self.counter_unit, has_counter=bool(self.counter_path))
        return self

    def plan(self) -> Plan:
        """How to follow the device."""
        places = [values.Place(self.path, UNITS[self.unit])]
        if self.counter_path:
            places.append(values.Place(self.counter_path, UNITS[self.counter_unit]))
        parse = partial(values.parse_places, places=tuple(places), time_path=self.time_path)
        quantities = tuple(place.unit.quantity for place in places)
        timing = Timing.DEVICE if self.time_path else Timing.ARRIVAL
        feed = Feed(self.topic, parse)
        return Plan((feed,), quantities, Semantics.INSTANTANEOUS, timing, expects_device_time=bool(self.time_path))


DEVICES: Mapping[str, type[MqttOptions]] = {
    "zwave": ZwaveOptions,
    "zigbee2mqtt": Zigbee2MqttOptions,
    "tasmota": TasmotaOptions,
    "shelly": ShellyOptions,
    "esphome": NumberOptions,
    "homeassistant": NumberOptions,
    "plain": NumberOptions,
    "json": JsonOptions,
}


def _with_counter(counter: bool) -> tuple[Quantity, ...]:
    return (Quantity.POWER, Quantity.ENERGY) if counter else (Quantity.POWER,)


def _check_units(unit: str, counter_unit: str, *, has_counter: bool) -> None:
    if has_counter and (UNITS[unit].quantity, UNITS[counter_unit].quantity) != (Quantity.POWER, Quantity.ENERGY):
        raise ValueError("with a counter beside it, unit is one of power and counter_unit one of energy")
