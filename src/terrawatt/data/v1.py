"""BigEarthNet v1.0: one folder a patch, its labels in a JSON file beside the bands.

    BigEarthNet-v1.0/
      S2A_MSIL2A_20170613T101031_87_48/
        S2A_MSIL2A_20170613T101031_87_48_B01.tif … _B12.tif
        S2A_MSIL2A_20170613T101031_87_48_labels_metadata.json

Of the JSON only `labels` is needed; copies without coordinates are read as well. Splits come from lists of their own
(`splits.py`).
"""

import json
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from terrawatt.data.bands import RESOLUTIONS, Resolution
from terrawatt.data.labels import LABELS_43, mask_to_19, names_to_mask
from terrawatt.data.patch import (
    Coverage,
    Entry,
    Glance,
    PatchLabels,
    PixelReader,
    compare_with_disk,
    subfolders,
    tiff_glances,
    tiff_pixels,
)
from terrawatt.data.splits import SplitLists, has_split_lists, read_split_lists
from terrawatt.errors import PatchError, did_you_mean

LABELS_SUFFIX = "_labels_metadata.json"


@dataclass(frozen=True)
class ArchiveV1:
    """A folder of v1.0 patches, whole or in part; see `terrawatt.data.patch.Archive`."""

    root: Path
    entries: tuple[Entry, ...]
    coverage: Coverage
    version: str = "v1"

    @classmethod
    def open(cls, root: Path, splits: Path | None = None) -> "ArchiveV1":
        """List the patches of a folder.

        Args:
            root: the folder that holds the patches' folders.
            splits: folder of the lists; default: `splits` in `root` or beside it, when there is one.

        Raises:
            DataError: the lists cannot be read.
        """
        folder = splits or next(
            (near for near in (root / "splits", root.parent / "splits") if has_split_lists(near)), None
        )
        lists = read_split_lists(folder) if folder else SplitLists()
        names = [name for name in subfolders(root) if is_patch_name(name)]
        entries = tuple(Entry(name, root, lists.split.get(name), lists.flags.get(name, 0)) for name in names)
        return cls(root, entries, compare_with_disk(lists.split, names, lists.flags, lists.duplicates))

    def labels(self, entry: Entry) -> PatchLabels:
        """The labels in a patch's JSON file.

        Raises:
            PatchError: no such file, no labels in it, or one that is not among the 43.
        """
        return read_labels(entry)

    def part(self, entries: tuple[Entry, ...]) -> "ArchiveV1":
        """See `terrawatt.data.patch.Archive`."""
        return ArchiveV1(self.root, entries, Coverage())

    def pixels(self, resolutions: tuple[Resolution, ...] = RESOLUTIONS) -> AbstractContextManager[PixelReader]:
        """See `terrawatt.data.patch.Archive`."""
        return tiff_pixels(resolutions)

    def glances(self) -> AbstractContextManager[Glance]:
        """See `terrawatt.data.patch.Archive`."""
        return tiff_glances()


def is_patch_name(name: str) -> bool:
    """Whether a folder is named like a v1.0 patch: `S2A_MSIL2A_<time>_<column>_<row>`, the time of any length."""
    parts = name.split("_")
    return len(parts) == 5 and parts[0].startswith("S2") and parts[3].isdecimal() and parts[4].isdecimal()


def read_labels(entry: Entry) -> PatchLabels:
    """Read and check `<patch>_labels_metadata.json`.

    Raises:
        PatchError: the file is missing, is no JSON, has no labels, or a label that is not among the 43.
    """
    name = f"{entry.patch_id}{LABELS_SUFFIX}"
    where = f"patch {entry.patch_id}: {name}"
    try:
        with open(f"{entry.parent}/{entry.patch_id}/{name}", "rb", buffering=0) as file:  # noqa: PTH123 — 590,326 times
            content = json.loads(file.read())
    except FileNotFoundError:
        raise PatchError(f"{where} is missing") from None
    except OSError as error:
        raise PatchError(f"{where} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise PatchError(f"{where} is not JSON: {error}") from None
    labels = content.get("labels") if isinstance(content, dict) else None
    if not isinstance(labels, list) or not labels or not all(isinstance(label, str) for label in labels):
        raise PatchError(f"{where} has no labels: `labels` must be a list of names, with one at least")
    try:
        mask = names_to_mask(labels, LABELS_43)
    except KeyError as unknown:
        label = str(unknown.args[0])
        raise PatchError(f"{where} has an unknown label {label!r}.{did_you_mean(label, LABELS_43)}") from None
    return PatchLabels(mask, mask_to_19(mask))
