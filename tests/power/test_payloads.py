"""Payloads of each device, as their documentation shows them, and those that must be refused."""

import json
import math
from datetime import UTC, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from terrawatt.power.payloads import shelly, tasmota, values, zigbee2mqtt, zwave
from terrawatt.power.payloads.reading import MOST_BYTES, UNITS, Parser, Quantity, Reading, Reason, Refusal, read
from terrawatt.power.payloads.values import Place

W, J = Quantity.POWER, Quantity.ENERGY

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
NOON_NS = 1_795_521_600_000_000_000

zwave_w: Parser = partial(zwave.parse, unit=UNITS["W"])
zwave_kwh: Parser = partial(zwave.parse, unit=UNITS["kWh"])
plain_w: Parser = partial(values.parse_number, unit=UNITS["W"])
esphome: Parser = partial(values.parse_number, unit=UNITS["W"], missing=values.ESPHOME_MISSING)
home_assistant: Parser = partial(values.parse_number, unit=UNITS["W"], missing=values.HOME_ASSISTANT_MISSING)
meter: Parser = partial(
    values.parse_places,
    places=(Place(("meter", "0", "kw"), UNITS["kW"]), Place(("wh",), UNITS["Wh"])),
    time_path=("at",),
)


def test_the_time_of_these_tests() -> None:
    assert NOON.timestamp() * 1e9 == NOON_NS


def got(parse: Parser, content: Any, received_ns: int = NOON_NS) -> list[Reading] | Refusal:
    """What a payload gives; other contents than bytes and text are written as JSON."""
    payload = content if isinstance(content, bytes) else content.encode() if isinstance(content, str) else None
    found = read(parse, json.dumps(content).encode() if payload is None else payload, received_ns)
    return found if isinstance(found, Refusal) else list(found)


def refused(parse: Parser, content: Any) -> Reason:
    found = got(parse, content)
    assert isinstance(found, Refusal)
    return found.reason


@pytest.mark.parametrize(
    ("content", "t_ns"),
    [
        ({"time": 1795521600123, "value": 10}, NOON_NS + 123_000_000),
        ({"value": 10.0}, None),
        ({"time": None, "value": 10.0}, None),
        ({"id": "7-50-0-value-66049", "unit": "W", "value": 10, "lastUpdate": 1795521600123}, NOON_NS + 123_000_000),
        ("10", None),
        (" 10.000\n", None),
    ],
)
def test_zwave_gives_a_value_in_three_forms(content: Any, t_ns: int | None) -> None:
    assert got(zwave_w, content) == [Reading(W, 10, t_ns)]


def test_zwave_counts_kwh() -> None:
    assert got(zwave_kwh, {"value": 1.5}) == [Reading(J, 5.4e6)]
    assert zwave.counter_topic("zwave/plug/50/0/value/66049") == "zwave/plug/50/0/value/65537"
    assert zwave.counter_topic("zwave/plug/50/0/value/66561") is None


def test_zwave_of_another_unit_is_refused() -> None:
    assert refused(zwave_w, {"unit": "V", "value": 230}) is Reason.OTHER_UNIT
    assert refused(zwave_w, {"unit": ["W"], "value": 230}) is Reason.OTHER_UNIT
    assert refused(zwave_kwh, {"unit": "W", "value": 230}) is Reason.OTHER_UNIT


@pytest.mark.parametrize(
    "last_seen",
    [
        "2026-11-24T12:00:00.250Z",
        "2026-11-24T12:00:00.250+0000",
        "2026-11-24T13:00:00.250+01:00",
        1795521600250,
    ],
)
def test_zigbee2mqtt_says_when_in_several_forms(last_seen: str | int) -> None:
    state = {"power": 12.3, "energy": 1.2, "voltage": 230, "linkquality": 90, "last_seen": last_seen}
    t_ns = NOON_NS + 250_000_000
    assert got(zigbee2mqtt.parse, state) == [Reading(W, 12.3, t_ns), Reading(J, 1.2 * 3.6e6, t_ns)]


def test_zigbee2mqtt_without_time_or_with_several_outlets() -> None:
    assert got(zigbee2mqtt.parse, {"power": 12.3, "energy": None}) == [Reading(W, 12.3)]
    assert got(zigbee2mqtt.parse, {"energy": 1}) == [Reading(J, 3.6e6)]
    assert got(partial(zigbee2mqtt.parse, channel="l2"), {"power_l1": 1, "power_l2": 2}) == [Reading(W, 2)]
    assert refused(zigbee2mqtt.parse, {"power": None, "state": "ON"}) is Reason.NO_READING
    assert refused(zigbee2mqtt.parse, {"power": 1, "last_seen": "2026-11-24T12:00:00"}) is Reason.WRONG_TIME


