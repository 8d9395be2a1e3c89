"""Several packs, made in parts or on several machines, as one.

Shards are taken as they are: as further names of the same files where the disk allows it, else as copies, compared with
their checksums. Index and manifest are new; band statistics are pooled from those of the parts.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from operator import add
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from terrawatt import __version__
from terrawatt.data import packformat
from terrawatt.data.band_sums import BandSums, no_sums
from terrawatt.data.building import building_at_once
from terrawatt.data.checksums import crc32
from terrawatt.data.joinable import check_joinable
from terrawatt.data.pack import Pack
from terrawatt.data.packfiles import read_index
from terrawatt.data.packformat import Manifest, Part, Shard
from terrawatt.data.packreport import REPORT, PackReport
from terrawatt.data.shards import write_durably
from terrawatt.data.space import check_space
from terrawatt.errors import PackError

Progress = Callable[[int], None]

_BLOCK_BYTES: Final = 4 << 20


@dataclass(frozen=True)
class JoinResult:
    """What was joined: the pack's folder, its patches, and how many of them were copied, not linked."""

    path: Path
    patches: int
    copied: int


@dataclass(frozen=True)
class _Move:
    """A shard of a part and its number in the joined pack."""

    part: Path
    number: int
    new_number: int
    shard: Shard

    @property
    def files(self) -> dict[str, str]:
        """New names of its files, by old name."""
        old, new = (f"shard_{number:05d}_" for number in (self.number, self.new_number))
        return {name: name.replace(old, new, 1) for name in self.shard.files}

    def renamed(self) -> Shard:
        """It, with its files' new names."""
        files, sizes, checksums = self.files, self.shard.files, self.shard.checksums
        return Shard(
            self.shard.patches,
            {files[name]: size for name, size in sizes.items()},
            {files[name]: checksum for name, checksum in checksums.items()},
        )


def join_packs(
    packs: Sequence[Pack], destination: Path, *, other_statistics: bool = False, progress: Progress | None = None
) -> JoinResult:
    """Join packs into one, in their order.

    Args:
        packs: two at least.
        destination: the new pack's folder, which must not exist.
        other_statistics: also join packs whose band statistics cannot be those of one product.
        progress: called with the number of patches done so far.

    Raises:
        PackError: packs that do not belong together, see `check_joinable`; a damaged shard that had to be copied; or
            the destination exists, cannot be written or has no room.
    """
    difference = check_joinable(packs, other_statistics=other_statistics)
    moves = _moves(packs)
    with building_at_once(destination) as folder:
        not_linked = [move for move in moves if not _link(move, folder)]
        copied = sum(move.shard.patches for move in not_linked)
        check_space(folder, copied, sum(resolution.patch_bytes for resolution in packs[0].manifest.resolutions))
        done = sum(len(pack) for pack in packs) - copied
        for move in not_linked:
            _copy(move, folder)
            done += move.shard.patches
            (progress or (lambda done: None))(done)
        rows = _rows(packs)
        index = packformat.index_bytes(rows)
        report = _report(packs, rows)
        manifest = _manifest(
            packs, rows, packformat.digest(index), [move.renamed() for move in moves], report, difference
        )
        write_durably(folder / packformat.INDEX, index)
        write_durably(folder / REPORT, report.to_json())
        write_durably(folder / packformat.MANIFEST, manifest.to_json())
    return JoinResult(destination, len(rows), copied)


def _moves(packs: Sequence[Pack]) -> list[_Move]:
    shards = [(pack.path, number, shard) for pack in packs for number, shard in enumerate(pack.manifest.shards)]
    return [_Move(path, number, new_number, shard) for new_number, (path, number, shard) in enumerate(shards)]


def _link(move: _Move, folder: Path) -> bool:
    """Give the files of a shard a second name; False where the disk is another one, or does not do that."""
    try:
        for old, new in move.files.items():
            os.link(move.part / old, folder / new)
    except OSError:
        for new in move.files.values():
            (folder / new).unlink(missing_ok=True)
        return False
    return True


def _copy(move: _Move, folder: Path) -> None:
    """Copy the files of a shard, and see on the way that they are undamaged."""
    block = memoryview(bytearray(_BLOCK_BYTES))
    for old, new in move.files.items():
        checksum = 0
        with (move.part / old).open("rb", buffering=0) as source, (folder / new).open("wb", buffering=0) as copy:
            while n := source.readinto(block):
                checksum = crc32(block[:n], checksum)
                copy.write(block[:n])
            os.fsync(copy.fileno())
        if move.shard.checksums.get(old, checksum) != checksum:
            raise PackError(f"{move.part / old} is damaged: its checksum is wrong; pack the data again")


def _rows(packs: Sequence[Pack]) -> pa.Table:
    """The rows of the indexes one after the other, with the shards' new numbers."""
    tables, first = [], 0
    column = packformat.SCHEMA.get_field_index("shard")
    for pack in packs:
        table = read_index(pack.path, pack.manifest)
        shard = pa.array(table["shard"].to_numpy() + np.int32(first), pa.int32())
        tables.append(table.set_column(column, packformat.SCHEMA.field("shard"), shard))
        first += len(pack.manifest.shards)
    return pa.concat_tables(tables).combine_chunks()


def _report(packs: Sequence[Pack], rows: pa.Table) -> PackReport:
    """What none of the packs has."""
    whole = reduce(add, (PackReport.read(pack.path / REPORT) for pack in packs))
    return whole.but(set(rows["patch_id"].to_pylist()))


def _manifest(
    packs: Sequence[Pack],
    rows: pa.Table,
    index_sha256: str,
    shards: list[Shard],
    report: PackReport,
    difference: str | None,
) -> Manifest:
    first = packs[0].manifest
    sums = sum((_sums(pack.manifest) for pack in packs), start=no_sums(first.resolutions))
    mean, std = sums.statistics(first.resolutions)
    earlier = [pack.manifest.other_statistics for pack in packs]
    remarks = list(dict.fromkeys(remark for remark in (*earlier, difference) if remark))
    return Manifest(
        bigearthnet_version=first.bigearthnet_version,
        source="; ".join(dict.fromkeys(pack.manifest.source for pack in packs)),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        terrawatt=__version__,
        patches=len(rows),
        splits=packformat.count_splits(rows),
        flagged=packformat.count_flags(rows),
        skipped=len(report.broken),
        bands=first.bands,
        class_names=first.class_names,
        band_mean=mean,
        band_std=std,
        statistics_patches=sums.patches,
        index_sha256=index_sha256,
        shards=tuple(shards),
        parts=tuple(part for pack in packs for part in _parts(pack.manifest)),
        other_statistics="; ".join(remarks) or None,
    )


def _sums(manifest: Manifest) -> BandSums:
    if manifest.band_mean is None or manifest.band_std is None:
        return no_sums(manifest.resolutions)
    patches = manifest.statistics_patches
    return BandSums.of_statistics(manifest.band_mean, manifest.band_std, patches, manifest.resolutions)


def _parts(manifest: Manifest) -> tuple[Part, ...]:
    """Where a pack comes from: itself, or what it was joined from."""
    itself = Part(manifest.source, manifest.created, manifest.terrawatt, manifest.patches, manifest.index_sha256)
    return manifest.parts or (itself,)
