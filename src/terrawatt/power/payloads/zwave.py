"""Z-Wave JS UI: one topic for each value, in one of three forms that its gateway is set to.

    JSON Time-Value   {"time": 1548683523859, "value": 10}
    whole ValueId     {"id": …, "unit": "W", "value": 10, "lastUpdate": 1604044669393, …}
    just the value    10

The last part of a topic is the value's number: 66049 is W, 65537 kWh (counted), of the command class Meter (50).
"""

from collections.abc import Mapping

from terrawatt.power.payloads.reading import (
    UNITS,
    Reading,
    Reason,
    RefusedError,
    Unit,
    excerpt,
    json_of,
    number,
    number_in,
    text_of,
)
from terrawatt.power.payloads.times import time_of

POWER_ID, COUNTER_ID = "66049", "65537"


def counter_topic(topic: str) -> str | None:
    """The topic of the energy counter beside that of a power; None where the topic does not end with the power's."""
    parent, _, last = topic.rpartition("/")
    return f"{parent}/{COUNTER_ID}" if last == POWER_ID else None


def parse(payload: bytes, received_ns: int, *, unit: Unit) -> tuple[Reading, ...]:
    """The reading of one value.

    Args:
        payload: in any of the three forms.
        received_ns: not needed.
        unit: of the topic's value.

    Raises:
        RefusedError: there is none.
    """
    text = text_of(payload)
    if not text.startswith("{"):
        return (unit.reading(number_in(text)),)
    content = json_of(payload)
    if not isinstance(content, Mapping) or content.get("value") is None:
        raise RefusedError(Reason.NO_READING, excerpt(payload))
    said = content.get("unit")
    if said and (not isinstance(said, str) or UNITS.get(said) != unit):
        raise RefusedError(Reason.OTHER_UNIT, excerpt(said))
    t_ns = time_of(content["time"] if "time" in content else content.get("lastUpdate"))
    return (unit.reading(number(content["value"]), t_ns),)
