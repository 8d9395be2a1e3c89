"""Packing an archive: read patch by patch, write shards, index and manifest.

The pack grows in `DST.partial` beside its destination and takes its name only when everything is on the disk. After a
kill, the shards that are complete stay: packing the same archive again goes on after them.
"""

import fcntl
import hashlib
import json
import math
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from terrawatt import __version__
from terrawatt.data import packformat
from terrawatt.data.bands import RESOLUTIONS
from terrawatt.data.geotiff import reading
from terrawatt.data.labels import LABELS_19, LABELS_43
from terrawatt.data.packformat import FLAGS, FORMAT_VERSION, SCHEMA, SHARD_PATCHES, SPLITS, Manifest, Shard
from terrawatt.data.patch import Archive, Entry, read_patch
from terrawatt.data.shards import ShardRecord, ShardWriter, Skipped, write_durably
from terrawatt.errors import DataError, PackError, PatchError

Progress = Callable[[int], None]

SKIPPED = "skipped.txt"
_PLAN = "plan.json"
_LOCK = "lock"


@dataclass(frozen=True)
class PackResult:
    """What was packed.

    Attributes:
        path: the pack.
        patches: number of patches in it.
        resumed: how many of them were there already from an interrupted packing.
        skipped: broken patches left out; also listed in the pack's `skipped.txt`.
    """

    path: Path
    patches: int
    resumed: int
    skipped: tuple[Skipped, ...]


def pack_archive(
    archive: Archive,
    destination: Path,
    *,
    skip_broken: bool = False,
    shard_patches: int = SHARD_PATCHES,
    progress: Progress | None = None,
) -> PackResult:
    """Write a pack of all patches of an archive that are on disk.

    Args:
        archive: the patches.
        destination: the pack's folder, which must not exist.
        skip_broken: leave broken patches out and list them, instead of stopping at the first.
        shard_patches: patches a shard, at most 4,096.
        progress: called with the number of patches done so far.

    Raises:
        PatchError: a broken patch, unless `skip_broken`.
        PackError: the destination exists, cannot be written, or holds a packing begun from another list of patches.
        DataError: the archive holds no patch.
    """
    if destination.exists():
        raise PackError(f"{destination} exists already; name another folder, or delete it first")
    if not archive.entries:
        raise DataError(f"{archive.root} holds no patch that can be packed")
    partial = destination.with_name(destination.name + ".partial")
    partial.mkdir(parents=True, exist_ok=True)
    with _building(partial), reading():
        _check_plan(partial, archive, shard_patches)
        records, resumed = _write_shards(archive, partial, shard_patches, skip_broken, progress)
        _write_index_and_manifest(archive, partial, records)
        partial.replace(destination)
    for scaffold in (_LOCK, _PLAN, *(_record_name(number) for number in range(len(records)))):
        (destination / scaffold).unlink()
    patches = sum(len(record.rows) for record in records)
    return PackResult(destination, patches, resumed, _skipped(records))


