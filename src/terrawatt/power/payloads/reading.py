"""A reading out of a payload, or why there is none; and the first steps of each parser: size, text, JSON, numbers.

Anybody who may publish on a topic decides what is in a payload. So its size is checked before it is looked at, and
whatever is not a finite number of a plausible size is refused.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NoReturn

from terrawatt.units import J_PER_KWH, J_PER_WH, NS_PER_S

MOST_BYTES = 65_536  # whole states of Zigbee2MQTT and Shelly have up to some kB
MOST_POWER_W = 1e6  # above that of any plug
MOST_ENERGY_J = 1e8 * J_PER_KWH
LARGEST_OFFSET_NS = 86_400 * NS_PER_S  # a time further from now is no clock's; queued readings are younger

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_LONGEST_NUMBER = 64
_EXCERPT = 40


class Quantity(StrEnum):
    """What is read, by the name of its series' field."""

    POWER = "power_w"
    ENERGY = "energy_j"


class Reason(StrEnum):
    """Why a message gives no reading; each is counted by itself."""

    TOO_LARGE = "too large"
    NOT_TEXT = "not text"
    NOT_JSON = "not JSON"
    NOT_A_NUMBER = "not a number"
    OUT_OF_RANGE = "out of range"
    NO_READING = "without a reading"
    OTHER_UNIT = "in another unit"
    WRONG_TIME = "with a wrong time"
    NO_TIME = "without the device's time"
    RETAINED = "retained"
    WAITED = "waited at the broker"


@dataclass(frozen=True, slots=True)
class Reading:
    """One value in W or J, NaN where the device says that it has none; `t_ns`: the device's own time, if any."""

    quantity: Quantity
    value: float
    t_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a message gives no reading, and what was found instead."""

    reason: Reason
    detail: str = ""


class RefusedError(ValueError):
    """A payload that gives no reading; inside of this package only (`read`)."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(detail)
        self.refusal = Refusal(reason, detail)


Parser = Callable[[bytes, int], tuple[Reading, ...]]  # of a payload and the time of its arrival in ns


def read(parse: Parser, payload: bytes, received_ns: int) -> tuple[Reading, ...] | Refusal:
    """The readings of a payload, one or more; or why there are none.

    Args:
        parse: the parser of its device.
        payload: anything.
        received_ns: when it came.
    """
    if len(payload) > MOST_BYTES:
        return Refusal(Reason.TOO_LARGE, f"{len(payload)} bytes")
    try:
        readings = parse(payload, received_ns)
    except RefusedError as error:
        return error.refusal
    for reading in readings:
        if reading.t_ns is not None and abs(reading.t_ns - received_ns) > LARGEST_OFFSET_NS:
            return Refusal(Reason.WRONG_TIME, f"{(reading.t_ns - received_ns) / NS_PER_S:+.0f} s from now")
    return readings or Refusal(Reason.NO_READING)


def power(value_w: float, t_ns: int | None = None) -> Reading:
    """A power in W. A plug behind solar panels may show a negative one.

    Raises:
        RefusedError: no plug has that.
    """
    if abs(value_w) > MOST_POWER_W:
        raise RefusedError(Reason.OUT_OF_RANGE, f"{value_w:g} W")
    return Reading(Quantity.POWER, value_w, t_ns)


def energy(value_j: float, t_ns: int | None = None) -> Reading:
    """A counted energy in J.

    Raises:
        RefusedError: no counter shows that.
    """
    if not 0 <= value_j <= MOST_ENERGY_J:
        raise RefusedError(Reason.OUT_OF_RANGE, f"{value_j:g} J")
    return Reading(Quantity.ENERGY, value_j, t_ns)


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of power or energy."""

    quantity: Quantity
    factor: float  # into W or J

    def reading(self, value: float, t_ns: int | None = None) -> Reading:
        """A value in this unit.

        Raises:
            RefusedError: no plug shows that.
        """
        return (power if self.quantity is Quantity.POWER else energy)(value * self.factor, t_ns)


UNITS: Mapping[str, Unit] = {
    "mW": Unit(Quantity.POWER, 1e-3),
    "W": Unit(Quantity.POWER, 1.0),
    "kW": Unit(Quantity.POWER, 1e3),
    "J": Unit(Quantity.ENERGY, 1.0),
    "Wmin": Unit(Quantity.ENERGY, 60.0),  # Shelly's first generation
    "Wh": Unit(Quantity.ENERGY, J_PER_WH),
    "kWh": Unit(Quantity.ENERGY, J_PER_KWH),
}


def text_of(payload: bytes) -> str:
    """The text of a payload, without space around it.

    Raises:
        RefusedError: it is none.
    """
    try:
        return payload.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise RefusedError(Reason.NOT_TEXT, excerpt(payload)) from None


def json_of(payload: bytes) -> Any:
    """The JSON of a payload.

    Raises:
        RefusedError: it is none, or nested too deep.
    """
    text = text_of(payload)
    try:
        return json.loads(text, parse_constant=_refuse_constant, parse_float=_float, parse_int=_float)
    except (ValueError, RecursionError) as error:
        if isinstance(error, RefusedError):
            raise
        raise RefusedError(Reason.NOT_JSON, excerpt(payload)) from None


def object_of(payload: bytes) -> Mapping[str, Any]:
    """The JSON object of a payload.

    Raises:
        RefusedError: it is none.
    """
    content = json_of(payload)
    if not isinstance(content, dict):
        raise RefusedError(Reason.NO_READING, excerpt(payload))
    return content


def number(value: object) -> float:
    """A finite number; true and false are none.

    Raises:
        RefusedError: it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RefusedError(Reason.NOT_A_NUMBER, excerpt(value))
    if not math.isfinite(value):
        raise RefusedError(Reason.OUT_OF_RANGE, excerpt(value))
    return float(value)


def number_in(text: str) -> float:
    """The number that a text is, as JSON and most programs write it.

    Raises:
        RefusedError: it is none.
    """
    if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        raise RefusedError(Reason.NOT_A_NUMBER, excerpt(text))
    return number(float(text))


def excerpt(value: object) -> str:
    """The beginning of something that was refused, for the log: harmless whatever it is."""
    shown = value[: _EXCERPT + 1] if isinstance(value, str | bytes) else str(type(value).__name__)
    return ascii(shown[:_EXCERPT]) + ("..." if len(shown) > _EXCERPT else "")


def _float(digits: str) -> float:
    # Thousands of digits would take long, and int() of them is refused by Python.
    if len(digits) > _LONGEST_NUMBER:
        raise RefusedError(Reason.OUT_OF_RANGE, excerpt(digits))
    return float(digits)


def _refuse_constant(name: str) -> NoReturn:
    raise RefusedError(Reason.NOT_A_NUMBER, name)