def sensor(time: str = "2026-11-24T13:00:00", **energy: Any) -> dict[str, Any]:
    return {"Time": time, "ENERGY": energy}


def test_tasmota_gives_power_and_total() -> None:
    assert got(tasmota.parse, sensor(Total=3.705, Power=5)) == [Reading(W, 5), Reading(J, 3.705 * 3.6e6)]
    assert got(tasmota.parse, sensor(Power=[5])) == [Reading(W, 5)]
    assert refused(tasmota.parse, {"Time": "2026-11-24T13:00:00", "DS18B20": {"Temperature": 20}}) is Reason.NO_READING


def test_of_several_channels_of_tasmota_the_sum_or_one_is_read() -> None:
    both = sensor(Total=[1.0, 2.0], Power=[5, 7])
    assert got(tasmota.parse, both) == [Reading(W, 12), Reading(J, 3 * 3.6e6)]
    second = partial(tasmota.parse, channel=2)
    assert got(second, both) == [Reading(W, 7), Reading(J, 2 * 3.6e6)]
    assert got(second, sensor(Total=3.0, Power=[5, 7])) == [Reading(W, 7)]  # of both together it says nothing of one
    assert refused(second, sensor(Power=5)) is Reason.NO_READING


def test_tasmota_has_a_time_where_its_zone_is_known() -> None:
    paris = partial(tasmota.parse, zone=ZoneInfo("Europe/Paris"))
    assert got(paris, sensor(Power=5)) == [Reading(W, 5, NOON_NS)]
    assert refused(paris, {"ENERGY": {"Power": 5}}) is Reason.WRONG_TIME


@pytest.mark.parametrize("hours", [0, 1])
def test_in_the_hour_that_comes_twice_the_nearer_one_is_meant(hours: int) -> None:
    true_ns = int(datetime(2026, 10, 25, hours, 30, tzinfo=UTC).timestamp()) * 10**9  # 02:30 in Paris, both
    found = got(
        partial(tasmota.parse, zone=ZoneInfo("Europe/Paris")),
        sensor("2026-10-25T02:30:00", Power=5),
        true_ns + 2 * 10**9,
    )
    assert found == [Reading(W, 5, true_ns)]


def test_shelly_gives_its_status_and_what_has_changed() -> None:
    status = {"id": 0, "output": True, "apower": 8.9, "aenergy": {"total": 6.5, "by_minute": [0, 0, 0]}}
    assert got(shelly.parse_status, status) == [Reading(W, 8.9), Reading(J, 6.5 * 3600)]
    t_ns = NOON_NS + 430_000_000

    def notification(**parameters: Any) -> dict[str, Any]:
        return {"src": "plug", "dst": "plug/events", "method": "NotifyStatus", "params": parameters}

    changed = notification(ts=1795521600.43, **{"switch:0": {"id": 0, "apower": 8.9}})
    assert got(shelly.parse_notification, changed) == [Reading(W, 8.9, t_ns)]
    counted = notification(ts=1795521600.43, **{"switch:0": {"aenergy": {"total": 1}}})
    assert got(shelly.parse_notification, counted) == [Reading(J, 3600, t_ns)]
    unsure = notification(ts=None, **{"switch:0": {"apower": 8.9}})
    assert got(shelly.parse_notification, unsure) == [Reading(W, 8.9)]
    second = notification(ts=1795521600.43, **{"switch:1": {"apower": 2}})
    assert refused(shelly.parse_notification, second) is Reason.NO_READING
    assert got(partial(shelly.parse_notification, component="switch:1"), second) == [Reading(W, 2, t_ns)]
    assert refused(shelly.parse_notification, {"method": "NotifyEvent", "params": {"events": []}}) is Reason.NO_READING
    assert refused(shelly.parse_notification, notification(ts=1795521600, sys={})) is Reason.NO_READING
    assert refused(shelly.parse_status, {"apower": "8.9"}) is Reason.NOT_A_NUMBER


@pytest.mark.parametrize("text", ["19.8", "19.80", " 19.8 ", "1.98e1", "+19.8"])
def test_a_number_is_read(text: str) -> None:
    assert got(plain_w, text) == [Reading(W, 19.8)]


def test_a_plug_behind_solar_panels_may_show_a_negative_power() -> None:
    assert got(plain_w, "-250.5") == [Reading(W, -250.5)]


@pytest.mark.parametrize(("unit", "value"), [("mW", 2e-3), ("W", 2), ("kW", 2e3)])
def test_units_of_power(unit: str, value: float) -> None:
    assert got(partial(values.parse_number, unit=UNITS[unit]), "2") == [Reading(W, value)]


