"""The interface of a device with energy counters, however they are read."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class CounterInfo:
    """One energy counter of a device.

    Attributes:
        label: what it counts, and of which device: `package-0`, `dram-0`, `gpu-1`.
        wrap_j: the range after which it begins at 0 again; None: it does not come to that.
        note: what one should know of it.
    """

    label: str
    wrap_j: float | None = None
    note: str = ""

    def is_named(self, name: str) -> bool:
        """Whether a name means this counter: its label, or its label without the number (`dram`)."""
        return name in (self.label, self.label.rpartition("-")[0])


class CounterBank(Protocol):
    """Counters that are read together."""

    @property
    def counters(self) -> tuple[CounterInfo, ...]:
        """What there is."""
        ...

    def read(self) -> tuple[float, ...]:
        """The energy counted so far, in J, one for each counter; NaN where it cannot be read now.

        Raises:
            SourceError: none of them can be read; says why.
        """
        ...

    def close(self) -> None:
        """Release the device."""
        ...
