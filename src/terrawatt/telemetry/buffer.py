"""Samples on their way from the threads that read to the one that writes."""

import threading
from collections.abc import Sequence

from terrawatt.records import Sample

CAPACITY = 100_000  # about 20 MB: hours at 1 Hz, should the disk hold up the writer


class SampleBuffer:
    """A bounded, ordered buffer for many threads. What finds no room is counted, never waited for.

    Attributes:
        lost: how many samples found no room.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.lost = 0
        self._capacity = capacity
        self._samples: list[Sample] = []
        self._lock = threading.Lock()

    def put(self, samples: Sequence[Sample]) -> None:
        """Add samples, as far as there is room."""
        with self._lock:
            room = self._capacity - len(self._samples)
            self._samples.extend(samples[:room])
            self.lost += max(0, len(samples) - room)

    def drain(self) -> list[Sample]:
        """Take all samples out."""
        with self._lock:
            samples, self._samples = self._samples, []
        return samples
