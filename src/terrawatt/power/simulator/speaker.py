"""What makes a simulated meter's readings known: over MQTT (`publisher`) or HTTP (`server`)."""

from typing import Protocol

from terrawatt.power.simulator.meter import MeterReading


class Speaker(Protocol):
    """Tells readings to the world."""

    @property
    def where(self) -> str:
        """Where they can be had, for people."""
        ...

    @property
    def sent(self) -> int:
        """How many messages or answers have left."""
        ...

    def start(self) -> None:
        """Connect, or listen.

        Raises:
            SourceError: it cannot be done; says why.
        """
        ...

    def say(self, reading: MeterReading) -> None:
        """Tell a reading as often as it has copies; returns at once."""
        ...

    def close(self) -> None:
        """End."""
        ...
