"""The interface of a power source."""

from typing import Protocol

from terrawatt.records import SourceDescription


class PolledSource(Protocol):
    """A source that answers when it is asked: a counter, an HTTP device, an estimate, a replayed recording.

    The sampler asks each source in a thread of its own, at a fixed rate. A source that fails raises
    `errors.SourceError`; the sampler then records the reading as missing (NaN).
    """

    @property
    def description(self) -> SourceDescription:
        """What the readings mean, how exact they are, and the series that keeps them."""
        ...

    def read(self) -> float:
        """The present reading: W, or J for a counter.

        Raises:
            SourceError: there is no reading now; says why.
        """
        ...

    def close(self) -> None:
        """Release what the source holds."""
        ...
