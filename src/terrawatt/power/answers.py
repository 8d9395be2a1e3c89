"""What the HTTP answers of meters say: JSON into W and J. Pure.

A number that is not there, or is none, is NaN; a whole answer that is of another kind is a SourceError.
"""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from terrawatt.errors import SourceError
from terrawatt.units import J_PER_KWH, J_PER_WH

Units = Mapping[str, float]

POWER: Units = {"mW": 1e-3, "W": 1.0, "kW": 1e3, "MW": 1e6}
ENERGY: Units = {"J": 1.0, "kJ": 1e3, "MJ": 1e6, "Wh": J_PER_WH, "kWh": J_PER_KWH, "MWh": 1e3 * J_PER_KWH}


def shelly(body: bytes) -> tuple[float, float]:
    """Power in W and counted energy in J, of Shelly's `Switch.GetStatus` (Gen2 and later).

    Raises:
        SourceError: the answer has neither.
    """
    answer = _object(body)
    energy = answer.get("aenergy")
    total_wh = _number(energy.get("total")) if isinstance(energy, Mapping) else math.nan
    return _pair(_number(answer.get("apower")), total_wh * J_PER_WH)


def tasmota(body: bytes) -> tuple[float, float]:
    """Power in W and counted energy in J, of Tasmota's `Status 10`; of several channels their sum.

    Raises:
        SourceError: the answer has neither, or is about a missing password.
    """
    answer = _object(body)
    if "WARNING" in answer:  # the only sign: it comes with HTTP 200, or 401
        raise SourceError("it wants user and password, or refuses them")
    sensors = answer.get("StatusSNS")
    energy = sensors.get("ENERGY") if isinstance(sensors, Mapping) else None
    if not isinstance(energy, Mapping):
        raise SourceError("its answer has no ENERGY; does this device measure power?")
    return _pair(_sum(energy.get("Power")), _sum(energy.get("Total")) * J_PER_KWH)


def esphome(body: bytes, units: Units, unit: str = "") -> float:
    """The value of one sensor of ESPHome's web server, in W or J.

    Args:
        body: the answer; its `state` holds the unit behind the number: `19.8 W`.
        units: `POWER` or `ENERGY`: what it is to be.
        unit: of the value, where the answer does not say.

    Raises:
        SourceError: it has no value, or another unit.
    """
    answer = _object(body)
    words = str(answer.get("state", "")).split()
    said = words[-1] if len(words) > 1 else str(answer.get("uom", ""))
    return _some(_number(answer.get("value")) * _factor(said or unit, units))


def home_assistant(body: bytes, units: Units, now: datetime, max_age_s: float) -> float:
    """The state of one entity of Home Assistant, in W or J.

    Args:
        body: the answer.
        units: `POWER` or `ENERGY`: what it is to be.
        now: the time of Home Assistant's own clock.
        max_age_s: an older state is not a reading of now.

    Raises:
        SourceError: it is unavailable, no number, too old, or has another unit.
    """
    answer = _object(body)
    state = answer.get("state")
    if state in ("unavailable", "unknown", None):
        raise SourceError(f"its state is {state or 'missing'}; is the plug behind Home Assistant reachable?")
    # last_reported goes on when a meter reports the same value again; older versions do not have it.
    told = answer.get("last_reported") or answer.get("last_updated")
    age_s = (now - _time(told)).total_seconds()
    if age_s > max_age_s:
        raise SourceError(f"its state is {age_s:.0f} s old, above max_age_s = {max_age_s:g}, so not a reading of now")
    attributes = answer.get("attributes")
    unit = attributes.get("unit_of_measurement") if isinstance(attributes, Mapping) else None
    return _some(_number_in_text(state) * _factor(str(unit or ""), units))


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise SourceError("its answer is not JSON; is this the address of the meter?") from None
    if not isinstance(answer, dict):
        raise SourceError("its answer is JSON of another kind; is this the address of the meter?")
    return answer


def _pair(power_w: float, energy_j: float) -> tuple[float, float]:
    """Both, when one of them is a number."""
    if math.isnan(power_w) and math.isnan(energy_j):
        raise SourceError("its answer has neither power nor energy; does this device measure?")
    return power_w, energy_j


def _some(value: float) -> float:
    """The value, when it is a number."""
    if math.isnan(value):
        raise SourceError("its answer has no reading")
    return value


def _number(value: object) -> float:
    """A finite number, else NaN; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    try:
        number = float(value)
    except OverflowError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def _number_in_text(value: object) -> float:
    try:
        return _number(float(value)) if isinstance(value, str) else _number(value)
    except ValueError:
        return math.nan


def _sum(value: object) -> float:
    """A number, or the sum of a list of them (one for each phase or channel)."""
    if isinstance(value, list):
        return math.fsum(map(_number, value)) if value else math.nan
    return _number(value)


def _factor(unit: str, units: Units) -> float:
    """What a value of a unit is multiplied with to give W or J."""
    if unit not in units:
        raise SourceError(f"its unit is {unit!r}, not one of {', '.join(units)}")
    return units[unit]


def _time(text: object) -> datetime:
    try:
        time = datetime.fromisoformat(str(text))
    except ValueError:
        raise SourceError("its state has no time") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
