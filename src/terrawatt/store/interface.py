"""The interface of a store."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from terrawatt.records import Sample, Series, SeriesKey


class Store(Protocol):
    """Keeps series. One writer, any number of readers; a failed reading is kept as NaN."""

    def write(self, samples: Iterable[Sample]) -> int:
        """Commit samples together; a sample with the key and time of an earlier one replaces it. Returns how many."""
        ...

    def read(self, key: SeriesKey, start_ns: int | None = None, end_ns: int | None = None) -> Series:
        """The series between two times (both included; None: unbounded), sorted; empty when there is none."""
        ...

    def keys(self) -> Sequence[SeriesKey]:
        """All series."""
        ...

    def close(self) -> None:
        """Commit what is pending and release the store."""
        ...
