"""A folder that is made under another name, and gets its own when all is in it.

What is under way lies in `NAME.partial` beside it, where a lock keeps other processes out.
"""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from terrawatt.data.packformat import PARTIAL
from terrawatt.data.shard_work import RECORDS
from terrawatt.data.shards import TEMPORARY
from terrawatt.errors import PackError

LOCK: Final = "lock"


@contextmanager
def building(destination: Path) -> Iterator[Path]:
    """Make a folder: gives the one to write into, which the block renames in the end.

    Of a block that fails the folder is left behind only with complete shards, after which another packing goes on.

    Raises:
        PackError: the destination exists, another process makes it, or it cannot be written.
    """
    if destination.exists():
        raise PackError(f"{destination} exists already; name another folder, or delete it first")
    folder = destination.with_name(destination.name + PARTIAL)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PackError(f"another process is writing into {folder}; wait until it has ended") from None
        _remove_temporaries(folder)
        try:
            yield folder
        except OSError as error:
            advice = f"complete shards stay in {folder}, the same command goes on after them"
            hint = f"; {advice}" if has_shards(folder) else ""
            raise PackError(f"cannot write {error.filename or folder}: {error.strerror or error}{hint}") from None
        finally:
            _remove_temporaries(folder)
            if folder.exists() and not has_shards(folder):
                shutil.rmtree(folder)


@contextmanager
def building_at_once(destination: Path) -> Iterator[Path]:
    """Make a folder that is begun anew each time; it has its name after the block.

    Raises:
        PackError: as `building`; or the folder is that of a packing that can go on.
    """
    with building(destination) as folder:
        if has_shards(folder):
            raise PackError(f"{folder} is a packing that has not ended; name another folder, or delete it first")
        for file in folder.iterdir():  # of one that was killed
            if file.name != LOCK:
                file.unlink()
        yield folder
        folder.replace(destination)
    (destination / LOCK).unlink()


def has_shards(folder: Path) -> bool:
    """Whether shards of a packing that has not ended are complete."""
    return any(folder.glob(RECORDS))


def _remove_temporaries(folder: Path) -> None:
    """Of processes that were killed."""
    for file in folder.glob(f"*{TEMPORARY}"):
        file.unlink(missing_ok=True)
