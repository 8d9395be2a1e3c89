"""Readings that come late: where somebody else writes the series, those of the last window are awaited."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from terrawatt.errors import StoreError
from terrawatt.records import Semantics, SeriesKey
from terrawatt.runs.layout import RunFolder
from terrawatt.store.sqlite import SqliteStore
from terrawatt.telemetry.process import SamplerReport

_LOOK_S = 1.0
_PATIENCE_INTERVALS = 3


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What is awaited at the end of a scenario.

    Attributes:
        folder: into which the series are copied.
        keys: those that have a reading at least every so often; one on change may have none for long.
        delay_s: how long after its time a reading may come.
        patience_s: how long to wait at most.
    """

    folder: RunFolder
    keys: tuple[SeriesKey, ...]
    delay_s: float
    patience_s: float

    def wait(self, end_ns: int, sleep: Callable[[float], None]) -> tuple[SeriesKey, ...]:
        """Wait until each series has a reading behind a time. Returns those that have none.

        Readings come in the order of their times, so that then those before are there too.
        """
        missing = self.keys
        if not missing:
            sleep(self.delay_s)
        for _ in range(round(self.patience_s / _LOOK_S)):
            missing = self._missing(missing, end_ns)
            if not missing:
                break
            sleep(_LOOK_S)
        return missing

    def _missing(self, keys: Sequence[SeriesKey], end_ns: int) -> tuple[SeriesKey, ...]:
        try:
            with SqliteStore(self.folder.telemetry, read_only=True) as store:
                return tuple(key for key in keys if not len(store.read(key, end_ns)))
        except StoreError:  # it is being written; the next look tells
            return tuple(keys)


def arrivals(folder: RunFolder, report: SamplerReport) -> Arrivals | None:
    """What is to be awaited; None where terrawatt itself reads."""
    if not report.delay_s:
        return None
    regular = [source.series for source in report.sources if source.semantics is not Semantics.ON_CHANGE]
    patience_s = _PATIENCE_INTERVALS * (report.slowest_s + report.delay_s)
    return Arrivals(folder, (*regular, *report.host_series.values()), report.delay_s, patience_s)
