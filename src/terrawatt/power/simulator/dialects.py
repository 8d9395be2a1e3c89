"""What real plugs publish over MQTT, in their own words. Pure.

Sources: the documentation of Z-Wave JS UI, Zigbee2MQTT, Tasmota, Shelly (second generation), ESPHome, and Home
Assistant's statestream. `{name}` stands for the plug's name.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from terrawatt.power.simulator.contents import KWH_STEP_J, WH_STEP_J, iso_time, shelly_status, tasmota_sensors, to_kwh
from terrawatt.power.simulator.meter import MeterReading
from terrawatt.records import Semantics
from terrawatt.units import J_PER_WH, NS_PER_MS, NS_PER_S

Message = tuple[str, str]  # topic and payload
Writer = Callable[[MeterReading, Sequence[str]], list[Message]]

SourceOption = str | bool | float | Sequence[str]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one kind of plug publishes.

    Attributes:
        topics: the one of the power, then that of the counter if it has one of its own.
        write: the messages of one reading, on these topics.
        semantics: of its power, as its documentation has it.
        counter_step_j: the step of its counter.
        options: the keys of `[[sources]]` with which it is read, beside broker and topic.
    """

    topics: tuple[str, ...]
    write: Writer
    semantics: Semantics
    counter_step_j: float = KWH_STEP_J
    options: Mapping[str, SourceOption] = field(default_factory=dict)

    def topics_of(self, name: str) -> tuple[str, ...]:
        """The topics of the plug with that name."""
        return tuple(topic.format(name=name) for topic in self.topics)

    def options_of(self, name: str) -> dict[str, SourceOption]:
        """The keys of its source, topics included."""
        topic, *counter = self.topics_of(name)
        options = {**self.options, "topic": topic}
        if counter:
            options["counter_topic"] = counter[0]
        return options


def _json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, separators=(",", ":"))


def _ms(t_ns: int) -> int:
    return t_ns // NS_PER_MS


def _zwave(reading: MeterReading, topics: Sequence[str]) -> list[Message]:
    """JSON Time-Value."""
    values = (reading.power_w, to_kwh(reading.energy_j))
    return [
        (topic, _json({"time": _ms(reading.device_ns), "value": value}))
        for topic, value in zip(topics, values, strict=True)
    ]


def _numbers(reading: MeterReading, topics: Sequence[str]) -> list[Message]:
    """Just the values."""
    values = (reading.power_w, to_kwh(reading.energy_j))
    return [(topic, f"{value:.12g}") for topic, value in zip(topics, values, strict=True)]


def _zwave_object(reading: MeterReading, topics: Sequence[str]) -> list[Message]:
    """Entire Z-Wave value object."""
    parts = ((66049, "W", reading.power_w), (65537, "kWh", to_kwh(reading.energy_j)))
    return [
        (
            topic,
            _json(
                {
                    "id": f"7-50-0-value-{key}",
                    "nodeId": 7,
                    "commandClass": 50,
                    "commandClassName": "Meter",
                    "endpoint": 0,
                    "property": "value",
                    "propertyKey": key,
                    "propertyName": "value",
                    "propertyKeyName": f"Electric_{unit}_Consumed",
                    "type": "number",
                    "readable": True,
                    "writeable": False,
                    "label": f"Electric Consumption [{unit}]",
                    "ccSpecific": {"meterType": 1, "scale": 2 if unit == "W" else 0, "rateType": 1},
                    "unit": unit,
                    "list": False,
                    "value": value,
                    "lastUpdate": _ms(reading.device_ns),
                }
            ),
        )
        for topic, (key, unit, value) in zip(topics, parts, strict=True)
    ]


def _zigbee2mqtt(reading: MeterReading, topics: Sequence[str]) -> list[Message]:
    """The whole state."""
    state = {
        "current": round(reading.power_w / 230.0, 3),
        "energy": to_kwh(reading.energy_j),
        "linkquality": 120,
        "power": reading.power_w,
        "state": "ON",
        "voltage": 230,
    }
    return [(topics[0], _json(state))]


