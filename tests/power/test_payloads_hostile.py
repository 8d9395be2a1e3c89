"""Whatever is published: readings that are plausible, or a refusal; never an exception."""

import json
import math
from collections.abc import Iterator
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrawatt.power.payloads import shelly, tasmota, values, zigbee2mqtt, zwave
from terrawatt.power.payloads.reading import (
    LARGEST_OFFSET_NS,
    MOST_ENERGY_J,
    MOST_POWER_W,
    UNITS,
    Parser,
    Quantity,
    Reading,
    Refusal,
    read,
)

NOW_NS = 1_795_521_600_000_000_000

PARSERS: dict[str, Parser] = {
    "zwave": partial(zwave.parse, unit=UNITS["W"]),
    "zigbee2mqtt": zigbee2mqtt.parse,
    "tasmota": partial(tasmota.parse, zone=ZoneInfo("Europe/Paris")),
    "shelly status": shelly.parse_status,
    "shelly events": shelly.parse_notification,
    "esphome": partial(values.parse_number, unit=UNITS["W"], missing=values.ESPHOME_MISSING),
    "homeassistant": partial(values.parse_number, unit=UNITS["kWh"], missing=values.HOME_ASSISTANT_MISSING),
    "json": partial(
        values.parse_places,
        places=(values.Place(("value",), UNITS["W"]), values.Place(("ENERGY", "0"), UNITS["kWh"])),
        time_path=("time",),
    ),
}

_OF_VALUES = ("value", "time", "lastUpdate", "unit", "power", "energy", "last_seen")
_OF_METERS = ("Time", "ENERGY", "Power", "Total", "apower", "aenergy", "total", "switch:0")
NAMES = st.sampled_from((*_OF_VALUES, *_OF_METERS))
NUMBERS = (0, -1, 2**70, 10**400, 1e300, 5e-324, -0.0, math.nan, math.inf)
WORDS = (
    "",
    "12",
    "NaN",
    "W",
    "V",
    "unavailable",
    "2026-11-24T12:00:00Z",
    "0001-01-01T00:00:00",
    "9999-12-31",
    "\ud800",
)
LEAVES: st.SearchStrategy[Any] = st.sampled_from((*NUMBERS, *WORDS, None, True, False, [], {}, [[1]])) | st.floats()
OBJECTS = st.dictionaries(NAMES, LEAVES | st.dictionaries(NAMES, LEAVES, max_size=2), max_size=5)
NOTIFICATIONS = OBJECTS.map(lambda content: {"method": "NotifyStatus", "params": content})


def with_constants(tree: Any) -> bytes:
    """JSON as Python writes it, with NaN and Infinity, which strict JSON does not have."""
    return json.dumps(tree).encode()


ANYTHING = (
    st.binary(max_size=200)
    | st.text(max_size=50).map(str.encode)
    | (LEAVES | st.lists(LEAVES, max_size=3) | OBJECTS | NOTIFICATIONS).map(with_constants)
)


def variants(payload: bytes, place: int) -> Iterator[bytes]:
    """A payload, and what may become of it: cut short, with a byte changed, said twice."""
    place %= len(payload) + 1
    yield payload
    yield payload[:place]
    yield payload[:place] + bytes([place % 256]) + payload[place + 1 :]
    yield payload + payload


@settings(max_examples=2_500, deadline=None)  # of four payloads each, to each of the parsers
@given(payload=ANYTHING, place=st.integers(min_value=0, max_value=1000))
def test_nothing_that_is_published_does_harm(payload: bytes, place: int) -> None:
    for variant in variants(payload, place):
        for parse in PARSERS.values():
            check(read(parse, variant, NOW_NS))


def check(found: tuple[Reading, ...] | Refusal) -> None:
    if isinstance(found, Refusal):
        assert len(found.detail) < 500
        assert found.detail.isprintable()
        return
    assert found
    for reading in found:
        limit = MOST_POWER_W if reading.quantity is Quantity.POWER else MOST_ENERGY_J
        assert math.isnan(reading.value) or abs(reading.value) <= limit
        assert reading.t_ns is None or abs(reading.t_ns - NOW_NS) <= LARGEST_OFFSET_NS


@pytest.mark.parametrize("parse", PARSERS.values(), ids=PARSERS)
def test_a_message_that_was_cut_short_is_refused(parse: Parser) -> None:
    whole = b'{"method": "NotifyStatus", "params": {"ts": 1795521600.5, "switch:0": {"apower": 12.5}}, "value": 1}'
    for end in range(len(whole)):
        assert isinstance(read(parse, whole[:end], NOW_NS), Refusal)
