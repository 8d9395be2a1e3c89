"""The interface of a power source: it is asked for readings, or sends them by itself.

One source gives one series or several, e.g. the power and the energy counter of one plug; the first is what its name
stands for. A source whose readings cannot be had raises `errors.SourceError`; it never gives 0 instead.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from terrawatt.records import Sample, SourceDescription

Take = Callable[[Sequence[Sample]], None]


class PolledSource(Protocol):
    """A source that answers when it is asked: a counter, an HTTP device, an estimate, a replayed recording.

    The sampler asks each source in a thread of its own, at a fixed rate. Readings that fail are recorded as missing
    (NaN).
    """

    @property
    def descriptions(self) -> tuple[SourceDescription, ...]:
        """What the readings mean, how exact they are, and the series that keep them; the main one first."""
        ...

    def read(self) -> tuple[float, ...]:
        """The present readings, one for each description: W, or J for a counter; NaN: this one is missing now.

        Raises:
            SourceError: there is no reading now; says why.
        """
        ...

    def close(self) -> None:
        """Release what the source holds. Called from another thread than `read`, perhaps during it."""
        ...


@runtime_checkable
class PushedSource(Protocol):
    """A source that sends readings when it likes: a plug that publishes over MQTT."""

    @property
    def descriptions(self) -> tuple[SourceDescription, ...]:
        """What the readings mean, how exact they are, and the series that keep them; the main one first."""
        ...

    def start(self, take: Take) -> None:
        """Begin to hand over readings as they come, from a thread of its own; returns when the source is connected.

        Args:
            take: takes samples of the described series; may be called from any thread, and returns at once.

        Raises:
            SourceError: it cannot be reached, or refuses; says why and what to do.
        """
        ...

    def close(self) -> None:
        """End, and release what the source holds."""
        ...


@runtime_checkable
class KeepsSession(Protocol):
    """A pushed source for which somebody else can keep what comes while it is away, as an MQTT broker does."""

    def keep_session(self) -> None:
        """Have it kept; before `start`. For the one lasting reader of a source: a second one would interrupt it."""
        ...


PowerSource = PolledSource | PushedSource
