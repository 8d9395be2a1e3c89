"""Parts of messages that plugs use over MQTT and HTTP alike. Pure."""

from datetime import UTC, datetime
from typing import Any

from terrawatt.power.simulator.meter import MeterReading
from terrawatt.units import J_PER_KWH, J_PER_WH, NS_PER_S

VOLTAGE_V = 230.0
KWH_STEP_J = 0.001 * J_PER_KWH  # three decimals of a kWh
WH_STEP_J = 0.001 * J_PER_WH


def to_kwh(energy_j: float) -> float:
    """An energy in kWh, without the noise of the division."""
    return round(energy_j / J_PER_KWH, 9)


def iso_time(t_ns: int) -> str:
    """A time in UTC: `2026-11-24T08:15:00.250Z`."""
    return f"{_utc(t_ns).isoformat(timespec='milliseconds').removesuffix('+00:00')}Z"


def shelly_status(reading: MeterReading) -> dict[str, Any]:
    """A switch of Shelly's second generation."""
    return {
        "id": 0,
        "source": "init",
        "output": True,
        "apower": reading.power_w,
        "voltage": VOLTAGE_V,
        "current": round(reading.power_w / VOLTAGE_V, 3),
        "aenergy": {
            "total": round(reading.energy_j / J_PER_WH, 6),
            "by_minute": [0.0, 0.0, 0.0],
            "minute_ts": reading.device_ns // NS_PER_S // 60 * 60,
        },
        "temperature": {"tC": 31.4, "tF": 88.5},
    }


def tasmota_sensors(reading: MeterReading) -> dict[str, Any]:
    """Tasmota's sensors; the time is the device's local one, here UTC."""
    return {
        "Time": _utc(reading.device_ns).strftime("%Y-%m-%dT%H:%M:%S"),
        "ENERGY": {
            "TotalStartTime": "2026-01-01T00:00:00",
            "Total": to_kwh(reading.energy_j),
            "Yesterday": 0.0,
            "Today": to_kwh(reading.energy_j),
            "Period": 0,
            "Power": reading.power_w,
            "ApparentPower": reading.power_w,
            "ReactivePower": 0,
            "Factor": 1.0,
            "Voltage": VOLTAGE_V,
            "Current": round(reading.power_w / VOLTAGE_V, 3),
        },
    }


def _utc(t_ns: int) -> datetime:
    return datetime.fromtimestamp(t_ns // 1000 / 1e6, UTC)
