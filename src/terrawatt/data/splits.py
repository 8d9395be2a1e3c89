"""The official lists of BigEarthNet v1.0: which patch is in which split, and which ones to leave out.

One file a list, one patch a line: `train.csv`, `val.csv`, `test.csv`, and where they are there
`patches_with_seasonal_snow.csv`, `patches_with_cloud_and_shadow.csv`, `patches_with_no_19_class_targets.csv`; each
plain or as `.csv.bz2`, with either kind of line end. Lists with further columns (BigEarthNet-MM has the Sentinel-1
name in the second) are read by their first column.
"""

import bz2
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from terrawatt.data.packformat import FLAG_CLOUD, FLAG_NO_CLASS, FLAG_SNOW
from terrawatt.errors import DataError

_SPLIT_FILES = {"train": "train", "validation": "val", "test": "test"}
_FLAG_FILES = {
    "patches_with_seasonal_snow": FLAG_SNOW,
    "patches_with_cloud_and_shadow": FLAG_CLOUD,
    "patches_with_no_19_class_targets": FLAG_NO_CLASS,
}


@dataclass(frozen=True)
class SplitLists:
    """What the lists say.

    Attributes:
        split: by patch name.
        flags: bitmask of `packformat.FLAGS`, by patch name.
        duplicates: patches that a list of a split names again: name, and which list.
    """

    split: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, int] = field(default_factory=dict)
    duplicates: tuple[tuple[str, str], ...] = ()


def read_split_lists(folder: Path) -> SplitLists:
    """Read the lists of a folder.

    Raises:
        DataError: one of the three splits has no list, a list cannot be read, or a patch is in two splits.
    """
    split: dict[str, str] = {}
    duplicates: list[tuple[str, str]] = []
    for name, stem in _SPLIT_FILES.items():
        file = _find(folder, stem)
        if file is None:
            raise DataError(f"{folder} has no {stem}.csv or {stem}.csv.bz2; it must hold the lists train, val and test")
        for patch_id in _read_list(file):
            if split.get(patch_id, name) != name:
                raise DataError(f"{file}: patch {patch_id} is in two splits ({split[patch_id]} and {name})")
            if patch_id in split:
                duplicates.append((patch_id, f"listed twice in {file.name}"))
            split[patch_id] = name
    flags: dict[str, int] = {}
    for stem, flag in _FLAG_FILES.items():
        file = _find(folder, stem)
        for patch_id in _read_list(file) if file else ():
            flags[patch_id] = flags.get(patch_id, 0) | flag
    return SplitLists(split, flags, tuple(duplicates))


def has_split_lists(folder: Path) -> bool:
    """Whether a folder holds at least one of the three split lists."""
    return any(_find(folder, stem) for stem in _SPLIT_FILES.values())


def _find(folder: Path, stem: str) -> Path | None:
    return next((file for ending in (".csv", ".csv.bz2") if (file := folder / f"{stem}{ending}").is_file()), None)


def _read_list(file: Path) -> list[str]:
    try:
        content = file.read_bytes()
        text = (bz2.decompress(content) if file.suffix == ".bz2" else content).decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise DataError(f"{file} cannot be read as a list of patches: {error}") from None
    names = (line.partition(",")[0].strip() for line in text.splitlines())
    return [name for name in names if name]
