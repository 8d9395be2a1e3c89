"""Threads that read at a fixed rate: one for the host's series, one for each power source that is polled.

Each has a thread of its own, so that a slow one (a plug over a bad network) delays no other. What a source sends by
itself goes into the same buffer.
"""

import logging
import math
import threading
from collections.abc import Callable, Sequence

from terrawatt.errors import SourceError
from terrawatt.power.source import KeepsSession, PolledSource, PushedSource
from terrawatt.records import Sample, SeriesKey
from terrawatt.telemetry.buffer import SampleBuffer
from terrawatt.telemetry.clocks import stamped, wall_minus_monotonic_s
from terrawatt.telemetry.host import HostSeries
from terrawatt.telemetry.own import clock_offset
from terrawatt.telemetry.schedule import Schedule, ticks

log = logging.getLogger(__name__)


class Poller(threading.Thread):
    """Takes samples at each deadline of its schedule and puts them into the buffer.

    Attributes:
        schedule: its deadlines, with the number of those that it missed.
        has_begun: whether its first samples are in the buffer.
    """

    def __init__(
        self,
        name: str,
        take: Callable[[], Sequence[Sample]],
        schedule: Schedule,
        buffer: SampleBuffer,
        stop: threading.Event,
    ) -> None:
        super().__init__(name=name, daemon=True)  # a hanging source does not keep the sampler from ending
        self.schedule = schedule
        self.has_begun = False
        self._take = take
        self._buffer = buffer
        self._stop_asked = stop

    def run(self) -> None:
        """Poll until asked to stop."""
        for _ in ticks(self.schedule, self._stop_asked):
            self._buffer.put(self._take())
            self.has_begun = True


class HostTaker:
    """Takes the samples of all host series, and of the clock: `terrawatt wall_minus_monotonic_s`."""

    def __init__(self, series: HostSeries, host: str) -> None:
        self._series = series
        self._clock = clock_offset(host)
        self._failing: set[SeriesKey] = set()

    def __call__(self) -> list[Sample]:
        """The samples of now, all with one time."""
        t_ns, values = stamped(self._series.read)
        values[self._clock] = wall_minus_monotonic_s()
        failing = {key for key, value in values.items() if math.isnan(value)}
        if failing != self._failing:
            log.warning("host series without a reading: %s", "; ".join(sorted(map(str, failing))) or "none any more")
        self._failing = failing
        return [Sample(key, t_ns, value) for key, value in values.items()]


class SourceTaker:
    """Takes the samples of one power source: NaN where it has no reading."""

    def __init__(self, source: PolledSource) -> None:
        self._source = source
        self._keys = [description.series for description in source.descriptions]
        self._name = source.descriptions[0].name
        self._failing = False

    def __call__(self) -> list[Sample]:
        """The samples of now, all with one time."""
        t_ns, values = stamped(self._read)
        return [Sample(key, t_ns, value) for key, value in zip(self._keys, values, strict=True)]

    def _read(self) -> tuple[float, ...]:
        try:
            values = self._source.read()
        except SourceError as error:
            if not self._failing:
                log.warning("source %s: no reading: %s", self._name, error)
            self._failing = True
            return (math.nan,) * len(self._keys)
        if self._failing:
            log.warning("source %s reads again", self._name)
        self._failing = False
        return values


class Arrivals:
    """The readings that one source sends by itself.

    Attributes:
        has_begun: whether its first samples are in the buffer.
    """

    def __init__(self, source: PushedSource, buffer: SampleBuffer) -> None:
        self.has_begun = False
        self.close = source.close
        self._source = source
        if isinstance(source, KeepsSession):
            source.keep_session()
        self._buffer = buffer

    def start(self) -> None:
        """Let the source begin.

        Raises:
            SourceError: it cannot be reached; says why.
        """
        self._source.start(self._take)

    def note_silence(self) -> None:
        """A line in the log where nothing has come yet."""
        if not self.has_begun:
            log.warning("source %s: connected, but no reading has come yet", self._source.descriptions[0].name)

    def _take(self, samples: Sequence[Sample]) -> None:
        self._buffer.put(samples)
        self.has_begun = True
