"""Telegraf's `diskio`: what one disk has read and written since the start of the machine.

The counters are cumulative. By default the disk is the one that holds the store: the whole disk, also when the file
system lies on a partition of it, since other partitions share its mechanics and its power. A device mapper or RAID
volume has counters of its own, which are used.
"""

import math
import os
from pathlib import Path

import psutil

from terrawatt.records import SeriesKey
from terrawatt.telemetry.reader import HostReader, Missing

_FIELDS = ("reads", "writes", "read_bytes", "write_bytes")
_SECTOR_BYTES = 512  # of the kernel's counters, whatever the disk's own sectors are


def open_disk(
    host: str, name: str, folder: Path, proc: Path = Path("/proc"), sys: Path = Path("/sys")
) -> HostReader | Missing:
    """The reader of a disk, or why there is none.

    Args:
        host: the value of tag `host`.
        name: the disk's name (`nvme0n1`, a partition too); empty: the disk that holds `folder`.
        folder: an existing folder.
        proc: for the mounted file systems.
        sys: for the devices and their counters.
    """
    if not (sys / "class" / "block").is_dir():
        return _open_portable(host, name)
    known = _disks(sys)
    chosen = name.removeprefix("/dev/") or disk_of(folder.stat().st_dev, proc, sys)
    if chosen and (sys / "class" / "block" / chosen / "stat").exists():
        return DiskReader(host, chosen, sys / "class" / "block" / chosen / "stat")
    what = f"no disk {chosen!r}" if chosen else f"{folder} lies on no disk with counters of its own"
    return Missing(f"{what}; set sampling.disk to one of {', '.join(known)}" if known else what)


def disk_of(device: int, proc: Path, sys: Path) -> str | None:
    """The name of the whole disk under a file system; None where there is none (tmpfs, overlay, network).

    Args:
        device: `st_dev` of a file there.
        proc: for the mounted file systems.
        sys: for the devices.
    """
    number = f"{os.major(device)}:{os.minor(device)}"
    link = sys / "dev" / "block" / number
    if not link.exists():  # btrfs and others have a number of their own, but are mounted from a device
        source = _mounted_from(number, proc / "self" / "mountinfo")
        if not source.startswith("/dev/"):
            return None
        link = sys / "class" / "block" / Path(source).resolve().name
    path = link.resolve()
    return path.parent.name if (path / "partition").exists() else path.name


class DiskReader:
    """`/sys/class/block/<name>/stat`: the line of `/proc/diskstats` without its neighbours; the file stays open."""

    def __init__(self, host: str, name: str, path: Path) -> None:
        self.keys = _keys(host, name)
        self._descriptor = os.open(path, os.O_RDONLY)

    def read(self) -> tuple[float, ...]:
        """The counters; NaN when the disk is gone."""
        try:
            return parse_stat(os.pread(self._descriptor, 512, 0))
        except (OSError, ValueError):
            return (math.nan,) * len(self.keys)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


class PsutilDisk:
    """psutil's counters, for systems without `/sys`."""

    def __init__(self, host: str, name: str) -> None:
        self.keys = _keys(host, name)
        self._name = name

    def read(self) -> tuple[float, ...]:
        """The counters; NaN when the disk is gone."""
        counters = psutil.disk_io_counters(perdisk=True).get(self._name)
        if counters is None:
            return (math.nan,) * len(self.keys)
        return (
            float(counters.read_count),
            float(counters.write_count),
            float(counters.read_bytes),
            float(counters.write_bytes),
        )

    def close(self) -> None:
        """Nothing is held."""


def parse_stat(content: bytes) -> tuple[float, ...]:
    """Reads, writes, bytes read and bytes written, of a block device's `stat` (Documentation/block/stat.rst).

    Raises:
        ValueError: these are not its counters.
    """
    fields = [int(field) for field in content.split()]
    if len(fields) < 11:
        raise ValueError(f"{content[:40]!r} are not the counters of a disk")
    reads, _, sectors_read, _, writes, _, sectors_written = fields[:7]
    return float(reads), float(writes), float(sectors_read * _SECTOR_BYTES), float(sectors_written * _SECTOR_BYTES)


def _open_portable(host: str, name: str) -> HostReader | Missing:
    known = sorted(psutil.disk_io_counters(perdisk=True))
    if name in known:
        return PsutilDisk(host, name)
    if not name and len(known) == 1:
        return PsutilDisk(host, known[0])
    return Missing(f"set sampling.disk to one of {', '.join(known)}" if known else "this system shows no disk counters")


def _disks(sys: Path) -> list[str]:
    """Names of disks that have done something; the kernel shows many that are never used."""
    used = []
    for path in sorted((sys / "class" / "block").iterdir()):
        try:
            if any(parse_stat((path / "stat").read_bytes())):
                used.append(path.name)
        except (OSError, ValueError):
            continue
    return used


def _mounted_from(number: str, mountinfo: Path) -> str:
    """The device from which the file system with this number is mounted (proc(5)); empty where none is named."""
    for line in mountinfo.read_text(encoding="utf-8", errors="replace").splitlines():
        mount, _, origin = line.partition(" - ")
        if mount.split()[2] == number:
            return origin.split()[1]
    return ""


def _keys(host: str, name: str) -> tuple[SeriesKey, ...]:
    return tuple(SeriesKey.of("diskio", field, host=host, name=name) for field in _FIELDS)
