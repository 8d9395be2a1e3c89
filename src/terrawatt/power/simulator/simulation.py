"""A simulated plug at work: a thread that reads the meter in real time, tells its readings, and writes the truth."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from terrawatt.errors import TerrawattError
from terrawatt.power.simulator.meter import MeterReading, MeterSettings, SimulatedMeter
from terrawatt.power.simulator.speaker import Speaker
from terrawatt.power.simulator.truth import TruePower, TruthWriter
from terrawatt.units import NS_PER_MS, ns_to_s

_LOOK_NS = 10 * NS_PER_MS  # between looks whether the power is switched
_TRUTH_NS = 100 * NS_PER_MS  # between rows of the truth


@dataclass(slots=True)
class Counts:
    """What became of the readings: taken, of these lost, doubled."""

    taken: int = 0
    lost: int = 0
    doubled: int = 0


@dataclass(slots=True)
class _Waiting:
    """Readings on their way, by the time of their arrival."""

    heap: list[tuple[int, int, MeterReading]] = field(default_factory=list)
    order: "itertools.count[int]" = field(default_factory=itertools.count)

    def put(self, reading: MeterReading) -> None:
        heapq.heappush(self.heap, (reading.arrival_ns, next(self.order), reading))

    def due(self, now_ns: int) -> list[MeterReading]:
        due = []
        while self.heap and self.heap[0][0] <= now_ns:
            due.append(heapq.heappop(self.heap)[2])
        return due


class Simulation:
    """One plug. A context manager that starts it, and ends it with the whole truth written.

    Attributes:
        meter: what takes its readings.
        speaker: what tells them.
        truth_file: what it truly drew.
        counts: what became of its readings.
        first_reading: set when the first reading was told.
    """

    def __init__(
        self,
        power: TruePower,
        settings: MeterSettings,
        speaker: Speaker,
        truth_file: Path,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.speaker = speaker
        self.truth_file = truth_file
        self.counts = Counts()
        self.first_reading = threading.Event()
        self._power = power
        self.meter = SimulatedMeter(power, settings)
        self._waiting = _Waiting()
        self._clock_ns = clock_ns
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="simulated plug", daemon=True)
        self._error: TerrawattError | None = None
        self._truth_due_ns = self._stepped_ns = power.start_ns

    def start(self) -> None:
        """Connect, and begin to read.

        Raises:
            SourceError: it cannot be told to anybody; says why.
        """
        self.speaker.start()
        self._truth = TruthWriter(self.truth_file, self._power)
        self._thread.start()

    def wait(self, duration_s: float | None = None) -> None:
        """Until it has ended by an error, or so long.

        Raises:
            TerrawattError: it has.
        """
        self._thread.join(duration_s)
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """End it."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()
            self._truth.write_until(self._stepped_ns)
            self._truth.close()
        self.speaker.close()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                now_ns = self._clock_ns()
                self.step(now_ns)
                self._stop.wait(max(0.0, ns_to_s(self._next_ns(now_ns) - self._clock_ns())))
        except TerrawattError as error:
            self._error = error

    def step(self, now_ns: int) -> None:
        """Do what is due."""
        self._power.watch(now_ns)
        if now_ns >= self.meter.next_ns():
            self._take(now_ns)
        for reading in self._waiting.due(now_ns):
            self.speaker.say(reading)
            self.first_reading.set()
        if now_ns >= self._truth_due_ns:
            self._truth.write_until(now_ns)
            self._truth_due_ns = now_ns + _TRUTH_NS
        self._stepped_ns = now_ns

    def _take(self, now_ns: int) -> None:
        reading = self.meter.take(now_ns)
        if self.meter.next_ns() <= now_ns:
            self.meter.skip_to(now_ns)
        if reading is not None:
            self.counts.taken += 1
            self.counts.lost += reading.copies == 0
            self.counts.doubled += reading.copies == 2
            self._waiting.put(reading)

    def _next_ns(self, now_ns: int) -> int:
        arrivals_ns = [self._waiting.heap[0][0]] if self._waiting.heap else []
        look_ns = now_ns + (_LOOK_NS if self._power.is_watched else _TRUTH_NS)
        return min(self.meter.next_ns(), look_ns, *arrivals_ns)

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        self.close()
