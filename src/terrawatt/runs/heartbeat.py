"""`heartbeat.json`: that a run is under way, and how far it is; what `terrawatt status` reads.

It is replaced every few seconds while the run lasts, and at its end. It is for the eye: nothing is computed from it,
and it is not waited for on the disk, so that looking after a run does not disturb it.
"""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from terrawatt.errors import RunFolderError
from terrawatt.runs.status import State


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A run at one moment.

    Attributes:
        t_ns: the moment.
        host, pid: the machine, and the process that measures.
        state: of the run: running, done, failed or interrupted.
        scenarios: how many there are; `scenario` is the number of the present one, and `title` it in words.
        block: the present one; 1 where the order knows none.
        repetition: the one under way or that comes next; 0 at the end.
        step: `cold`, `warm-up`, `repetition`, `pause` or `idle`; empty at the end.
        step_start_ns: when it began.
        repetitions: how many are planned of all scenarios together; those that a narrow interval made needless count
            as ended.
        done, failed: how many of them ended, well or not; those left are `repetitions - done - failed`.
        source: the main power source; `power_w` its last reading, None where there is none now.
        energy_j: its gross energy in all repetitions that have ended, a running sum for the eye.
        left_s, left_j: time and gross energy of the repetitions that are left, by what was measured so far; None: not
            yet known.
    """

    t_ns: int
    host: str
    pid: int
    state: State
    scenarios: int
    scenario: int
    title: str
    block: int
    repetition: int
    step: str
    step_start_ns: int
    repetitions: int
    done: int
    failed: int
    source: str
    power_w: float | None
    energy_j: float
    left_s: float | None
    left_j: float | None


_adapter = TypeAdapter(Heartbeat)


def write_heartbeat(path: Path, beat: Heartbeat) -> None:
    """Replace the file; a disk that is full costs the heartbeat only."""
    temporary = path.with_name(f".{path.name}.tmp")
    with suppress(OSError):
        temporary.write_bytes(_adapter.dump_json(beat, indent=2) + b"\n")
        temporary.replace(path)


def read_heartbeat(path: Path) -> Heartbeat:
    """Read the last one.

    Raises:
        RunFolderError: there is none, or it is not a heartbeat.
    """
    try:
        return _adapter.validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise RunFolderError(f"{path.parent}: no {path.name}; the run is not one of this version") from error
    except (OSError, ValidationError) as error:
        raise RunFolderError(f"{path}: not a heartbeat ({type(error).__name__})") from error
