"""What the HTTP answers of meters say, in W and J. Pure; the payloads that also come over MQTT are read there.

A value that is not there is NaN; an answer without any is a SourceError.
"""

import json
import math
from collections.abc import Mapping
from datetime import datetime

from terrawatt.errors import SourceError
from terrawatt.power.payloads import shelly as shelly_payload
from terrawatt.power.payloads import tasmota as tasmota_payload
from terrawatt.power.payloads.reading import (
    UNITS,
    Parser,
    Quantity,
    Reading,
    Refusal,
    excerpt,
    number,
    number_in,
    object_of,
    read,
)
from terrawatt.power.payloads.times import time_of
from terrawatt.units import NS_PER_S

_NO_STATE = ("unavailable", "unknown", None)


def shelly(body: bytes) -> tuple[float, float]:
    """Power in W and counted energy in J, of Shelly's `Switch.GetStatus` (Gen2 and later).

    Raises:
        SourceError: the answer has neither.
    """
    return _pair(_read(shelly_payload.parse_status, body))


def tasmota(body: bytes) -> tuple[float, float]:
    """Power in W and counted energy in J, of Tasmota's `Status 10`; of several channels their sum.

    Raises:
        SourceError: the answer has neither, or is about a missing password.
    """
    return _pair(_read(_tasmota, body))


def esphome(body: bytes, quantity: Quantity, unit: str = "") -> float:
    """The value of one sensor of ESPHome's web server, in W or J.

    Args:
        body: the answer; its `state` holds the unit behind the number: `19.8 W`.
        quantity: what it is to be.
        unit: of the value, where the answer does not say.

    Raises:
        SourceError: it has no value, or another unit.
    """

    def parse(payload: bytes, _: int) -> tuple[Reading, ...]:
        answer = object_of(payload)
        words = str(answer.get("state", "")).split()
        said = words[-1] if len(words) > 1 else str(answer.get("uom", ""))
        return () if answer.get("value") is None else (_reading(number(answer["value"]), said or unit, quantity),)

    return _read(parse, body)[0].value


def home_assistant(body: bytes, quantity: Quantity, now: datetime, max_age_s: float) -> float:
    """The state of one entity of Home Assistant, in W or J.

    Args:
        body: the answer.
        quantity: what it is to be.
        now: the time of Home Assistant's own clock.
        max_age_s: an older state is not a reading of now.

    Raises:
        SourceError: it is unavailable, no number, too old, or has another unit.
    """
    told_ns: list[int | None] = []

    def parse(payload: bytes, _: int) -> tuple[Reading, ...]:
        answer = object_of(payload)
        state, attributes = answer.get("state"), answer.get("attributes")
        if state in _NO_STATE:
            raise SourceError(f"its state is {state or 'missing'}; is the plug behind Home Assistant reachable?")
        # last_reported goes on when a meter reports the same value again; older versions do not have it.
        told_ns.append(time_of(answer.get("last_reported") or answer.get("last_updated")))
        unit = attributes.get("unit_of_measurement") if isinstance(attributes, Mapping) else None
        return (_reading(number_in(state) if isinstance(state, str) else number(state), str(unit or ""), quantity),)

    (reading,) = _read(parse, body)
    if told_ns[0] is None:
        raise SourceError("its state has no time, so it may be an old one")
    age_s = now.timestamp() - told_ns[0] / NS_PER_S
    if age_s > max_age_s:
        raise SourceError(f"its state is {age_s:.0f} s old, above max_age_s = {max_age_s:g}, so not a reading of now")
    return reading.value


def _tasmota(payload: bytes, received_ns: int) -> tuple[Reading, ...]:
    """`{"StatusSNS": …}` around what Tasmota publishes; a refused password is told with HTTP 200, or 401."""
    answer = object_of(payload)
    if "WARNING" in answer:
        raise SourceError("it wants user and password, or refuses them")
    sensors = answer.get("StatusSNS")
    energy = sensors.get("ENERGY") if isinstance(sensors, Mapping) else None
    if not isinstance(energy, Mapping):
        return ()
    published = {"ENERGY": {name: energy.get(name) for name in ("Power", "Total")}}
    return tasmota_payload.parse(json.dumps(published).encode(), received_ns)


def _reading(value: float, unit: str, quantity: Quantity) -> Reading:
    known = [name for name, about in UNITS.items() if about.quantity is quantity]
    if unit not in known:
        raise SourceError(f"its unit is {excerpt(unit)}, not one of {', '.join(known)}")
    return UNITS[unit].reading(value)


def _pair(readings: tuple[Reading, ...]) -> tuple[float, float]:
    values = {reading.quantity: reading.value for reading in readings}
    return values.get(Quantity.POWER, math.nan), values.get(Quantity.ENERGY, math.nan)


def _read(parse: Parser, body: bytes) -> tuple[Reading, ...]:
    # No time of arrival: these answers have no times of their own that would be compared with it.
    found = read(parse, body, 0)
    if isinstance(found, Refusal):
        raise _refused(found)
    return found


def _refused(refusal: Refusal) -> SourceError:
    return SourceError(f"its answer is {refusal.reason.value}; is this the address of the meter, and the right kind?")
