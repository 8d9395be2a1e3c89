"""What becomes of the messages of one device: samples, or a count of why not. Knows no network.

The time of a reading is the device's own, or that of its arrival, for a whole source: the first reading decides, unless
the settings do. Two clocks in one series would put readings out of order.
"""

import logging
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from terrawatt.power.mqtt_devices import Feed, Timing
from terrawatt.power.payloads.reading import Parser, Quantity, Reading, Reason, Refusal, read
from terrawatt.records import Sample, Semantics, SourceDescription
from terrawatt.units import NS_PER_S

USED = "used"
_USUAL = (Reason.RETAINED, Reason.NO_READING)  # of a device that is well
_NOTABLE_OFFSET_S = 10.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Message:
    """What a broker sent.

    Attributes:
        topic: of those that were asked for.
        payload: anything.
        arrival_ns: when it came.
        is_retained: whether the broker kept it from before we asked for the topic: an old reading.
        may_have_waited: whether the broker may have kept it while we were away, so that its arrival says nothing.
    """

    topic: str
    payload: bytes
    arrival_ns: int
    is_retained: bool = False
    may_have_waited: bool = False


@dataclass(frozen=True, slots=True)
class Lateness:
    """How long after the device's own time its messages came, at least and at most, in s.

    Below 0 its clock is ahead of this machine's; at least, it is how far it is behind, if not the way took so long.
    """

    least_s: float
    greatest_s: float

    def __str__(self) -> str:
        return f"{self.least_s:.2f} to {self.greatest_s:.2f} s after the device's time"


class Intake:
    """Makes samples of messages.

    Attributes:
        descriptions: of the series, the main one first; whether they have the device's time is known once there is a
            reading.
        counts: what became of the messages so far: `used`, or the reason.
        lateness: of the messages with the device's time; None where there is none.
    """

    def __init__(self, descriptions: Sequence[SourceDescription], feeds: Sequence[Feed], timing: Timing) -> None:
        self.descriptions = tuple(descriptions)
        self.counts: Counter[str] = Counter()
        self.lateness: Lateness | None = None
        self._name = descriptions[0].name
        self._parsers: Mapping[str, Parser] = {feed.topic: feed.parse for feed in feeds}
        self._keys = {Quantity(description.series.field): description.series for description in descriptions}
        self._timing = timing
        self._is_clock_noted = False

    def take(self, message: Message) -> list[Sample]:
        """The samples of a message; none when it is refused, which is counted, and logged the first time."""
        found = self._readings(message)
        if isinstance(found, Refusal):
            self._count(found, message)
            return []
        self.counts[USED] += 1
        return [
            Sample(self._keys[reading.quantity], _time_ns(reading, message), reading.value)
            for reading in found
            if reading.quantity in self._keys
        ]

    def end_of_hold(self, t_ns: int) -> list[Sample]:
        """Missing readings (NaN), where a reading would otherwise hold until the next: nobody knows the power now."""
        return [
            Sample(description.series, t_ns, math.nan)
            for description in self.descriptions
            if description.semantics is Semantics.ON_CHANGE
        ]

    def summary(self) -> str:
        """What became of all messages, for the log."""
        dropped = [f"{count} {reason}" for reason, count in sorted(self.counts.items()) if reason != USED]
        came = f", {self.lateness}" if self.lateness else ""
        return (
            f"{self.counts.total()} messages, {self.counts[USED]} used{came}; dropped: {', '.join(dropped) or 'none'}"
        )

    def _readings(self, message: Message) -> tuple[Reading, ...] | Refusal:
        if message.is_retained:
            return Refusal(Reason.RETAINED)
        parse = self._parsers.get(message.topic)
        if parse is None:
            return Refusal(Reason.NO_READING, "it was not asked for")
        found = read(parse, message.payload, message.arrival_ns)
        if isinstance(found, Refusal):
            return found
        wanted = tuple(reading for reading in found if reading.quantity in self._keys)
        if not wanted:
            return Refusal(Reason.NO_READING, "only " + ", ".join(reading.quantity for reading in found))
        return self._timed(wanted, message)

    def _timed(self, readings: tuple[Reading, ...], message: Message) -> tuple[Reading, ...] | Refusal:
        """The readings, with the time that this source has; all of one message have the same."""
        device_ns = readings[0].t_ns
        if self._timing is Timing.AUTO and (device_ns is not None or not message.may_have_waited):
            self._decide(Timing.ARRIVAL if device_ns is None else Timing.DEVICE)
        if self._timing is Timing.DEVICE:
            if device_ns is None:
                return Refusal(Reason.NO_TIME)
            self._compare_clocks(device_ns, message)
            return readings
        if message.may_have_waited:
            return Refusal(Reason.WAITED)
        return tuple(replace(reading, t_ns=None) for reading in readings)

    def _decide(self, timing: Timing) -> None:
        self._timing = timing
        has_device_time = timing is Timing.DEVICE
        self.descriptions = tuple(replace(old, has_device_time=has_device_time) for old in self.descriptions)
        whose = "the device's own time" if has_device_time else "the time of their arrival"
        log.info("source %s: readings have %s", self._name, whose)

    def _compare_clocks(self, device_ns: int, message: Message) -> None:
        if message.may_have_waited:
            return
        late_s = (message.arrival_ns - device_ns) / NS_PER_S
        known = self.lateness or Lateness(late_s, late_s)
        self.lateness = Lateness(min(known.least_s, late_s), max(known.greatest_s, late_s))
        if abs(late_s) < _NOTABLE_OFFSET_S or self._is_clock_noted:
            return
        self._is_clock_noted = True
        log.warning(
            "source %s: the device's time is %.1f s %s this machine's; its readings have its own time. Set its clock, "
            "or use time = 'arrival'",
            self._name,
            abs(late_s),
            "behind" if late_s > 0 else "ahead of",
        )

    def _count(self, refusal: Refusal, message: Message) -> None:
        self.counts[refusal.reason] += 1
        if self.counts[refusal.reason] == 1:
            level = logging.INFO if refusal.reason in _USUAL else logging.WARNING
            detail = f": {refusal.detail}" if refusal.detail else ""
            what = "a message on %s is dropped (later ones like it are counted): %s%s"
            log.log(level, f"source %s: {what}", self._name, message.topic, refusal.reason, detail)


def _time_ns(reading: Reading, message: Message) -> int:
    return message.arrival_ns if reading.t_ns is None else reading.t_ns
