"""What a workload tells while it runs: its phases, to whoever measures it."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from terrawatt.records import Phase, Window
from terrawatt.runs.phases import PHASES_VARIABLE, append_phase


@dataclass(frozen=True, slots=True)
class PhaseReporter:
    """Appends each phase, when it has ended, to a file; to none where nobody measures."""

    path: Path | None = None

    @classmethod
    def from_environment(cls) -> "PhaseReporter":
        """The reporter to the file that the runner names in `TERRAWATT_PHASES`."""
        name = os.environ.get(PHASES_VARIABLE)
        return cls(Path(name) if name else None)

    @contextmanager
    def phase(self, name: str, epoch: int | None = None, *, start_ns: int | None = None) -> Iterator[None]:
        """A block as a phase; one that raises is not reported.

        Args:
            name: of the phase.
            epoch: its number, from 1, for phases of an epoch.
            start_ns: when the phase began, if before the block.
        """
        start_ns = start_ns or time.time_ns()
        yield
        if self.path is not None:
            end_ns = max(time.time_ns(), start_ns + 1)  # a clock of coarse steps may not have moved
            append_phase(self.path, Phase(name, Window(start_ns, end_ns), epoch=epoch))
