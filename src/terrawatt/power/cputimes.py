"""Where the CPUs' time went: `/proc/stat`, or psutil where there is no `/proc`."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import psutil


class CpuTimes(NamedTuple):
    """Time of all CPUs together since the start of the machine, by use, in one unit (ticks or s).

    The uses are those of Telegraf's `cpu`. The kernel counts `guest` within `user` and `guest_nice` within `nice`
    too; here each is by itself, so that all add up to the whole.
    """

    user: float
    nice: float
    system: float
    idle: float
    iowait: float
    irq: float
    softirq: float
    steal: float
    guest: float
    guest_nice: float

    @classmethod
    def of_kernel(cls, fields: Sequence[float]) -> "CpuTimes":
        """From the kernel's fields in their order (proc(5)); older kernels have fewer."""
        times = cls(*(*fields, *(0.0,) * 10)[:10])
        return times._replace(user=times.user - times.guest, nice=times.nice - times.guest_nice)

    def shares_since(self, before: "CpuTimes") -> "CpuTimes | None":
        """What each use took of the time since `before`, as shares of 1; None when no time was counted.

        A use that went backwards, as iowait may (proc(5)), took nothing.
        """
        spent = [max(0.0, new - old) for new, old in zip(self, before, strict=True)]
        total = sum(spent)
        return CpuTimes(*(part / total for part in spent)) if total > 0 else None

    @property
    def load(self) -> float:
        """What was used: neither idle, nor taken away by the hypervisor (steal)."""
        return sum(self) - self.idle - self.iowait - self.steal


class CpuTimesReader(Protocol):
    """Reads the CPU times of now."""

    def read(self) -> CpuTimes:
        """The times of now; OSError when they cannot be read."""
        ...

    def close(self) -> None:
        """Release the file."""
        ...


def open_cpu_times(proc: Path = Path("/proc")) -> CpuTimesReader:
    """The reader that fits this machine."""
    return ProcCpuTimes(proc / "stat") if (proc / "stat").exists() else PsutilCpuTimes()


class ProcCpuTimes:
    """The first line of `/proc/stat`, from a file that stays open: a fifth of the cost of psutil."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY)

    def read(self) -> CpuTimes:
        """The times of now, in ticks; OSError when they cannot be read."""
        return parse_stat(os.pread(self._descriptor, 512, 0))

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


class PsutilCpuTimes:
    """psutil's CPU times, which lack some of the uses outside Linux."""

    def read(self) -> CpuTimes:
        """The times of now, in s."""
        times = psutil.cpu_times()
        return CpuTimes.of_kernel([getattr(times, use, 0.0) for use in CpuTimes._fields])

    def close(self) -> None:
        """Nothing is held."""


def parse_stat(content: bytes) -> CpuTimes:
    """The line of all CPUs, the first of `/proc/stat`.

    Raises:
        OSError: it is not there.
    """
    label, *fields = content.split(b"\n", 1)[0].split() or [b""]
    if label != b"cpu" or len(fields) < 4:
        raise OSError(f"/proc/stat begins with {content[:40]!r}, not with the times of all CPUs")
    return CpuTimes.of_kernel([float(field) for field in fields])
