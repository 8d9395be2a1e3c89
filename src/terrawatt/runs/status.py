"""`status.json`: the state of a run and of each repetition; what a resume and `terrawatt status` read."""

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from terrawatt.errors import RunFolderError
from terrawatt.records import ExecutionResult
from terrawatt.runs.atomic import write_bytes


class State(StrEnum):
    """The state of a run or of a repetition."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class RepetitionStatus:
    """The state of one repetition and, when it has ended, how."""

    repetition: int
    state: State = State.PENDING
    result: ExecutionResult | None = None


@dataclass(frozen=True, slots=True)
class RunStatus:
    """The state of one scenario's run.

    `repetitions` are those that are planned here; of a launched sweep, whose parts are measured on many machines, one.
    """

    state: State
    repetitions: tuple[RepetitionStatus, ...]
    reason: str = ""
    format_version: int = 1

    @classmethod
    def pending(cls, repetitions: int) -> "RunStatus":
        """A run that has not begun."""
        return cls(State.PENDING, tuple(RepetitionStatus(number) for number in range(1, repetitions + 1)))

    def of(self, repetition: int) -> RepetitionStatus:
        """The state of one repetition."""
        return next(entry for entry in self.repetitions if entry.repetition == repetition)

    def with_state(self, state: State, reason: str = "") -> "RunStatus":
        """The same with another state of the run."""
        return replace(self, state=state, reason=reason)

    def with_repetition(self, status: RepetitionStatus) -> "RunStatus":
        """The same with another state of one repetition."""
        others = (status if entry.repetition == status.repetition else entry for entry in self.repetitions)
        return replace(self, repetitions=tuple(others))

    def without_pending(self) -> "RunStatus":
        """The same without the repetitions that have not begun, which stand at the end."""
        return replace(self, repetitions=tuple(entry for entry in self.repetitions if entry.state is not State.PENDING))


_adapter = TypeAdapter(RunStatus)


def write_status(path: Path, status: RunStatus) -> None:
    """Write the status, atomically."""
    write_bytes(path, _adapter.dump_json(status, indent=2) + b"\n")


def read_status(path: Path) -> RunStatus:
    """Read a status.

    Raises:
        RunFolderError: it is not there, or not a status.
    """
    try:
        return _adapter.validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise RunFolderError(f"{path.parent}: no {path.name}, so no run of terrawatt") from error
    except ValidationError as error:
        raise RunFolderError(f"{path}: not a status file ({error.errors()[0]['msg']})") from error
