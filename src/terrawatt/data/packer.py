"""Packing an archive: shards, by one process or several, then index, report and manifest.

The pack grows in `DST.partial` beside its destination and takes its name only when everything is on the disk. After a
kill, the shards that are complete stay: packing the same archive again goes on after them.
"""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pyarrow as pa

from terrawatt import __version__
from terrawatt.data import packformat
from terrawatt.data.band_sums import no_sums
from terrawatt.data.bands import RESOLUTIONS, Resolution
from terrawatt.data.building import LOCK, building, has_shards
from terrawatt.data.labels import LABELS_19, LABELS_43
from terrawatt.data.packformat import FORMAT_VERSION, SHARD_PATCHES, Manifest, Shard
from terrawatt.data.packreport import REPORT, PackReport
from terrawatt.data.patch import Archive
from terrawatt.data.shard_processes import worthwhile, write_in_processes
from terrawatt.data.shard_work import ShardTask, record_name, write_shard
from terrawatt.data.shards import ShardRecord, write_durably
from terrawatt.data.space import check_space
from terrawatt.errors import DataError, PackError

Progress = Callable[[int], None]

_PLAN = "plan.json"


@dataclass(frozen=True)
class PackResult:
    """What was packed.

    Attributes:
        path: the pack.
        patches: number of patches in it.
        resumed: how many of them were there already from an interrupted packing.
        n_bytes: size of its arrays.
        report: what was not packed; also in the pack's `report.json`.
        processes: how many wrote shards.
    """

    path: Path
    patches: int
    resumed: int
    n_bytes: int
    report: PackReport
    processes: int


@dataclass(frozen=True)
class Packing:
    """How to pack.

    Attributes:
        resolutions: the bands: `RESOLUTIONS`, or `RGB_RESOLUTIONS`.
        skip_broken: leave broken patches out and list them, instead of stopping at the first.
        shard_patches: patches a shard, at most 4,096.
        processes: how many write shards at the same time; None: as many as are worth their start, up to all cores.
    """

    resolutions: tuple[Resolution, ...] = RESOLUTIONS
    skip_broken: bool = False
    shard_patches: int = SHARD_PATCHES
    processes: int | None = 1

    @property
    def patch_bytes(self) -> int:
        """Bytes of the arrays of one patch."""
        return sum(resolution.patch_bytes for resolution in self.resolutions)


def pack_archive(
    archive: Archive, destination: Path, how: Packing | None = None, *, progress: Progress | None = None
) -> PackResult:
    """Write a pack of all patches of an archive that are on disk.

    Args:
        archive: the patches.
        destination: the pack's folder, which must not exist.
        how: bands, processes and so on; default: all bands in one process.
        progress: called with the number of patches done so far.

    Raises:
        PatchError: a broken patch, unless they are left out.
        PackError: the destination exists, cannot be written, has no room, or holds a packing begun from another list of
            patches.
        DataError: the archive holds no patch.
    """
    if not archive.entries:
        raise DataError(f"{archive.root} holds no patch that can be packed")
    with building(destination) as folder:
        build = _Build(archive, folder, how or Packing())
        build.check_plan()
        build.write_shards(progress or (lambda done: None))
        manifest, report = build.write_rest()
        folder.replace(destination)
    for scaffold in (LOCK, _PLAN, *(record_name(number) for number in build.numbers)):
        (destination / scaffold).unlink()
    n_bytes = sum(size for shard in manifest.shards for size in shard.files.values())
    return PackResult(destination, manifest.patches, build.resumed, n_bytes, report, build.processes)