@contextmanager
def _building(partial: Path) -> Iterator[None]:
    """Keep other processes out of the folder of a packing; leave none behind in which no shard is complete."""
    with (partial / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PackError(f"another process is packing into {partial}; wait until it has ended") from None
        try:
            yield
        except OSError as error:
            advice = f"complete shards stay in {partial}, the same command goes on after them"
            hint = f"; {advice}" if _has_shards(partial) else ""
            raise PackError(f"cannot write {error.filename or partial}: {error.strerror or error}{hint}") from None
        finally:
            if partial.exists() and not _has_shards(partial):
                shutil.rmtree(partial)


def _has_shards(partial: Path) -> bool:
    return (partial / _record_name(0)).exists()


def _record_name(number: int) -> str:
    return f"shard_{number:05d}.json"


def _check_plan(partial: Path, archive: Archive, shard_patches: int) -> None:
    """Begin a packing, or make sure that the one begun there is the same."""
    digest = hashlib.sha256()
    for entry in archive.entries:
        digest.update(f"{entry.patch_id} {entry.split} {entry.flags}\n".encode())
    plan = {
        "format_version": FORMAT_VERSION,
        "bigearthnet_version": archive.version,
        "shard_patches": shard_patches,
        "patches": len(archive.entries),
        "entries_sha256": digest.hexdigest(),
    }
    file = partial / _PLAN
    text = json.dumps(plan)
    if _has_shards(partial) and (not file.exists() or file.read_text(encoding="utf-8") != text):
        raise PackError(
            f"{partial} was begun from other patches, splits or flags than those of {archive.root} now; "
            "delete it to begin anew"
        )
    write_durably(file, text)


def _write_shards(
    archive: Archive, partial: Path, shard_patches: int, skip_broken: bool, progress: Progress | None
) -> tuple[list[ShardRecord], int]:
    """All shards, new or kept from before, and the number of patches in those that were kept."""
    records = []
    resumed = 0
    report = progress or (lambda done: None)
    for number, first in enumerate(range(0, len(archive.entries), shard_patches)):
        entries = archive.entries[first : first + shard_patches]
        file = partial / _record_name(number)
        record = ShardRecord.read(file)
        if record is not None and (skip_broken or not record.skipped):
            resumed += len(record.rows)
        else:
            with ShardWriter(partial, number) as writer:
                for done, entry in enumerate(entries, first):
                    report(done)
                    _copy_patch(archive, entry, writer, skip_broken)
                record = writer.finish()
            write_durably(file, record.to_json())
        records.append(record)
        report(first + len(entries))
    return records, resumed


def _copy_patch(archive: Archive, entry: Entry, writer: ShardWriter, skip_broken: bool) -> None:
    try:
        patch = read_patch(archive, entry)
    except PatchError as error:
        if not skip_broken:
            raise PatchError(f"{error}; repair it, or leave such patches out with --skip-broken") from None
        writer.skip(entry.patch_id, str(error))
    else:
        writer.append(patch)


def _write_index_and_manifest(archive: Archive, partial: Path, records: list[ShardRecord]) -> None:
    """Write the index, the list of skipped patches, and the manifest."""
    rows = [row for record in records for row in record.rows]
    if not rows:
        raise PackError(f"none of the {len(archive.entries)} patches of {archive.root} can be read; nothing was packed")
    skipped = _skipped(records)
    index = _index(rows)
    write_durably(partial / packformat.INDEX, index)
    if skipped:
        lines = [f"{patch.patch_id}\t{patch.reason}\n" for patch in skipped]
        write_durably(partial / SKIPPED, "".join(lines))
    write_durably(partial / packformat.MANIFEST, _manifest(archive, records, rows, index).to_json())


def _index(rows: list[tuple[Any, ...]]) -> bytes:
    """The content of index.parquet."""
    columns = list(zip(*rows, strict=True))
    arrays = [pa.array(column, type=field.type) for column, field in zip(columns, SCHEMA, strict=True)]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays(arrays, schema=SCHEMA), sink)
    return bytes(sink.getvalue())


def _manifest(archive: Archive, records: list[ShardRecord], rows: list[tuple[Any, ...]], index: bytes) -> Manifest:
    column = {name: [row[position] for row in rows] for position, name in enumerate(SCHEMA.names)}
    mean, std = _statistics(records)
    class_names = {"19": LABELS_19} if archive.version == "v2" else {"43": LABELS_43, "19": LABELS_19}
    return Manifest(
        bigearthnet_version=archive.version,
        source=str(archive.root.resolve()),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        terrawatt=__version__,
        patches=len(rows),
        splits={split: column["split"].count(split) for split in SPLITS} | {"none": column["split"].count(None)},
        flagged={name: sum(1 for flags in column["flags"] if flags & bit) for name, bit in FLAGS.items()},
        skipped=len(_skipped(records)),
        bands={resolution.name: resolution.bands for resolution in RESOLUTIONS},
        class_names=class_names,
        band_mean=mean,
        band_std=std,
        statistics_patches=sum(record.statistics_patches for record in records),
        index_sha256=packformat.digest(index),
        shards=tuple(Shard(len(record.rows), record.files) for record in records),
    )


def _statistics(records: list[ShardRecord]) -> tuple[tuple[float, ...] | None, tuple[float, ...] | None]:
    """Mean and (population) standard deviation of each band, from exact integer sums over the training patches."""
    patches = sum(record.statistics_patches for record in records)
    if not patches:
        return None, None
    pixels = [resolution.pixels**2 * patches for resolution in RESOLUTIONS for _ in resolution.bands]
    sums = [sum(values) for values in zip(*(record.pixel_sums for record in records), strict=True)]
    squares = [sum(values) for values in zip(*(record.square_sums for record in records), strict=True)]
    mean = tuple(total / n for total, n in zip(sums, pixels, strict=True))
    # n·Σx² − (Σx)² in integers: no digits are lost before the root.
    std = tuple(math.sqrt(n * square - total**2) / n for total, square, n in zip(sums, squares, pixels, strict=True))
    return mean, std


def _skipped(records: list[ShardRecord]) -> tuple[Skipped, ...]:
    return tuple(skipped for record in records for skipped in record.skipped)
