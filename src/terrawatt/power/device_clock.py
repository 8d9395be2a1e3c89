"""The clock of a meter against this machine's, where the meter tells its time."""

from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Protocol, runtime_checkable

from terrawatt.units import NS_PER_S


@dataclass(frozen=True, slots=True)
class ClockBounds:
    """Between which two values a device's clock minus this machine's lies, in s."""

    low_s: float
    high_s: float

    def narrowed(self, other: "ClockBounds") -> "ClockBounds":
        """What both say; the newer one where they contradict each other, since a clock was set then."""
        low_s, high_s = max(self.low_s, other.low_s), min(self.high_s, other.high_s)
        return ClockBounds(low_s, high_s) if low_s <= high_s else other


@runtime_checkable
class TellsTime(Protocol):
    """A source whose device tells its own time."""

    @property
    def clock(self) -> ClockBounds | None:
        """The device's clock against this machine's; None while it has not told it."""
        ...


def date_bounds(date: str, sent_ns: int, received_ns: int) -> ClockBounds | None:
    """What a header `Date`, which has whole seconds, says of the sender's clock; None where it says nothing.

    Args:
        date: the header.
        sent_ns: when the question left, by this machine's clock.
        received_ns: when the answer was there.
    """
    try:
        told = parsedate_to_datetime(date)
    except ValueError:
        return None
    if told.tzinfo is None:
        told = told.replace(tzinfo=UTC)
    told_s = told.timestamp()
    return ClockBounds(told_s - received_ns / NS_PER_S, told_s + 1.0 - sent_ns / NS_PER_S)
