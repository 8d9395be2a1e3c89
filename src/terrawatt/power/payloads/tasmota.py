"""Tasmota: `tele/<topic>/SENSOR`, at each TelePeriod.

    {"Time": "2022-01-11T21:57:38", "ENERGY": {"Total": 3.705, "Power": 5, …}}

Total is in kWh. Devices with several channels or phases list their powers, and their totals too if told so. The time
is a local one, in whole seconds and without its offset: the device's time zone must be known to use it.
"""

from collections.abc import Mapping
from math import fsum
from typing import Any
from zoneinfo import ZoneInfo

from terrawatt.power.payloads.reading import Reading, Reason, RefusedError, energy, excerpt, number, object_of, power
from terrawatt.power.payloads.times import local_time_of
from terrawatt.units import kwh_to_j


def parse(
    payload: bytes, received_ns: int, *, channel: int | None = None, zone: ZoneInfo | None = None
) -> tuple[Reading, ...]:
    """Power and counted energy, as far as they are there.

    Args:
        payload: the message.
        received_ns: when it came, which tells the two hours apart in which summer time ends.
        channel: which one of several, from 1; None: their sum.
        zone: of the device's clock; None: its time is not used.

    Raises:
        RefusedError: it is none, or one of them is no number.
    """
    content = object_of(payload)
    meter = content.get("ENERGY")
    if not isinstance(meter, Mapping):
        raise RefusedError(Reason.NO_READING, excerpt(payload))
    t_ns = None if zone is None else local_time_of(content.get("Time"), zone, received_ns)
    powers_w, totals_kwh = _numbers(meter.get("Power")), _numbers(meter.get("Total"))
    readings = []
    if powers_w:
        readings.append(power(_chosen(powers_w, channel), t_ns))
    # The total of all channels says nothing of one.
    if totals_kwh and (channel is None or len(totals_kwh) == len(powers_w)):
        readings.append(energy(kwh_to_j(_chosen(totals_kwh, channel)), t_ns))
    return tuple(readings)


def _numbers(value: Any) -> list[float]:
    if value is None:
        return []
    return [number(item) for item in value] if isinstance(value, list) else [number(value)]


def _chosen(values: list[float], channel: int | None) -> float:
    if channel is None:
        return fsum(values)
    if channel > len(values):
        raise RefusedError(Reason.NO_READING, f"no channel {channel} of {len(values)}")
    return values[channel - 1]
