"""One shard's worth of packing: what a process is given, and what it does."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from terrawatt.data.bands import Resolution
from terrawatt.data.patch import Archive, Entry, PixelReader
from terrawatt.data.shards import ShardRecord, ShardWriter, write_durably
from terrawatt.errors import PatchError

Progress = Callable[[int], None]

_REPORTED = 32
"""Patches between two reports of progress."""


@dataclass(frozen=True)
class ShardTask:
    """A shard to be written.

    Attributes:
        folder: where to.
        number: of the shard.
        archive: the shard's patches alone.
        resolutions: the bands to pack.
        skip_broken: leave broken patches out instead of stopping.
    """

    folder: Path
    number: int
    archive: Archive
    resolutions: tuple[Resolution, ...]
    skip_broken: bool

    @property
    def record_file(self) -> Path:
        """Written last: there when the shard is complete."""
        return self.folder / record_name(self.number)


def record_name(number: int) -> str:
    """The name of the file that says that a shard is complete; of a number or a pattern of them."""
    return f"shard_{number:05d}.json"


RECORDS = "shard_*.json"


def write_shard(task: ShardTask, report: Progress) -> ShardRecord:
    """Write a shard and, when it is on the disk, its record.

    Args:
        task: the shard.
        report: called now and then with the number of its patches done so far.

    Raises:
        PatchError: a broken patch, unless they are left out.
        OSError: the shard cannot be written.
    """
    entries = task.archive.entries
    with (
        task.archive.pixels(task.resolutions) as read,
        ShardWriter(task.folder, task.number, task.resolutions) as writer,
    ):
        for done, entry in enumerate(entries):
            if done % _REPORTED == 0:
                report(done)
            _copy_patch(task, entry, read, writer)
        record = writer.finish()
    write_durably(task.record_file, record.to_json())
    report(len(entries))
    return record


def _copy_patch(task: ShardTask, entry: Entry, read: PixelReader, writer: ShardWriter) -> None:
    try:
        labels = task.archive.labels(entry)
        read(entry, writer.room())
    except PatchError as error:
        if not task.skip_broken:
            raise PatchError(f"{error}; repair it, or leave such patches out with --skip-broken") from None
        writer.skip(entry.patch_id, str(error))
    else:
        writer.append(entry, labels)
