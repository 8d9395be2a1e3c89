"""Telegraf's `cpu`, tag `cpu=cpu-total`: the share of time of each use since the reading before, in %."""

import math

from terrawatt.power.cputimes import CpuTimes, CpuTimesReader
from terrawatt.records import SeriesKey


class CpuReader:
    """CPU usage of the whole machine."""

    def __init__(self, host: str, times: CpuTimesReader) -> None:
        self.keys = tuple(SeriesKey.of("cpu", f"usage_{use}", host=host, cpu="cpu-total") for use in CpuTimes._fields)
        self._times = times
        self._before: CpuTimes | None = times.read()

    def read(self) -> tuple[float, ...]:
        """The usages in %; NaN when there was no reading before, or no time was counted since."""
        before, self._before = self._before, None
        try:
            self._before = self._times.read()
        except OSError:
            return (math.nan,) * len(self.keys)
        shares = self._before.shares_since(before) if before else None
        return tuple(100.0 * share for share in shares) if shares else (math.nan,) * len(self.keys)

    def close(self) -> None:
        """Release the file of the CPU times."""
        self._times.close()
