"""Shelly, second generation and later: the status of a component, or what has changed of it.

    <id>/status/switch:0   {"id": 0, "apower": 8.9, "aenergy": {"total": 6.532, …}, …}
    <id>/events/rpc        {"method": "NotifyStatus", "params": {"ts": 1631266595.43, "switch:0": {"apower": 8.9}}, …}

Energies are in Wh. Only the second has a time, in s since 1970; null while the device does not know it.
"""

from collections.abc import Mapping
from typing import Any

from terrawatt.power.payloads.reading import Reading, Reason, RefusedError, energy, excerpt, number, object_of, power
from terrawatt.power.payloads.times import time_of
from terrawatt.units import J_PER_WH

NOTIFICATIONS = "events/rpc"
_WITH_STATUS = ("NotifyStatus", "NotifyFullStatus")


def parse_status(payload: bytes, received_ns: int) -> tuple[Reading, ...]:
    """Power and counted energy of a component's status.

    Raises:
        RefusedError: one of them is no number.
    """
    return _readings(object_of(payload), None)


def parse_notification(payload: bytes, received_ns: int, *, component: str = "switch:0") -> tuple[Reading, ...]:
    """Power and counted energy, those that have changed.

    Args:
        payload: a notification.
        received_ns: not needed.
        component: type and number.

    Raises:
        RefusedError: it is about something else, or one of them is no number.
    """
    content = object_of(payload)
    parameters = content.get("params")
    is_status = content.get("method") in _WITH_STATUS and isinstance(parameters, Mapping)
    status = parameters.get(component) if is_status and isinstance(parameters, Mapping) else None
    if not isinstance(parameters, Mapping) or not isinstance(status, Mapping):
        raise RefusedError(Reason.NO_READING, excerpt(payload))
    return _readings(status, time_of(parameters.get("ts")))


def _readings(status: Mapping[str, Any], t_ns: int | None) -> tuple[Reading, ...]:
    readings = []
    if status.get("apower") is not None:
        readings.append(power(number(status["apower"]), t_ns))
    counted = status.get("aenergy")
    if isinstance(counted, Mapping) and counted.get("total") is not None:
        readings.append(energy(number(counted["total"]) * J_PER_WH, t_ns))
    return tuple(readings)
