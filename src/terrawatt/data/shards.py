"""Writing one shard of a pack: its arrays, then a record that says they are complete.

Patches are read straight into the buffers of the files, where checksums and statistics are taken while the pixels are
in the processor's cache. Arrays are written with writes, not through memory maps: on a full disk a write to a memory
map would end the process by a signal, a write raises an error.
"""

import json
import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from terrawatt.data.band_sums import BandSums
from terrawatt.data.bands import Resolution
from terrawatt.data.blockfile import BlockFile
from terrawatt.data.checksums import Joiner, crc32
from terrawatt.data.packformat import PIXEL_TYPE, SCHEMA, npy_header, shard_file
from terrawatt.data.patch import Entry, PatchLabels, all_flags

TEMPORARY = ".tmp"


@dataclass(frozen=True)
class Skipped:
    """A broken patch that was left out, and what is wrong with it."""

    patch_id: str
    reason: str


@dataclass(frozen=True)
class ShardRecord:
    """A complete shard.

    Attributes:
        files: size in bytes by file name.
        checksums: CRC-32 by file name.
        rows: the shard's part of the pack's index, in the columns of `packformat.SCHEMA`.
        skipped: broken patches left out.
        pixel_sums: sum of the digital numbers of each band over the training patches, exact.
        square_sums: sum of their squares, exact.
        statistics_patches: number of those training patches.
    """

    files: Mapping[str, int]
    checksums: Mapping[str, int]
    rows: pa.Table
    skipped: tuple[Skipped, ...]
    pixel_sums: tuple[int, ...]
    square_sums: tuple[int, ...]
    statistics_patches: int

    @property
    def sums(self) -> BandSums:
        """What the statistics of its bands follow from."""
        return BandSums(self.statistics_patches, self.pixel_sums, self.square_sums)

    def to_json(self) -> str:
        """The text of the record's file."""
        content = {name: value for name, value in vars(self).items() if name not in ("rows", "skipped")}
        skipped = [asdict(patch) for patch in self.skipped]
        return json.dumps({**content, "rows": self.rows.to_pydict(), "skipped": skipped})

    @classmethod
    def read(cls, path: Path) -> "ShardRecord | None":
        """The record of a shard whose files are all there in full, else None."""
        try:
            content = json.loads(path.read_bytes())
        except (FileNotFoundError, ValueError):
            return None
        for name, size in content["files"].items():
            file = path.parent / name
            if not file.exists() or file.stat().st_size != size:
                return None
        return cls(
            files=content["files"],
            checksums=content["checksums"],
            rows=pa.Table.from_pydict(content["rows"], schema=SCHEMA),
            skipped=tuple(Skipped(**skipped) for skipped in content["skipped"]),
            pixel_sums=tuple(content["pixel_sums"]),
            square_sums=tuple(content["square_sums"]),
            statistics_patches=content["statistics_patches"],
        )


