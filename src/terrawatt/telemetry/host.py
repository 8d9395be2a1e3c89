"""This machine's series in Telegraf's schema: those that it has, and why the others are missing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from terrawatt.config import SamplingSettings
from terrawatt.errors import ConfigError, did_you_mean
from terrawatt.power.cputimes import open_cpu_times
from terrawatt.records import SeriesKey
from terrawatt.telemetry.cpu import CpuReader
from terrawatt.telemetry.disk import open_disk
from terrawatt.telemetry.memory import open_memory
from terrawatt.telemetry.reader import HostReader, Missing
from terrawatt.telemetry.temperature import open_temperature

# A group of `sampling.host`: the quantity of the table that it gives, and that quantity's field.
QUANTITIES = {
    "cpu": ("cpu", "usage_user"),
    "mem": ("mem_free", "available_percent"),
    "temp": ("temp", "temp"),
    "diskio": ("reads", "reads"),
}


@dataclass(frozen=True, slots=True)
class HostSeries:
    """The readers of a machine.

    Attributes:
        readers: one for each group of series.
        quantities: quantity (`cpu`, `mem_free`, `temp`, `reads`) -> its series.
        missing: quantity -> why there is no series of it.
    """

    readers: tuple[HostReader, ...]
    quantities: Mapping[str, SeriesKey]
    missing: Mapping[str, str]

    def read(self) -> dict[SeriesKey, float]:
        """All values of now; NaN where one cannot be read."""
        return {key: value for reader in self.readers for key, value in zip(reader.keys, reader.read(), strict=True)}

    def close(self) -> None:
        """Release all files."""
        for reader in self.readers:
            reader.close()


def open_host(
    sampling: SamplingSettings, host: str, folder: Path, proc: Path = Path("/proc"), sys: Path = Path("/sys")
) -> HostSeries:
    """The readers for the groups that the settings name.

    Args:
        sampling: groups, sensor and disk.
        host: the value of tag `host`.
        folder: an existing folder on the disk that is meant when the settings name none.
        proc: where `/proc` is; tests have recorded ones.
        sys: where `/sys` is.

    Raises:
        ConfigError: a group does not exist.
    """
    openers: dict[str, Callable[[], HostReader | Missing]] = {
        "cpu": lambda: CpuReader(host, open_cpu_times(proc)),
        "mem": lambda: open_memory(host, proc),
        "temp": lambda: open_temperature(host, sampling.temp_sensor, sys),
        "diskio": lambda: open_disk(host, sampling.disk, folder, proc, sys),
    }
    for group in sampling.host:
        if group not in openers:
            raise ConfigError(f"sampling.host: there is no group {group!r}.{did_you_mean(group, tuple(openers))}")
    readers: list[HostReader] = []
    quantities: dict[str, SeriesKey] = {}
    missing: dict[str, str] = {}
    for group, (quantity, field) in QUANTITIES.items():
        wanted = group in sampling.host
        found = _try(openers[group]) if wanted else Missing(f"sampling.host does not name {group!r}")
        if isinstance(found, Missing):
            missing[quantity] = found.reason
            continue
        readers.append(found)
        quantities[quantity] = next(key for key in found.keys if key.field == field)
    return HostSeries(tuple(readers), quantities, missing)


def _try(open_reader: Callable[[], HostReader | Missing]) -> HostReader | Missing:
    try:
        return open_reader()
    except OSError as error:
        return Missing(f"{error.filename}: cannot be read ({error.strerror})")
