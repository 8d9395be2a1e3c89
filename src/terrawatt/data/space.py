"""Is there room for what is going to be written? Asked before, and said with the sizes."""

import shutil
from pathlib import Path

from terrawatt.errors import PackError

_NAME_BYTES = 200
"""Of a patch in index, records and report, generously."""


def check_space(folder: Path, patches: int, patch_bytes: int) -> None:
    """See that a folder's disk has room for so many patches.

    Raises:
        PackError: it has not; says how much is needed and how much there is.
    """
    needed = patches * (patch_bytes + _NAME_BYTES)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise PackError(
            f"{folder.parent} has not the room: {patches:,} patches need {readable_bytes(needed)}, and "
            f"{readable_bytes(free)} are free; name a folder on another disk, or make "
            f"{readable_bytes(needed - free)} free"
        )


def readable_bytes(n: int) -> str:
    """A size in words, in powers of 1,000."""
    size, unit = float(n), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 999.5:
            break
        size, unit = size / 1_000, larger
    return f"{size:.3g} {unit}"
