"""The end of a log: what a program said last is usually why it failed."""

import os
from pathlib import Path

_TAIL_BYTES = 8192
_LINE_LENGTH = 200


def last_lines(log: Path, count: int, offset: int = 0) -> list[str]:
    """The last lines behind `offset`, without empty ones; long ones are cut."""
    with log.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(offset, size - _TAIL_BYTES))
        lines = [" ".join(line.split()) for line in file.read().decode("utf-8", "replace").splitlines()]
    return [line[:_LINE_LENGTH] for line in lines if line][-count:]
