"""Topics of one number, and objects in which a path leads to it.

ESPHome                     <prefix>/sensor/<id>/state                  19.8, or nan
Home Assistant statestream  <base>/sensor/<id>/state                    19.8, or unavailable
anything else               any topic                                   19.8, or {"meter": {"watts": 19.8}}
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from terrawatt.power.payloads.reading import (
    Reading,
    Reason,
    RefusedError,
    Unit,
    json_of,
    number,
    number_in,
    text_of,
)
from terrawatt.power.payloads.times import time_of

Path = tuple[str, ...]

# What a device writes when it has no value now: a gap, which ends what a value before it still said.
ESPHOME_MISSING = frozenset({"nan", "NaN"})
HOME_ASSISTANT_MISSING = frozenset({"unavailable", "unknown", "None"})


def parse_number(payload: bytes, received_ns: int, *, unit: Unit, missing: Collection[str] = ()) -> tuple[Reading, ...]:
    """The reading of a payload that is one number.

    Args:
        payload: the number as text.
        received_ns: not needed.
        unit: of the number.
        missing: words that mean that there is none now.

    Raises:
        RefusedError: it is something else.
    """
    text = text_of(payload)
    if text in missing:
        return (Reading(unit.quantity, math.nan),)
    return (unit.reading(number_in(text)),)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value is in an object, and its unit. A number in the path counts a list's items from 0."""

    path: Path
    unit: Unit


def parse_places(
    payload: bytes, received_ns: int, *, places: Sequence[Place], time_path: Path = ()
) -> tuple[Reading, ...]:
    """The readings at some places of an object, as far as they are there.

    Args:
        payload: JSON.
        received_ns: not needed.
        places: of the values.
        time_path: where its time is; empty: it has none.

    Raises:
        RefusedError: it is no JSON, or one of them is no number.
    """
    content = json_of(payload)
    found = [(place, value) for place in places if (value := _at(content, place.path)) is not None]
    if not found:
        raise RefusedError(Reason.NO_READING, "nothing at " + ", ".join(".".join(place.path) for place in places))
    t_ns = time_of(_at(content, time_path)) if time_path else None
    return tuple(place.unit.reading(_value(value), t_ns) for place, value in found)


def _value(value: object) -> float:
    return number_in(value.strip()) if isinstance(value, str) else number(value)


def _at(content: Any, path: Path) -> Any:
    """What is at a path; None where there is nothing."""
    for step in path:
        if isinstance(content, Mapping):
            content = content.get(step)
        elif isinstance(content, list) and step.isascii() and step.isdigit() and int(step) < len(content):
            content = content[int(step)]
        else:
            return None
    return content
