"""Writing one shard of a pack: its three arrays, then a record that says they are complete.

Arrays are written patch by patch with ordinary writes: on a full disk a write to a memory map would end the process by
a signal, an ordinary write raises an error.
"""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from terrawatt.data.bands import RESOLUTIONS
from terrawatt.data.packformat import PIXEL_TYPE, SCHEMA, npy_header, patch_checksum, shard_file
from terrawatt.data.patch import Patch


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
        rows: values of the pack's index, one tuple a patch, in the order of `packformat.SCHEMA`.
        skipped: broken patches left out.
        pixel_sums: sum of the digital numbers of each band over the training patches, exact.
        square_sums: sum of their squares, exact.
        statistics_patches: number of those training patches.
    """

    files: Mapping[str, int]
    rows: tuple[tuple[Any, ...], ...]
    skipped: tuple[Skipped, ...]
    pixel_sums: tuple[int, ...]
    square_sums: tuple[int, ...]
    statistics_patches: int

    def to_json(self) -> str:
        """The text of the record's file."""
        return json.dumps(asdict(self))

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
            rows=tuple(tuple(row) for row in content["rows"]),
            skipped=tuple(Skipped(**skipped) for skipped in content["skipped"]),
            pixel_sums=tuple(content["pixel_sums"]),
            square_sums=tuple(content["square_sums"]),
            statistics_patches=content["statistics_patches"],
        )


class ShardWriter:
    """Appends patches to the arrays of one shard; as a context manager it deletes them when the block fails."""

    def __init__(self, folder: Path, number: int) -> None:
        self._folder = folder
        self._number = number
        self._rows: list[tuple[Any, ...]] = []
        self._skipped: list[Skipped] = []
        self._sums = [0] * sum(len(resolution.bands) for resolution in RESOLUTIONS)
        self._squares = list(self._sums)
        self._statistics_patches = 0
        self._files: dict[str, BinaryIO] = {}

    def __enter__(self) -> Self:
        for resolution in RESOLUTIONS:
            self._files[resolution.name] = self._temporary(resolution.name).open("wb")
            self._files[resolution.name].write(npy_header(0, resolution))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files.values():
            # Closed already by `finish`; after a failed write, closing tries the rest once more, and fails once more.
            with suppress(OSError):
                file.close()
        if error is not None:
            for resolution in RESOLUTIONS:
                self._temporary(resolution.name).unlink(missing_ok=True)

    def append(self, patch: Patch) -> None:
        """Write a patch at the shard's end."""
        for resolution, bands in zip(RESOLUTIONS, (patch.r10, patch.r20, patch.r60), strict=True):
            self._files[resolution.name].write(np.ascontiguousarray(bands, dtype=PIXEL_TYPE).data)
        row = {
            "patch_id": patch.entry.patch_id,
            "shard": self._number,
            "row": len(self._rows),
            "labels_43": patch.labels.mask_43,
            "labels_19": patch.labels.mask_19,
            "split": patch.entry.split,
            "flags": patch.flags,
            "crc32": patch_checksum(patch.r10, patch.r20, patch.r60),
        }
        self._rows.append(tuple(row[column] for column in SCHEMA.names))
        if patch.entry.split == "train" and not patch.flags:
            self._add_statistics((patch.r10, patch.r20, patch.r60))

    def skip(self, patch_id: str, reason: str) -> None:
        """Record a broken patch that is left out."""
        self._skipped.append(Skipped(patch_id, reason))

    def finish(self) -> ShardRecord:
        """Put the arrays in their places; the shard counts as complete when its record is written."""
        sizes = {}
        for resolution in RESOLUTIONS:
            file = self._files[resolution.name]
            file.seek(0)
            file.write(npy_header(len(self._rows), resolution))
            _sync(file)
            file.close()
            final = self._folder / shard_file(self._number, resolution.name)
            self._temporary(resolution.name).replace(final)
            sizes[final.name] = final.stat().st_size
        return ShardRecord(
            sizes,
            tuple(self._rows),
            tuple(self._skipped),
            tuple(self._sums),
            tuple(self._squares),
            self._statistics_patches,
        )

    def _add_statistics(self, arrays: tuple[NDArray[np.uint16], ...]) -> None:
        bands = [band.astype(np.int64) for array in arrays for band in array]
        for index, band in enumerate(bands):
            self._sums[index] += int(band.sum())
            self._squares[index] += int(np.vdot(band, band))
        self._statistics_patches += 1

    def _temporary(self, resolution: str) -> Path:
        return self._folder / f"{shard_file(self._number, resolution)}.tmp"


def write_durably(path: Path, content: str | bytes) -> None:
    """Write a small file, whole or not at all, and wait until it is on the disk."""
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
        _sync(file)
    temporary.replace(path)


def _sync(file: Any) -> None:
    file.flush()
    os.fsync(file.fileno())