class ShardWriter:
    """Appends patches to the arrays of one shard; as a context manager it deletes them when the block fails.

    Each patch: read it into the arrays that `room` gives, then `append` it, or `skip` it.
    """

    def __init__(self, folder: Path, number: int, resolutions: tuple[Resolution, ...]) -> None:
        self._folder = folder
        self._number = number
        self._arrays = [_ArrayFile(self._temporary(resolution), resolution) for resolution in resolutions]
        self._open = ExitStack()
        self._columns: dict[str, list[Any]] = {name: [] for name in SCHEMA.names}
        self._skipped: list[Skipped] = []
        self._statistics_patches = 0

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            opened.callback(self._delete)
            for array in self._arrays:
                opened.enter_context(array)
            self._open = opened.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def room(self) -> list[NDArray[np.uint16]]:
        """Where the next patch belongs: one array (bands, pixels, pixels) a resolution."""
        return [array.room() for array in self._arrays]

    def append(self, entry: Entry, labels: PatchLabels) -> None:
        """Take what was put into `room` as the shard's next patch."""
        flags = all_flags(entry, labels)
        counts = entry.split == "train" and not flags
        checksum = 0
        for array in self._arrays:
            checksum = array.joiner.join(checksum, array.append(counts=counts))
        self._statistics_patches += counts
        row = (
            entry.patch_id,
            self._number,
            len(self._columns["row"]),
            labels.mask_43,
            labels.mask_19,
            entry.split,
            flags,
            checksum,
        )
        for column, value in zip(self._columns.values(), row, strict=True):
            column.append(value)

    def skip(self, patch_id: str, reason: str) -> None:
        """Record a broken patch that is left out."""
        self._skipped.append(Skipped(patch_id, reason))

    def finish(self) -> ShardRecord:
        """Put the arrays in their places; the shard counts as complete when its record is written."""
        sizes, checksums = {}, {}
        for array in self._arrays:
            name = shard_file(self._number, array.resolution.name)
            sizes[name], checksums[name] = array.finish()
            self._temporary(array.resolution).replace(self._folder / name)
        return ShardRecord(
            sizes,
            checksums,
            pa.Table.from_pydict(self._columns, schema=SCHEMA),
            tuple(self._skipped),
            tuple(int(total) for array in self._arrays for total in array.sums),
            tuple(int(total) for array in self._arrays for total in array.squares),
            self._statistics_patches,
        )

    def _delete(self) -> None:
        for array in self._arrays:
            self._temporary(array.resolution).unlink(missing_ok=True)

    def _temporary(self, resolution: Resolution) -> Path:
        # With the process's number: one that a kill of its parent left running for a moment disturbs no other.
        name = f"{shard_file(self._number, resolution.name)}.{os.getpid()}{TEMPORARY}"
        return self._folder / name


class _ArrayFile:
    """One array of a shard: its file, checksum and statistics."""

    def __init__(self, path: Path, resolution: Resolution) -> None:
        self.resolution = resolution
        self.joiner = Joiner(resolution.patch_bytes)
        self.sums = [0] * len(resolution.bands)
        self.squares = list(self.sums)
        self._values = np.empty(resolution.shape)
        self._path = path
        self._patches = 0
        self._checksum = 0

    def __enter__(self) -> Self:
        self._file = BlockFile(self._path, self.resolution.patch_bytes)
        header = npy_header(0, self.resolution)
        self._file.buffer[: len(header)] = header
        self._file.advance(len(header))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.__exit__(kind, error, trace)

    def room(self) -> NDArray[np.uint16]:
        return np.ndarray(self.resolution.shape, PIXEL_TYPE, self._file.buffer, self._file.filled)

    def append(self, *, counts: bool) -> int:
        """Take what was put into `room`; gives its checksum."""
        pixels = self.room()
        if counts:
            self._add_statistics(pixels)
        checksum = crc32(pixels.data)
        self._checksum = self.joiner.join(self._checksum, checksum)
        self._patches += 1
        del pixels
        self._file.advance(self.resolution.patch_bytes)
        return checksum

    def finish(self) -> tuple[int, int]:
        """Size and checksum of the file, which is then on the disk."""
        header = npy_header(self._patches, self.resolution)
        checksum = crc32(header)
        for _ in range(self._patches):
            checksum = self.joiner.join(checksum, 0)
        return self._file.finish(header), checksum ^ self._checksum

    def _add_statistics(self, pixels: NDArray[np.uint16]) -> None:
        # Exact in doubles: the squares of a band's 14,400 numbers below 2¹⁶ add up to less than 2⁵³.
        self._values[:] = pixels
        for band, values in enumerate(self._values.reshape(len(pixels), 2, -1)):
            first, second = values  # in halves, which BLAS takes no further threads for
            self.sums[band] += int(values.sum())
            self.squares[band] += int(np.dot(first, first)) + int(np.dot(second, second))


def write_durably(path: Path, content: str | bytes) -> None:
    """Write a small file, whole or not at all, and wait until it is on the disk."""
    temporary = path.with_name(f"{path.name}{TEMPORARY}")
    with temporary.open("wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
