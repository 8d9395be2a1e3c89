"""What a reader of an archive yields, whatever the BigEarthNet version."""

import os
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from terrawatt.data.bands import BANDS, RESOLUTIONS, Resolution
from terrawatt.data.geotiff import BandReader
from terrawatt.data.packformat import FLAG_NO_CLASS, SPLITS
from terrawatt.errors import PatchError

ENDINGS = (".tif", ".tiff")


@dataclass(frozen=True, slots=True)
class Entry:
    """A patch on disk, with what the lists say about it; none of its files was opened.

    Attributes:
        patch_id: its name, also that of its folder.
        parent: the folder that holds its folder; one object for all patches in it, since there are 590,326.
        split: "train", "validation", "test", or None when no list names it.
        flags: bitmask of `packformat.FLAGS`.
    """

    patch_id: str
    parent: Path
    split: str | None = None
    flags: int = 0

    @property
    def folder(self) -> Path:
        """Where its bands are."""
        return self.parent / self.patch_id


@dataclass(frozen=True, slots=True)
class PatchLabels:
    """The labels of a patch as bitmasks; `mask_43` is None in v2, which has only the 19 classes."""

    mask_43: int | None
    mask_19: int


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """A patch with its pixels: uint16 arrays (bands, pixels, pixels), bands in the order of `RESOLUTIONS`."""

    entry: Entry
    labels: PatchLabels
    r10: NDArray[np.uint16]
    r20: NDArray[np.uint16]
    r60: NDArray[np.uint16]

    @property
    def flags(self) -> int:
        """The flags of its entry, and whether it has none of the 19 classes."""
        return all_flags(self.entry, self.labels)


def all_flags(entry: Entry, labels: PatchLabels) -> int:
    """The flags of a patch's entry, and whether it has none of the 19 classes."""
    return entry.flags | (0 if labels.mask_19 else FLAG_NO_CLASS)


PixelReader = Callable[[Entry, Sequence[NDArray[np.uint16]]], None]
"""Reads a patch into arrays in the order of resolutions, each (bands, pixels, pixels); raises PatchError."""


Glance = Callable[[Entry], None]
"""Looks whether a patch is there in full, without all of its pixels where that can be told; raises PatchError."""


@dataclass(frozen=True)
class Coverage:
    """How the lists of an archive and the folders on disk agree.

    Attributes:
        listed: patches that the lists name, by split.
        missing: names that the lists hold and the disk does not, by split.
        unlisted: names of patches on disk that no list holds.
        duplicates: patches that are twice on disk or in a list, of which the first counts: name, and where it is again.
    """

    listed: Mapping[str, int] = field(default_factory=dict)
    missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unlisted: tuple[str, ...] = ()
    duplicates: tuple[tuple[str, str], ...] = ()

    @property
    def n_missing(self) -> int:
        """Patches that are listed but not on disk."""
        return sum(len(names) for names in self.missing.values())


def subfolders(folder: Path) -> list[str]:
    """The names of the folders in a folder, sorted; quick also for the 590,326 of a whole archive."""
    with os.scandir(folder) as items:
        return sorted(item.name for item in items if item.is_dir())


def compare_with_disk(
    listed: Mapping[str, str],
    on_disk: list[str],
    also_known: Container[str] = (),
    duplicates: Iterable[tuple[str, str]] = (),
) -> Coverage:
    """Compare lists with folders.

    Args:
        listed: split by patch name.
        on_disk: names of the patches on disk.
        also_known: names that are on a list without a split.
        duplicates: what is there twice; see `Coverage`.
    """
    there = set(on_disk)
    count = dict.fromkeys(SPLITS, 0)
    missing: dict[str, list[str]] = {split: [] for split in SPLITS}
    for patch_id, split in listed.items():
        count[split] += 1
        if patch_id not in there:
            missing[split].append(patch_id)
    unlisted = tuple(name for name in on_disk if name not in listed and name not in also_known)
    return Coverage(count, {split: tuple(names) for split, names in missing.items()}, unlisted, tuple(duplicates))


