"""Telegraf's `temp`: the temperature of one sensor in °C, found and named as its input plugin `temp` does."""

import math
import os
from pathlib import Path

from terrawatt.records import SeriesKey
from terrawatt.telemetry.reader import HostReader, Missing


def open_temperature(host: str, sensor: str, sys: Path = Path("/sys")) -> HostReader | Missing:
    """The reader of one sensor, or why there is none."""
    sensors = find_sensors(sys)
    if sensor in sensors:
        return TemperatureReader(host, sensor, sensors[sensor])
    if not sensors:
        return Missing("this machine shows no temperature sensor (a virtual machine seldom does)")
    return Missing(f"no sensor {sensor!r}; set sampling.temp_sensor to one of {', '.join(sensors)}")


def find_sensors(sys: Path) -> dict[str, Path]:
    """The sensors of a machine, name -> file of the temperature in 1/1000 °C.

    hwmon sensors are called by chip and label (`coretemp_package_id_0`); where there is none, thermal zones by type
    (`x86_pkg_temp`). Of sensors with one name the first counts.
    """
    found: dict[str, Path] = {}
    chips = sys / "class" / "hwmon"
    for file in sorted(chips.glob("hwmon*/temp*_input")) or sorted(chips.glob("hwmon*/device/temp*_input")):
        label = _text(file.with_name(file.name.replace("_input", "_label")))
        chip = _text(file.parent / "name") or (file.parent / "device").resolve().name
        found.setdefault("_".join(filter(None, (chip, label.lower().replace(" ", "_")))), file)
    if not found:
        for zone in sorted((sys / "class" / "thermal").glob("thermal_zone*")):
            found.setdefault(_text(zone / "type"), zone / "temp")
    return found


class TemperatureReader:
    """One sensor, from a file that stays open."""

    def __init__(self, host: str, sensor: str, path: Path) -> None:
        self.keys = (SeriesKey.of("temp", "temp", host=host, sensor=sensor),)
        # A sleeping device answers "try again" instead of keeping us waiting.
        self._descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def read(self) -> tuple[float, ...]:
        """The temperature in °C; NaN while the sensor does not answer."""
        try:
            return (int(os.pread(self._descriptor, 32, 0)) / 1000.0,)
        except (OSError, ValueError):
            return (math.nan,)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def _text(path: Path) -> str:
    """The content of a small file; empty where there is none."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
