"""Zigbee2MQTT: the whole state of a device in one object, published again at any change.

`power` is in W, `energy` in kWh. `last_seen` is there only where `advanced.last_seen` is set: as ISO 8601, with UTC or
a local offset, or in ms since 1970. A device with several outlets has `power_l1`, `power_left` and the like.
"""

from terrawatt.power.payloads.reading import Reading, energy, number, object_of, power
from terrawatt.power.payloads.times import time_of
from terrawatt.units import kwh_to_j


def parse(payload: bytes, received_ns: int, *, channel: str = "") -> tuple[Reading, ...]:
    """Power and counted energy, as far as they are there.

    Args:
        payload: the state.
        received_ns: not needed.
        channel: what stands behind the names' underscore, of one outlet of several.

    Raises:
        RefusedError: it is no state, or one of them is no number.
    """
    state = object_of(payload)
    suffix = f"_{channel}" if channel else ""
    power_w, energy_kwh = state.get(f"power{suffix}"), state.get(f"energy{suffix}")
    readings = []
    if power_w is not None or energy_kwh is not None:
        t_ns = time_of(state.get("last_seen"))
        if power_w is not None:
            readings.append(power(number(power_w), t_ns))
        if energy_kwh is not None:
            readings.append(energy(kwh_to_j(number(energy_kwh)), t_ns))
    return tuple(readings)
