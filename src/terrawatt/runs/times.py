"""`times.txt`: one ISO-8601 UTC timestamp with nanoseconds a line, as `date -u +%Y-%m-%dT%T.%9NZ` writes it.

Ours holds start and end of the cold period, then start and end of each repetition. In the older scripts' files the
end of one repetition is the start of the next, and the line after the cold period's start is the end of the warm-up.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from terrawatt.errors import RunFolderError
from terrawatt.records import Phase, PhaseName
from terrawatt.runs.atomic import write_text
from terrawatt.units import NS_PER_S

_TIME = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$")


def format_time(t_ns: int) -> str:
    """A time as `2026-01-31T12:00:00.000000001Z`."""
    seconds, rest = divmod(t_ns, NS_PER_S)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def parse_time(text: str) -> int:
    """The time in ns of such a text, exactly.

    Raises:
        ValueError: the text is not such a time.
    """
    found = _TIME.match(text.strip())
    if not found:
        raise ValueError(f"{text.strip()!r} is not a UTC time like 2026-01-31T12:00:00.000000001Z")
    seconds = int(datetime.fromisoformat(found[1]).replace(tzinfo=UTC).timestamp())
    return seconds * NS_PER_S + int((found[2] or "0").ljust(9, "0"))


def write_times(path: Path, phases: Sequence[Phase]) -> None:
    """Write the boundaries of the cold period and of the repetitions."""
    boundaries = [phase for phase in phases if phase.name in (PhaseName.COLD, PhaseName.REPETITION)]
    times = [t_ns for phase in boundaries for t_ns in (phase.window.start_ns, phase.window.end_ns)]
    write_text(path, "".join(f"{format_time(t_ns)}\n" for t_ns in times))


def read_times(path: Path) -> list[int]:
    """All times of a file, in ns; a missing newline at its end loses nothing.

    Raises:
        RunFolderError: a line is not a time; names file and line.
    """
    times = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            times.append(parse_time(line))
        except ValueError as error:
            raise RunFolderError(f"{path}, line {number}: {error}") from error
    return times
