"""RAPL: the energy counters of Intel and AMD processors, read from the kernel's files.

`/sys/class/powercap/intel-rapl:0/energy_uj` counts up to `max_energy_range_uj` and begins at 0 again, after minutes to
hours. The readings are kept as they are, with that range; the analysis puts them together (`analysis.counter`), where
it sees the whole series. zeus adds the ranges up itself, in a process for each counter that looks once a second: a
reading between a wrap and that look would be a whole range too low.
"""

import math
import os
from dataclasses import dataclass
from pathlib import Path

from terrawatt.errors import SourceError
from terrawatt.power.bank import CounterInfo

_J_PER_UJ = 1e-6


@dataclass(frozen=True, slots=True)
class Zone:
    """One counter: the folder of its files, and its label (`package-0`; `dram-0` is the memory of package 0)."""

    path: Path
    info: CounterInfo

    @property
    def energy_file(self) -> Path:
        """The file of the counter, in µJ."""
        return self.path / "energy_uj"


def find_zones(sys: Path = Path("/sys")) -> tuple[Zone, ...]:
    """The counters that the kernel shows, packages first; those that are no counter of energy are left out.

    Raises:
        SourceError: there are none.
    """
    folder = sys / "class" / "powercap"
    # The numbers of a zone and the one around it: intel-rapl:0 is a package, intel-rapl:0:1 a part of it. The same
    # packages appear again as intel-rapl-mmio.
    paths = sorted(folder.glob("intel-rapl:*"), key=lambda path: (path.name.count(":"), _numbers(path)))
    zones = tuple(_zone(path) for path in paths if (path / "energy_uj").exists())
    if not zones:
        raise SourceError(
            f"{folder}: no RAPL counters; virtual machines and ARM have none, elsewhere: sudo modprobe intel_rapl_msr"
        )
    return zones


class RaplBank:
    """The counters of some zones, from files that stay open."""

    def __init__(self, zones: tuple[Zone, ...]) -> None:
        """Open the files.

        Raises:
            SourceError: one cannot be read; says which permission is missing.
        """
        self.counters = tuple(zone.info for zone in zones)
        self._descriptors: list[int] = []
        try:
            for zone in zones:
                self._descriptors.append(os.open(zone.energy_file, os.O_RDONLY))
        except OSError as error:
            self.close()
            raise SourceError(unreadable(error)) from error

    def read(self) -> tuple[float, ...]:
        """The energies in J; NaN where a file cannot be read now.

        Raises:
            SourceError: none can be read.
        """
        values = []
        reason = ""
        for descriptor in self._descriptors:
            try:
                values.append(int(os.pread(descriptor, 32, 0)) * _J_PER_UJ)
            except OSError as error:
                values.append(math.nan)
                reason = error.strerror or str(error)
            except ValueError:
                values.append(math.nan)
                reason = "not a number"
        if all(map(math.isnan, values)):
            raise SourceError(f"RAPL: no counter can be read ({reason})")
        return tuple(values)

    def close(self) -> None:
        """Close the files."""
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors.clear()


def unreadable(error: OSError) -> str:
    """Why a counter's file cannot be read and what to do, in one line."""
    if not isinstance(error, PermissionError):
        return f"{error.filename}: cannot be read ({error.strerror})"
    folder = Path(error.filename).parent.parent
    return (
        f"{error.filename}: only root may read it (since CVE-2020-8694); for now: "
        f"sudo chmod a+r {folder}/intel-rapl:*/energy_uj, for good: docs/connect-your-plug.md, Counters"
    )


def _zone(path: Path) -> Zone:
    numbers = _numbers(path)
    name = _text(path / "name") or path.name
    # A package is called package-0 by the kernel; its parts (dram, core, uncore) only by what they are.
    label = name if len(numbers) == 1 else f"{name}-{numbers[0]}"
    range_uj = _text(path / "max_energy_range_uj")
    wrap_j = int(range_uj) * _J_PER_UJ if range_uj.isdigit() and int(range_uj) > 0 else None
    return Zone(path, CounterInfo(label, wrap_j, _NOTES.get(name.partition("-")[0], "")))


_NOTES = {
    "package": "RAPL: the processor's package, without memory, disks and power supply",
    "dram": "RAPL: the memory of one package",
    "core": "RAPL: the cores, a part of the package",
    "uncore": "RAPL: the graphics of the processor, a part of the package",
    "psys": "RAPL: the platform, as far as its maker has wired it",
}


def _numbers(path: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in path.name.split(":")[1:] if part.isdigit())


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
