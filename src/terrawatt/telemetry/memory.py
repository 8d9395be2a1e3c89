"""Telegraf's `mem`: the memory of the machine in bytes and %."""

import math
import os
from pathlib import Path

import psutil

from terrawatt.records import SeriesKey
from terrawatt.telemetry.reader import HostReader

_FIELDS = ("total", "available", "used", "used_percent", "available_percent")


def open_memory(host: str, proc: Path = Path("/proc")) -> HostReader:
    """The reader that fits this machine."""
    path = proc / "meminfo"
    return ProcMemory(host, path) if path.exists() else PsutilMemory(host)


class ProcMemory:
    """`/proc/meminfo`. `used` is Telegraf's: what is neither free, nor buffers, nor cache."""

    def __init__(self, host: str, path: Path) -> None:
        self.keys = _keys(host)
        self._descriptor = os.open(path, os.O_RDONLY)

    def read(self) -> tuple[float, ...]:
        """The values of `keys`."""
        try:
            return parse_meminfo(os.pread(self._descriptor, 8192, 0))
        except (OSError, ValueError, KeyError):
            return (math.nan,) * len(self.keys)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


class PsutilMemory:
    """psutil's view, for systems without `/proc`."""

    def __init__(self, host: str) -> None:
        self.keys = _keys(host)

    def read(self) -> tuple[float, ...]:
        """The values of `keys`."""
        memory = psutil.virtual_memory()
        return _values(float(memory.total), float(memory.available), float(memory.used))

    def close(self) -> None:
        """Nothing is held."""


def parse_meminfo(content: bytes) -> tuple[float, ...]:
    """Total, available and used memory in bytes; used and available in %.

    Raises:
        KeyError: a line is not there.
        ValueError: a line holds no number.
    """
    lines = (line.split(b":", 1) for line in content.splitlines() if b":" in line)
    size = {name: 1024.0 * int(rest.split()[0]) for name, rest in lines if name in _LINES}
    used = size[b"MemTotal"] - sum(size[name] for name in (b"MemFree", b"Buffers", b"Cached", b"SReclaimable"))
    return _values(size[b"MemTotal"], size[b"MemAvailable"], used)


_LINES = {b"MemTotal", b"MemFree", b"MemAvailable", b"Buffers", b"Cached", b"SReclaimable"}


def _values(total: float, available: float, used: float) -> tuple[float, ...]:
    return total, available, used, 100.0 * used / total, 100.0 * available / total


def _keys(host: str) -> tuple[SeriesKey, ...]:
    return tuple(SeriesKey.of("mem", field, host=host) for field in _FIELDS)