@pytest.mark.parametrize(("unit", "value"), [("J", 2), ("Wmin", 120), ("Wh", 7200), ("kWh", 7.2e6)])
def test_units_of_energy(unit: str, value: float) -> None:
    assert got(partial(values.parse_number, unit=UNITS[unit]), "2") == [Reading(J, value)]


@pytest.mark.parametrize(
    ("parse", "word"), [(esphome, "nan"), (home_assistant, "unavailable"), (home_assistant, "unknown")]
)
def test_a_device_may_say_that_it_has_no_reading_now(parse: Parser, word: str) -> None:
    found = got(parse, word)
    assert isinstance(found, list)
    assert [math.isnan(reading.value) for reading in found] == [True]
    assert refused(plain_w, word) is Reason.NOT_A_NUMBER


def test_a_path_leads_to_values() -> None:
    content = {"meter": [{"kw": 0.0125}], "wh": "2", "at": "2026-11-24T12:00:00Z"}
    assert got(meter, content) == [Reading(W, 12.5, NOON_NS), Reading(J, 7200, NOON_NS)]
    assert got(meter, {"wh": 2}) == [Reading(J, 7200)]
    nowhere: Any
    for nowhere in ({}, [], 5, None, {"meter": []}, {"meter": {"0": 1}}, {"meter": "kw"}):
        assert refused(meter, nowhere) is Reason.NO_READING


@pytest.mark.parametrize("text", ["", "NaN", "inf", "-Infinity", "1_000", "0x10", "١٢", "1,5", "5 W", "true", "1" * 65])
def test_what_is_no_number_is_refused(text: str) -> None:
    assert refused(plain_w, text) is Reason.NOT_A_NUMBER
    assert refused(zwave_w, text) is Reason.NOT_A_NUMBER


@pytest.mark.parametrize(
    ("parse", "payload", "reason"),
    [
        (zwave_w, b"\xff\xfe\x00", Reason.NOT_TEXT),
        (zwave_w, b'{"value": 1', Reason.NOT_JSON),
        (zwave_w, b'{"value": true}', Reason.NOT_A_NUMBER),
        (zwave_w, b'{"value": NaN}', Reason.NOT_A_NUMBER),
        (zwave_w, b'{"value": -Infinity}', Reason.NOT_A_NUMBER),
        (zwave_w, b'{"value": 1e999}', Reason.OUT_OF_RANGE),
        (zwave_w, b'{"value": ' + b"9" * 5000 + b"}", Reason.OUT_OF_RANGE),
        (zwave_w, b'{"value": 1000001}', Reason.OUT_OF_RANGE),
        (zwave_w, b'{"value": {"value": 1}}', Reason.NOT_A_NUMBER),
        (zwave_w, b'{"value": null}', Reason.NO_READING),
        (zwave_w, b'{"time": 12, "value": 1}', Reason.WRONG_TIME),
        (zwave_w, b'{"time": "soon", "value": 1}', Reason.WRONG_TIME),
        (zwave_w, b'{"time": 1e300, "value": 1}', Reason.WRONG_TIME),
        (zwave_w, b'{"time": "0001-01-01T00:00:00+23:00", "value": 1}', Reason.WRONG_TIME),
        (zwave_kwh, b"-1", Reason.OUT_OF_RANGE),
        (zwave_kwh, b"1e9", Reason.OUT_OF_RANGE),
        (zigbee2mqtt.parse, b"[]", Reason.NO_READING),
        (zigbee2mqtt.parse, b"12", Reason.NO_READING),
        (zigbee2mqtt.parse, b'{"power": "12"}', Reason.NOT_A_NUMBER),
        (tasmota.parse, b'{"ENERGY": {"Power": [[1]]}}', Reason.NOT_A_NUMBER),
        (meter, b"[" * 60_000, Reason.NOT_JSON),
        (meter, b'{"a":' * 12_000, Reason.NOT_JSON),
        (meter, b"[" * 30_000 + b"]" * 30_000, Reason.NOT_JSON),
    ],
)
def test_what_is_hostile_is_refused_with_its_reason(parse: Parser, payload: bytes, reason: Reason) -> None:
    assert refused(parse, payload) is reason


def test_a_payload_of_10_mb_is_not_even_looked_at() -> None:
    def parse(payload: bytes, received_ns: int) -> tuple[Reading, ...]:
        raise AssertionError

    for size in (MOST_BYTES + 1, 10 * 1024**2):
        assert refused(parse, b"[" * size) is Reason.TOO_LARGE


def test_an_excerpt_for_the_log_is_short_and_harmless() -> None:
    found = got(plain_w, "\x1b[31m\n" + "é" * 1000)
    assert isinstance(found, Refusal)
    assert found.detail.isascii()
    assert found.detail.isprintable()
    assert len(found.detail) < 200