@dataclass
class _Build:
    """A packing under way in its folder."""

    archive: Archive
    folder: Path
    how: Packing
    records: dict[int, ShardRecord] = field(default_factory=dict)
    resumed: int = 0
    processes: int = 1

    @property
    def numbers(self) -> range:
        """The shards."""
        return range(-(-len(self.archive.entries) // self.how.shard_patches))

    def check_plan(self) -> None:
        """Begin a packing, or make sure that the one begun there is the same."""
        digest = hashlib.sha256()
        for entry in self.archive.entries:
            digest.update(f"{entry.patch_id} {entry.split} {entry.flags}\n".encode())
        plan = {
            "format_version": FORMAT_VERSION,
            "bigearthnet_version": self.archive.version,
            "bands": packformat.bands_of(self.how.resolutions),
            "shard_patches": self.how.shard_patches,
            "patches": len(self.archive.entries),
            "entries_sha256": digest.hexdigest(),
        }
        file = self.folder / _PLAN
        text = json.dumps(plan)
        if has_shards(self.folder) and (not file.exists() or file.read_text(encoding="utf-8") != text):
            raise PackError(
                f"{self.folder} was begun from other patches, splits or flags than those of {self.archive.root} now, "
                "with other bands or by another version; delete it to begin anew"
            )
        write_durably(file, text)

    def write_shards(self, report: Progress) -> None:
        """Write the shards that are not there from before."""
        for number in self.numbers:
            record = ShardRecord.read(self.folder / record_name(number))
            if record is not None and (self.how.skip_broken or not record.skipped):
                self.records[number] = record
        missing = [number for number in self.numbers if number not in self.records]
        kept = sum(self._size(number) for number in self.records)
        self.resumed = sum(len(record.rows) for record in self.records.values())
        check_space(self.folder, sum(self._size(number) for number in missing), self.how.patch_bytes)
        report(kept)
        self.processes = self._processes([self._size(number) for number in missing])
        if self.processes > 1:
            write_in_processes(missing, self._task, self.processes, partial(_report_behind, report, kept))
            for number in missing:
                record = ShardRecord.read(self.folder / record_name(number))
                if record is None:
                    raise PackError(f"{self.folder}: shard {number} is gone; was it deleted while packing?")
                self.records[number] = record
            return
        for number in missing:
            self.records[number] = write_shard(self._task(number), partial(_report_behind, report, kept))
            kept += self._size(number)

    def write_rest(self) -> tuple[Manifest, PackReport]:
        """Write the index, the report of what is not in the pack, and the manifest."""
        records = [self.records[number] for number in self.numbers]
        rows = pa.concat_tables(record.rows for record in records).combine_chunks()
        if not len(rows):
            raise PackError(
                f"none of the {len(self.archive.entries)} patches of {self.archive.root} can be read; "
                "nothing was packed"
            )
        report = PackReport.of(self.archive, tuple(patch for record in records for patch in record.skipped))
        index = packformat.index_bytes(rows)
        manifest = self._manifest(records, rows, packformat.digest(index))
        write_durably(self.folder / packformat.INDEX, index)
        write_durably(self.folder / REPORT, report.to_json())
        write_durably(self.folder / packformat.MANIFEST, manifest.to_json())
        return manifest, report

    def _size(self, number: int) -> int:
        """Patches that a shard is made of, broken ones included."""
        return min(self.how.shard_patches, len(self.archive.entries) - number * self.how.shard_patches)

    def _processes(self, sizes: list[int]) -> int:
        """How many to start for shards of these sizes."""
        if self.how.processes is None:
            return worthwhile(sizes, len(os.sched_getaffinity(0)))
        return max(min(self.how.processes, len(sizes)), 1)

    def _task(self, number: int) -> ShardTask:
        first = number * self.how.shard_patches
        part = self.archive.part(self.archive.entries[first : first + self.how.shard_patches])
        return ShardTask(self.folder, number, part, self.how.resolutions, self.how.skip_broken)

    def _manifest(self, records: list[ShardRecord], rows: pa.Table, index_sha256: str) -> Manifest:
        sums = sum((record.sums for record in records), start=no_sums(self.how.resolutions))
        mean, std = sums.statistics(self.how.resolutions)
        version = self.archive.version
        return Manifest(
            bigearthnet_version=version,
            source=str(self.archive.root.resolve()),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            terrawatt=__version__,
            patches=len(rows),
            splits=packformat.count_splits(rows),
            flagged=packformat.count_flags(rows),
            skipped=sum(len(record.skipped) for record in records),
            bands=packformat.bands_of(self.how.resolutions),
            class_names={"19": LABELS_19} if version == "v2" else {"43": LABELS_43, "19": LABELS_19},
            band_mean=mean,
            band_std=std,
            statistics_patches=sums.patches,
            index_sha256=index_sha256,
            shards=tuple(Shard(len(record.rows), record.files, record.checksums) for record in records),
        )


def _report_behind(report: Progress, before: int, done: int) -> None:
    report(before + done)
