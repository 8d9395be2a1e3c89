"""The interface of what reads a group of host series, and what stands in its place where there is no sensor."""

from dataclasses import dataclass
from typing import Protocol

from terrawatt.records import SeriesKey


class HostReader(Protocol):
    """Reads some series of this machine together."""

    @property
    def keys(self) -> tuple[SeriesKey, ...]:
        """The series."""
        ...

    def read(self) -> tuple[float, ...]:
        """One value for each key, in their order; NaN where it cannot be read now."""
        ...

    def close(self) -> None:
        """Release the files."""
        ...


@dataclass(frozen=True, slots=True)
class Missing:
    """Why there is no reader."""

    reason: str