class Archive(Protocol):
    """A BigEarthNet archive, or any part of one, on disk."""

    @property
    def version(self) -> str:
        """The string "v1" or "v2"."""
        ...

    @property
    def root(self) -> Path:
        """The folder that holds the patches (v1) or the tiles (v2)."""
        ...

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The patches on disk, by name."""
        ...

    @property
    def coverage(self) -> Coverage:
        """How lists and disk agree."""
        ...

    def labels(self, entry: Entry) -> PatchLabels:
        """The labels of a patch.

        Raises:
            PatchError: no labels, or one that is not known.
        """
        ...

    def part(self, entries: tuple[Entry, ...]) -> "Archive":
        """The same archive with some of its patches alone, to be given to another process."""
        ...

    def pixels(self, resolutions: tuple[Resolution, ...] = RESOLUTIONS) -> AbstractContextManager[PixelReader]:
        """What reads patches; only inside of the context, and in one thread."""
        ...

    def glances(self) -> AbstractContextManager[Glance]:
        """What finds broken patches, as quickly as the archive allows; likewise."""
        ...


@contextmanager
def tiff_pixels(resolutions: tuple[Resolution, ...] = RESOLUTIONS) -> Iterator[PixelReader]:
    """What reads patches that have a GeoTIFF for each band in their folder."""
    first, *others = ENDINGS

    def read(entry: Entry, arrays: Sequence[NDArray[np.uint16]]) -> None:
        start = f"{entry.parent}/{entry.patch_id}/{entry.patch_id}_"
        try:
            for resolution, array in zip(resolutions, arrays, strict=True):
                for band, out in zip(resolution.bands, array, strict=True):
                    try:
                        bands.read_into(f"{start}{band}{first}", entry.patch_id, out)
                    except FileNotFoundError:
                        _read_first(bands, entry, band, others, out)
        except OSError as error:
            raise PatchError(f"patch {entry.patch_id}: {error.filename} cannot be read: {error.strerror}") from None

    with BandReader() as bands:
        yield read


@contextmanager
def full_reads(archive: "Archive") -> Iterator[Glance]:
    """Looks at patches by reading all of their pixels."""
    arrays = [np.empty(resolution.shape, dtype=np.uint16) for resolution in RESOLUTIONS]
    with archive.pixels() as read:
        yield lambda entry: read(entry, arrays)


@contextmanager
def tiff_glances() -> Iterator[Glance]:
    """What finds missing and cut bands without reading the good ones: an uncompressed file exceeds its pixels."""

    def glance(entry: Entry) -> None:
        for band, file in band_files(entry).items():
            pixels = next(resolution.pixels for resolution in RESOLUTIONS if band in resolution.bands)
            if file.stat().st_size < 2 * pixels * pixels:
                try:
                    bands.read_into(str(file), entry.patch_id, np.empty((pixels, pixels), dtype=np.uint16))
                except OSError as error:
                    raise PatchError(f"patch {entry.patch_id}: {file} cannot be read: {error.strerror}") from None

    with BandReader() as bands:
        yield glance


def _read_first(bands: BandReader, entry: Entry, band: str, endings: Sequence[str], out: NDArray[np.uint16]) -> None:
    """Read the first of a band's files that is there."""
    for ending in endings:
        with suppress(FileNotFoundError):
            bands.read_into(f"{entry.folder}/{entry.patch_id}_{band}{ending}", entry.patch_id, out)
            return
    raise PatchError(_missing(entry, band))


def read_patch(archive: Archive, entry: Entry) -> Patch:
    """Read the labels and the twelve bands of a patch; for many patches open `archive.pixels()` once.

    Raises:
        PatchError: a band or the labels are missing or broken; names patch and file and says what is wrong.
    """
    labels = archive.labels(entry)
    arrays = [np.empty(resolution.shape, dtype=np.uint16) for resolution in RESOLUTIONS]
    with archive.pixels() as read:
        read(entry, arrays)
    return Patch(entry, labels, *arrays)


def band_files(entry: Entry) -> dict[str, Path]:
    """The files of a patch's twelve bands, by band name, `.tif` or `.tiff`.

    Raises:
        PatchError: a band is missing.
    """
    found = {}
    for band in BANDS:
        candidates = (entry.folder / f"{entry.patch_id}_{band}{ending}" for ending in ENDINGS)
        file = next((candidate for candidate in candidates if candidate.exists()), None)
        if file is None:
            raise PatchError(_missing(entry, band))
        found[band] = file
    return found


def _missing(entry: Entry, band: str) -> str:
    return f"patch {entry.patch_id}: band {band} is missing: no {entry.patch_id}_{band}.tif in its folder"
