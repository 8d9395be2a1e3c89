"""BigEarthNet, v1 or v2, in the LMDB that rico-hdl writes (`lmdb_format.py`), with its labels in a table.

    Encoded-BigEarthNet/
      data.mdb
    metadata.parquet            beside the folder, or in it; of v2 the official one

Such an LMDB has no labels. The table has the columns of v2's metadata: `patch_id` and `labels`, and where they are
there `split`, `contains_seasonal_snow`, `contains_cloud_or_shadow`. For v1 the labels are names of the 43, and the
official lists may tell the splits instead. A patch that is not in the table has no labels: it is counted as unlisted
and left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terrawatt.data.bands import RESOLUTIONS, Resolution
from terrawatt.data.label_table import NO_PART, read_label_table
from terrawatt.data.labels import LABELS_19, LABELS_43, mask_to_19
from terrawatt.data.lmdb_format import DATA, Tensors, decoder, reading, require_lmdb
from terrawatt.data.packformat import SPLITS
from terrawatt.data.patch import (
    Coverage,
    Entry,
    Glance,
    PatchLabels,
    PixelReader,
    compare_with_disk,
    full_reads,
)
from terrawatt.data.splits import read_split_lists
from terrawatt.data.v1 import is_patch_name as is_v1_name
from terrawatt.data.v2 import METADATA, SNOW_CLOUD_METADATA, no_lists
from terrawatt.data.v2 import is_patch_name as is_v2_name
from terrawatt.errors import DataError, PatchError


def is_lmdb(folder: Path) -> bool:
    """Whether a folder holds an LMDB."""
    return (folder / DATA).is_file()


@dataclass(frozen=True)
class ArchiveLmdb:
    """The Sentinel-2 patches of an LMDB; see `terrawatt.data.patch.Archive`."""

    root: Path
    version: str
    entries: tuple[Entry, ...]
    coverage: Coverage
    masks: Mapping[str, int] = field(repr=False)

    @classmethod
    def open(
        cls, root: Path, names: Sequence[str], version: str, metadata: Path, splits: Path | None = None
    ) -> "ArchiveLmdb":
        """Look the patches of an LMDB up in the table.

        Args:
            root: the folder that holds `data.mdb`.
            names: its patches of one version, see `names_in`.
            version: "v1" or "v2".
            metadata: the table; for v2 its snow and cloud companion is read too when it lies beside it.
            splits: v1: folder of the lists, which then count instead of the table's splits and flags.

        Raises:
            DataError: the table or the lists cannot be read, or say two things of one patch.
        """
        table, companion = _read_tables(metadata, version)
        known = table | companion
        duplicates: tuple[tuple[str, str], ...] = ()
        if splits is not None:
            lists = read_split_lists(splits)
            known = _Listed(known.masks, lists.split, lists.flags)
            table, duplicates = known, lists.duplicates
        labelled = [name for name in names if name in known.masks]
        coverage = compare_with_disk(table.split, list(names), known.masks, duplicates)
        return cls(
            root,
            version,
            tuple(Entry(name, root, known.split.get(name), known.flags.get(name, 0)) for name in labelled),
            replace(coverage, unlisted=tuple(name for name in names if name not in known.masks)),
            {name: known.masks[name] for name in labelled},
        )

    def labels(self, entry: Entry) -> PatchLabels:
        """The labels of a patch in the table.

        Raises:
            PatchError: none.
        """
        mask = self.masks[entry.patch_id]
        if not mask:
            raise PatchError(f"patch {entry.patch_id}: the table has no labels for it")
        return PatchLabels(mask, mask_to_19(mask)) if self.version == "v1" else PatchLabels(None, mask)

    def part(self, entries: tuple[Entry, ...]) -> "ArchiveLmdb":
        """See `terrawatt.data.patch.Archive`."""
        masks = {entry.patch_id: self.masks[entry.patch_id] for entry in entries}
        return ArchiveLmdb(self.root, self.version, entries, Coverage(), masks)

    def pixels(self, resolutions: tuple[Resolution, ...] = RESOLUTIONS) -> AbstractContextManager[PixelReader]:
        """See `terrawatt.data.patch.Archive`; each process opens the LMDB for itself."""
        return _lmdb_pixels(self.root, resolutions)

    def glances(self) -> AbstractContextManager[Glance]:
        """See `terrawatt.data.patch.Archive`; a value is looked at as a whole, which is quick."""
        return full_reads(self)


def open_lmdb(
    folder: Path, *, version: str | None = None, splits: Path | None = None, metadata: Path | None = None
) -> ArchiveLmdb:
    """Open the BigEarthNet in an LMDB; see `terrawatt.data.archive.open_archive`.

    Raises:
        DataError: it holds no patches, or of both versions; or it has no table, or one that cannot be read.
        UsageError: lists for v2.
    """
    names = names_in(folder)
    present = [each for each, found in names.items() if found]
    if not present:
        raise DataError(f"{folder / DATA} holds no Sentinel-2 patch of BigEarthNet")
    if version is None and len(present) > 1:
        raise DataError(
            f"{folder / DATA} holds patches of both versions; say which ones with --version v1 or --version v2"
        )
    chosen = version or present[0]
    if chosen not in present:
        raise DataError(f"{folder / DATA} holds BigEarthNet {present[0]}, not {chosen}")
    if chosen == "v2" and splits is not None:
        raise no_lists(folder)
    return ArchiveLmdb.open(folder, names[chosen], chosen, metadata or _find_metadata(folder), splits)


def names_in(folder: Path) -> dict[str, list[str]]:
    """The names of the Sentinel-2 patches in an LMDB, sorted, by version.

    Raises:
        DataError: it cannot be read.
    """
    found: dict[str, list[str]] = {"v1": [], "v2": []}
    with reading(folder) as environment, environment.begin() as transaction:
        for key in transaction.cursor().iternext(keys=True, values=False):
            name = key.decode("utf-8", errors="replace")
            if is_v1_name(name):
                found["v1"].append(name)
            elif is_v2_name(name):
                found["v2"].append(name)
    return found


def _find_metadata(folder: Path) -> Path:
    candidates = (folder / METADATA, folder.parent / METADATA)
    found = next((file for file in candidates if file.is_file()), None)
    if found is None:
        raise DataError(
            f"{folder} is an LMDB, which has no labels, and there is no {METADATA} in or beside it; "
            "name it with --metadata FILE"
        )
    return found


@dataclass(frozen=True)
class _Listed:
    """What a table says, by patch name."""

    masks: Mapping[str, int] = field(default_factory=dict)
    split: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, int] = field(default_factory=dict)

    def __or__(self, other: "_Listed") -> "_Listed":
        return _Listed({**self.masks, **other.masks}, {**self.split, **other.split}, {**self.flags, **other.flags})


def _read_tables(metadata: Path, version: str) -> tuple[_Listed, _Listed]:
    """The table, and its companion of patches with snow, cloud or shadow."""
    known = LABELS_43 if version == "v1" else LABELS_19
    table = _read_table(metadata, known)
    companion = metadata.with_name(SNOW_CLOUD_METADATA)
    if version == "v1" or not companion.is_file():
        return table, _Listed()
    flagged = _read_table(companion, known)
    if twice := table.masks.keys() & flagged.masks.keys():
        raise DataError(f"patch {min(twice)} is in both {metadata} and {companion.name}")
    return table, flagged


def _read_table(file: Path, known: tuple[str, ...]) -> _Listed:
    table = read_label_table(file, known=known)
    if not table.masks:
        raise DataError(f"{file} has no column labels; name a table that has them with --metadata FILE")
    names = table.patch_ids.to_pylist()
    return _Listed(
        dict(zip(names, table.masks[len(known)].tolist(), strict=True)),
        {name: SPLITS[part] for name, part in zip(names, table.parts, strict=True) if part != NO_PART},
        {name: flags for name, flags in zip(names, table.flags.tolist(), strict=True) if flags},
    )


@contextmanager
def _lmdb_pixels(root: Path, resolutions: tuple[Resolution, ...]) -> Iterator[PixelReader]:
    """What reads the values of patches."""
    decode, failed = decoder(), require_lmdb().Error
    with reading(root) as environment, environment.begin() as transaction:

        def read(entry: Entry, arrays: Sequence[NDArray[np.uint16]]) -> None:
            try:
                value = transaction.get(entry.patch_id.encode())
                tensors = decode(value) if value is not None else {}
            except ValueError as error:
                raise PatchError(
                    f"patch {entry.patch_id}: its value is not in the format safetensors: {error}"
                ) from None
            except failed as error:
                raise PatchError(f"patch {entry.patch_id}: {DATA} cannot be read: {error}") from None
            for resolution, array in zip(resolutions, arrays, strict=True):
                for band, out in zip(resolution.bands, array, strict=True):
                    out[:] = _band(tensors, band, out.shape, entry)

        yield read


def _band(tensors: Tensors, band: str, shape: tuple[int, ...], entry: Entry) -> NDArray[np.uint16]:
    where = f"patch {entry.patch_id}: band {band}"
    pixels = tensors.get(band)
    if pixels is None:
        raise PatchError(f"{where} is missing: {DATA} has {', '.join(sorted(tensors)) or 'nothing'} of it")
    if pixels.dtype != np.uint16:
        raise PatchError(f"{where} holds {pixels.dtype} instead of uint16")
    if pixels.shape != shape:
        raise PatchError(f"{where} has {' × '.join(map(str, pixels.shape))} pixels instead of {shape[0]} × {shape[1]}")
    return pixels.view(np.uint16)
