"""What is in a folder: an archive of BigEarthNet or a pack, in numbers."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from terrawatt.data.labels import LABELS_19, LABELS_43, mask_to_names
from terrawatt.data.pack import Pack
from terrawatt.data.packformat import FLAG_NO_CLASS, FLAGS, MANIFEST, SPLITS
from terrawatt.data.patch import Archive, Entry, PatchLabels, full_reads
from terrawatt.errors import PackError, PatchError

Progress = Callable[[int], None]


@dataclass(frozen=True)
class SplitInfo:
    """One split: patches that the lists name, that are on disk, and that training would use."""

    listed: int
    on_disk: int
    usable: int


@dataclass(frozen=True)
class DataInfo:
    """An archive or a pack in numbers.

    Attributes:
        kind: "archive" or "pack".
        version: "v1" or "v2".
        path: the folder of patches, of tiles, or the pack.
        patches: patches on disk.
        splits: by name.
        without_split: patches on disk that no list puts into a split.
        flagged: patches on disk by reason for leaving them out of the splits.
        unlisted: patches on disk that no list holds (v2: without labels, and so left out).
        label_counts: patches by label name, by number of labels (43, 19); v2 has no 43.
        problems: what is missing or broken, one line each.
        checked: whether every pixel was read (archive) or compared with its checksum (pack).
    """

    kind: str
    version: str
    path: Path
    patches: int
    splits: Mapping[str, SplitInfo]
    without_split: int
    flagged: Mapping[str, int]
    unlisted: int
    label_counts: Mapping[int, Mapping[str, int]]
    problems: tuple[str, ...]
    checked: bool


def is_pack(path: Path) -> bool:
    """Whether a folder is a pack, of whatever format version."""
    return (path / MANIFEST).is_file()


def describe_pack(pack: Pack, *, check: bool = False, progress: Progress | None = None) -> DataInfo:
    """Count what a pack holds.

    Args:
        pack: an open pack.
        check: compare all checksums.
        progress: called with the number of patches looked at so far.
    """
    problems: tuple[str, ...] = ()
    if check:
        try:
            pack.verify(progress)
        except PackError as error:
            problems = (str(error),)
    counts = {}
    for n_classes in (43, 19) if pack.version == "v1" else (19,):
        totals = pack.labels(n_classes).sum(axis=0, dtype=int)
        counts[n_classes] = {name: int(n) for name, n in zip(pack.class_names(n_classes), totals, strict=True)}
    manifest = pack.manifest
    splits = {
        split: SplitInfo(manifest.splits[split], manifest.splits[split], len(pack.rows(split))) for split in SPLITS
    }
    return DataInfo(
        kind="pack",
        version=pack.version,
        path=pack.path,
        patches=len(pack),
        splits=splits,
        without_split=manifest.splits["none"],
        flagged=manifest.flagged,
        unlisted=0,
        label_counts=counts,
        problems=problems,
        checked=check,
    )


def describe_archive(archive: Archive, *, check: bool = False, progress: Progress | None = None) -> DataInfo:
    """Count what an archive holds, and look for missing and broken files.

    Args:
        archive: an open archive.
        check: read all pixels; otherwise a band must only be there, and be read only when its file is suspiciously
            small.
        progress: called with the number of patches looked at so far.
    """
    labels: dict[str, PatchLabels] = {}
    problems = []
    with full_reads(archive) if check else archive.glances() as look:
        for done, entry in enumerate(archive.entries, 1):
            try:
                labels[entry.patch_id] = archive.labels(entry)
                look(entry)
            except PatchError as error:
                problems.append(str(error))
            if progress is not None:
                progress(done)
    flags = {entry.patch_id: _flags(entry, labels.get(entry.patch_id)) for entry in archive.entries}
    return DataInfo(
        kind="archive",
        version=archive.version,
        path=archive.root,
        patches=len(archive.entries),
        splits={split: _split_info(archive, split, flags) for split in SPLITS},
        without_split=sum(entry.split is None for entry in archive.entries),
        flagged={name: sum(1 for value in flags.values() if value & bit) for name, bit in FLAGS.items()},
        unlisted=len(archive.coverage.unlisted),
        label_counts=_label_counts(archive.version, labels.values()),
        problems=tuple(problems),
        checked=check,
    )


def _flags(entry: Entry, labels: PatchLabels | None) -> int:
    return entry.flags | (FLAG_NO_CLASS if labels is not None and not labels.mask_19 else 0)


def _split_info(archive: Archive, split: str, flags: Mapping[str, int]) -> SplitInfo:
    entries = [entry for entry in archive.entries if entry.split == split]
    usable = sum(flags[entry.patch_id] == 0 for entry in entries)
    return SplitInfo(archive.coverage.listed[split], len(entries), usable)


def _label_counts(version: str, labels: Iterable[PatchLabels]) -> dict[int, dict[str, int]]:
    """Patches by label name; all labels are there, also those that no patch has."""
    counts = {19: dict.fromkeys(LABELS_19, 0)}
    if version == "v1":
        counts = {43: dict.fromkeys(LABELS_43, 0), **counts}
    for found in labels:
        for name in mask_to_names(found.mask_19, LABELS_19):
            counts[19][name] += 1
        for name in mask_to_names(found.mask_43 or 0, LABELS_43):
            counts[43][name] += 1
    return counts