def _zigbee2mqtt_seen(reading: MeterReading, topics: Sequence[str]) -> list[Message]:
    """The same with `advanced.last_seen: ISO_8601`."""
    [(topic, payload)] = _zigbee2mqtt(reading, topics)
    return [(topic, _json({**json.loads(payload), "last_seen": iso_time(reading.device_ns)}))]


def _tasmota(reading: MeterReading, topics: Sequence[str]) -> list[Message]:
    return [(topics[0], _json(tasmota_sensors(reading)))]


def _shelly(reading: MeterReading, topics: Sequence[str]) -> list[Message]:
    return [(topics[0], _json(shelly_status(reading)))]


def _shelly_rpc(reading: MeterReading, topics: Sequence[str]) -> list[Message]:
    """Notifications of what has changed: the power, then the counter."""
    device = topics[0].removesuffix("/events/rpc")
    changes = ({"apower": reading.power_w}, {"aenergy": {"total": round(reading.energy_j / J_PER_WH, 6)}})
    return [
        (
            topics[0],
            _json(
                {
                    "src": device,
                    "dst": f"{device}/events",
                    "method": "NotifyStatus",
                    "params": {"ts": round(reading.device_ns / NS_PER_S, 2), "switch:0": {"id": 0, **change}},
                }
            ),
        )
        for change in changes
    ]


def _plain_json(reading: MeterReading, topics: Sequence[str]) -> list[Message]:
    meter = {"power": reading.power_w, "energy": to_kwh(reading.energy_j)}
    return [(topics[0], _json({"time": _ms(reading.device_ns), "meter": meter}))]


_ZWAVE_TOPICS = ("zwave/{name}/50/0/value/66049", "zwave/{name}/50/0/value/65537")
_ZWAVE_OPTIONS: Mapping[str, SourceOption] = {"device": "zwave", "counter": True}

DIALECTS: Mapping[str, Dialect] = {
    "zwave": Dialect(_ZWAVE_TOPICS, _zwave, Semantics.MEAN, options=_ZWAVE_OPTIONS),
    "zwave-raw": Dialect(_ZWAVE_TOPICS, _numbers, Semantics.MEAN, options=_ZWAVE_OPTIONS),
    "zwave-object": Dialect(_ZWAVE_TOPICS, _zwave_object, Semantics.MEAN, options=_ZWAVE_OPTIONS),
    "zigbee2mqtt": Dialect(
        ("zigbee2mqtt/{name}",), _zigbee2mqtt, Semantics.ON_CHANGE, options={"device": "zigbee2mqtt"}
    ),
    "zigbee2mqtt-seen": Dialect(
        ("zigbee2mqtt/{name}",), _zigbee2mqtt_seen, Semantics.ON_CHANGE, options={"device": "zigbee2mqtt"}
    ),
    "tasmota": Dialect(("tele/{name}/SENSOR",), _tasmota, Semantics.INSTANTANEOUS, options={"device": "tasmota"}),
    "shelly": Dialect(
        ("{name}/status/switch:0",), _shelly, Semantics.ON_CHANGE, WH_STEP_J, options={"device": "shelly"}
    ),
    "shelly-rpc": Dialect(
        ("{name}/events/rpc",), _shelly_rpc, Semantics.ON_CHANGE, WH_STEP_J, options={"device": "shelly"}
    ),
    "esphome": Dialect(
        ("{name}/sensor/power/state", "{name}/sensor/energy/state"),
        _numbers,
        Semantics.INSTANTANEOUS,
        options={"device": "esphome"},
    ),
    "statestream": Dialect(
        ("homeassistant/sensor/{name}_power/state", "homeassistant/sensor/{name}_energy/state"),
        _numbers,
        Semantics.ON_CHANGE,
        options={"device": "homeassistant"},
    ),
    "plain": Dialect(("{name}/power", "{name}/energy"), _numbers, Semantics.INSTANTANEOUS, options={"device": "plain"}),
    "json": Dialect(
        ("{name}",),
        _plain_json,
        Semantics.INSTANTANEOUS,
        options={
            "device": "json",
            "path": "meter.power",
            "counter_path": "meter.energy",
            "time_path": "time",
        },
    ),
}
