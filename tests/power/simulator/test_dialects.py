"""What plugs publish: the messages of the documentation, and what our own parsers of payloads read out of them."""

import json

import pytest

from terrawatt.config import SourceSettings
from terrawatt.power import registry
from terrawatt.power.mqtt import MqttSource
from terrawatt.power.mqtt_intake import Message
from terrawatt.power.simulator.dialects import DIALECTS
from terrawatt.power.simulator.meter import MeterReading
from terrawatt.records import Sample
from terrawatt.units import J_PER_KWH, NS_PER_MS, NS_PER_S

T_NS = 1_795_000_000 * NS_PER_S + 250 * NS_PER_MS
READING = MeterReading(T_NS, T_NS, T_NS, 42.5, 0.123 * J_PER_KWH)


def written(protocol: str) -> list[tuple[str, str]]:
    dialect = DIALECTS[protocol]
    return dialect.write(READING, dialect.topics_of("plug"))


def test_zwave_has_three_forms_of_a_value() -> None:
    assert written("zwave") == [
        ("zwave/plug/50/0/value/66049", '{"time":1795000000250,"value":42.5}'),
        ("zwave/plug/50/0/value/65537", '{"time":1795000000250,"value":0.123}'),
    ]
    assert [payload for _, payload in written("zwave-raw")] == ["42.5", "0.123"]
    whole = json.loads(written("zwave-object")[0][1])
    assert (whole["value"], whole["unit"], whole["lastUpdate"]) == (42.5, "W", 1_795_000_000_250)


def test_objects_hold_power_and_energy() -> None:
    [(topic, payload)] = written("zigbee2mqtt")
    assert topic == "zigbee2mqtt/plug"
    assert json.loads(payload).items() >= {"power": 42.5, "energy": 0.123, "voltage": 230}.items()
    assert json.loads(written("zigbee2mqtt-seen")[0][1])["last_seen"] == "2026-11-18T11:06:40.250Z"
    [(topic, payload)] = written("tasmota")
    assert topic == "tele/plug/SENSOR"
    assert json.loads(payload)["Time"] == "2026-11-18T11:06:40"
    assert json.loads(payload)["ENERGY"].items() >= {"Power": 42.5, "Total": 0.123}.items()


def test_shelly_tells_its_status_or_what_has_changed() -> None:
    [(topic, payload)] = written("shelly")
    assert topic == "plug/status/switch:0"
    assert (json.loads(payload)["apower"], json.loads(payload)["aenergy"]["total"]) == (42.5, 123.0)
    power, counter = (json.loads(payload) for _, payload in written("shelly-rpc"))
    assert power["params"] == {"ts": 1_795_000_000.25, "switch:0": {"id": 0, "apower": 42.5}}
    assert counter["params"]["switch:0"] == {"id": 0, "aenergy": {"total": 123.0}}


@pytest.mark.parametrize("protocol", DIALECTS)
def test_a_source_with_the_named_options_reads_it(protocol: str) -> None:
    options = {"name": "plug", "kind": "mqtt", "broker": "mqtt://127.0.0.1:1", **DIALECTS[protocol].options_of("plug")}
    settings = SourceSettings.model_validate(options)
    source = registry.create(settings, "lab")
    assert isinstance(source, MqttSource)
    samples: list[Sample] = []
    source._take = samples.extend
    for topic, payload in written(protocol):
        source._on_message(Message(topic, payload.encode(), T_NS + 40 * NS_PER_MS))
    assert source.descriptions[0].semantics is DIALECTS[protocol].semantics
    read = {(sample.key.field, round(sample.value, 6)) for sample in samples}
    assert read == {("power_w", 42.5), ("energy_j", 0.123 * J_PER_KWH)}
    expected_ns = T_NS if source.descriptions[0].has_device_time else T_NS + 40 * NS_PER_MS
    assert {sample.t_ns for sample in samples} == {expected_ns}
