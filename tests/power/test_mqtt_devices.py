"""Entries of kind `mqtt`: what each device's keys mean, and those that cannot be meant."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from terrawatt.config import SourceSettings
from terrawatt.errors import ConfigError, SourceError
from terrawatt.power import registry
from terrawatt.power.mqtt import create
from terrawatt.records import AccuracyBand, Semantics, SourceDescription

Entry = Callable[..., SourceSettings]

ZWAVE = "zwave/Smart_switch_PC/50/0/value/66049"


def described(entry: Entry, device: str, topic: str, **keys: Any) -> tuple[SourceDescription, ...]:
    settings = entry("mqtt", device=device, topic=topic, **{"broker": "mqtt://127.0.0.1:1883"} | keys)
    return registry.create(settings, "lab").descriptions


def refusal(entry: Entry, device: str, topic: str = "plug/power", **keys: Any) -> str:
    with pytest.raises(SourceError) as caught:
        described(entry, device, topic, **keys)
    assert str(caught.value).startswith("sources[plug]: ")
    return str(caught.value).removeprefix("sources[plug]: ")


@pytest.mark.parametrize(
    ("device", "topic", "semantics", "has_counter", "has_device_time"),
    [
        ("zwave", ZWAVE, Semantics.MEAN, False, True),
        ("zigbee2mqtt", "zigbee2mqtt/plug", Semantics.ON_CHANGE, True, False),
        ("tasmota", "tele/plug/SENSOR", Semantics.INSTANTANEOUS, True, False),
        ("shelly", "plug/status/switch:0", Semantics.ON_CHANGE, True, False),
        ("shelly", "plug/events/rpc", Semantics.ON_CHANGE, True, True),
        ("esphome", "plug/sensor/power/state", Semantics.INSTANTANEOUS, False, False),
        ("homeassistant", "ha/sensor/plug/state", Semantics.ON_CHANGE, False, False),
        ("plain", "plug/power", Semantics.INSTANTANEOUS, False, False),
    ],
)
def test_each_device_says_what_its_readings_mean(
    entry: Entry, device: str, topic: str, semantics: Semantics, has_counter: bool, has_device_time: bool
) -> None:
    power, *others = described(entry, device, topic)
    assert (power.name, power.kind, power.semantics) == ("plug", "mqtt", semantics)
    assert (power.accuracy, power.resolution_w) == ((), 0.0)  # the maker's to say
    assert power.has_device_time is has_device_time
    assert topic in power.note
    assert str(power.series) == "power,host=lab,source=plug power_w"
    assert bool(others) is has_counter
    for counter in others:
        assert (counter.name, counter.same_as, counter.semantics) == ("plug counter", "plug", Semantics.COUNTER)
        assert str(counter.series) == "power,host=lab,source=plug counter energy_j"
        assert counter.has_device_time is has_device_time


def test_the_settings_know_better(entry: Entry) -> None:
    bands = [{"below_w": 300, "plus_minus_w": 3.0}, {"plus_minus_percent": 1.0}]
    keys = {"accuracy": bands, "resolution_w": 0.1, "semantics": "instantaneous", "wrap_j": 1e9, "counter": True}
    power, counter = described(entry, "zwave", ZWAVE, **keys)
    accuracy = (AccuracyBand(below_w=300, plus_minus_w=3.0), AccuracyBand(plus_minus_percent=1.0))
    assert (power.accuracy, counter.accuracy) == (accuracy, accuracy)
    assert (power.semantics, power.resolution_w, power.wrap_j) == (Semantics.INSTANTANEOUS, 0.1, None)
    assert (counter.semantics, counter.resolution_w, counter.wrap_j) == (Semantics.COUNTER, 0.0, 1e9)


def test_a_counter_may_be_left_out_or_asked_for(entry: Entry) -> None:
    assert len(described(entry, "tasmota", "tele/plug/SENSOR", counter=False)) == 1
    assert len(described(entry, "zwave", ZWAVE, counter=True)) == 2
    assert len(described(entry, "zwave", "zwave/plug/watts", counter_topic="zwave/plug/kwh")) == 2
    assert len(described(entry, "plain", "plug/power", counter_topic="plug/energy")) == 2
    assert len(described(entry, "json", "plug", path="a.b", counter_path=["switch:0", "total"])) == 2


@pytest.mark.parametrize(
    ("device", "topic", "keys"),
    [
        ("zwave", "zwave/plug/50/0/value/65537", {}),
        ("plain", "plug/energy", {"unit": "Wh"}),
        ("json", "plug", {"path": "total", "unit": "kWh", "time_path": "at"}),
    ],
)
def test_a_counter_may_be_alone(entry: Entry, device: str, topic: str, keys: dict[str, Any]) -> None:
    (counter,) = described(entry, device, topic, **keys)
    assert (counter.name, counter.semantics, counter.series.field) == ("plug", Semantics.COUNTER, "energy_j")


def test_a_time_of_its_own_may_need_the_settings(entry: Entry) -> None:
    assert described(entry, "tasmota", "tele/plug/SENSOR", timezone="Europe/Paris")[0].has_device_time
    assert described(entry, "json", "plug", path="power", time_path="at")[0].has_device_time
    assert not described(entry, "zwave", ZWAVE, time="arrival")[0].has_device_time
    assert described(entry, "zigbee2mqtt", "zigbee2mqtt/plug", time="device")[0].has_device_time


def test_keys_that_cannot_be_meant_are_refused(entry: Entry) -> None:
    assert refusal(entry, "zwavejs").startswith("device: there is no 'zwavejs'. Did you mean zwave?")
    assert refusal(entry, "tasmota", path="a").startswith("unknown key 'path' of kind 'mqtt'.")
    assert refusal(entry, "plain", unit="V").startswith("unit: ")
    assert refusal(entry, "plain", topic="").startswith("topic: write")
    for topic in ("plug/+/power", "plug/#"):
        assert refusal(entry, "plain", topic=topic).startswith("topic: wildcards would mix several devices")
    assert refusal(entry, "plain", topic="a\0b") == "topic: this cannot be a topic"
    assert refusal(entry, "plain", counter_topic="plug/power").startswith("counter_topic: the counter has a topic")
    assert refusal(entry, "plain", unit="kWh", counter_topic="x").startswith("with a counter beside it, unit is")
    assert refusal(entry, "json", path="a", counter_path="b", counter_unit="W").startswith("with a counter beside it")
    assert refusal(entry, "tasmota", timezone="Mars/Olympus").startswith("timezone: this machine knows no such")
    assert refusal(entry, "tasmota", timezone="../../etc/passwd").startswith("timezone: this machine knows no such")
    assert refusal(entry, "tasmota", channel=0).startswith("channel: ")
    assert refusal(entry, "zwave", topic="zwave/plug/watts", counter=True).startswith("counter: topic does not end in")
    assert refusal(entry, "zwave", semantics="counter").startswith("semantics: it gives power")
    assert refusal(entry, "json").startswith("path: Field required")
    with pytest.raises(SourceError, match="device: Field required"):
        create(entry("mqtt", broker="mqtt://127.0.0.1:1883", topic="plug/power"), "lab")


@pytest.mark.parametrize(
    "broker",
    [
        "127.0.0.1:1883",
        "http://lab",
        "mqtt://",
        "mqtt://lab:0",
        "mqtt://lab:99999",
        "mqtt://lab/topic",
        "mqtt://[lab",
        "mqtt://me:secret@lab:1883",
        "mqtt://lab?user=me",
    ],
)
def test_a_broker_that_is_no_address_is_refused(entry: Entry, broker: str) -> None:
    assert refusal(entry, "plain", broker=broker) == (
        "broker: write mqtt://HOST:PORT or mqtts://HOST:PORT, without user and password"
    )


def test_an_authority_must_be_one_and_needs_tls(entry: Entry, tmp_path: Path) -> None:
    file = tmp_path / "ca.crt"
    keys = {"broker": "mqtts://127.0.0.1", "ca_file": str(file)}
    assert refusal(entry, "plain", **keys) == f"ca_file: {file}: No such file or directory"
    file.write_text("nonsense")
    assert refusal(entry, "plain", **keys) == f"ca_file: {file}: no certificate"
    assert refusal(entry, "plain", ca_file=str(file)) == "ca_file: only a broker mqtts:// shows a certificate"


def test_a_password_needs_a_user_and_a_private_file(entry: Entry, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("secret word\n")
    file.chmod(0o644)
    with pytest.raises(ConfigError, match=r"password of sources\[plug\]"):
        described(entry, "plain", "plug/power", password_file=str(file))
    file.chmod(0o600)
    message = refusal(entry, "plain", password_file=str(file))
    assert message == "a password needs a user: set TERRAWATT_SOURCE_PLUG_USER, or user_file"
    assert "secret" not in message
