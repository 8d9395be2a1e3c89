"""What an archive has, or should have, that its pack has not: `report.json` in the pack.

Nothing is left out in silence: each patch is named, with the reason.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from terrawatt.data.patch import Archive
from terrawatt.data.shards import Skipped
from terrawatt.errors import PackError

REPORT: Final = "report.json"


@dataclass(frozen=True)
class PackReport:
    """What was not packed.

    Attributes:
        broken: patches left out because a file of theirs is missing or damaged, or their labels are.
        duplicates: patches that are twice on disk or in a list, of which the first was packed: name, and where again.
        missing: patches that the lists name and the disk has not, by split.
        without_labels: patches on disk that no table has labels for (v2).
    """

    broken: tuple[Skipped, ...]
    duplicates: tuple[tuple[str, str], ...]
    missing: Mapping[str, tuple[str, ...]]
    without_labels: tuple[str, ...]

    @classmethod
    def of(cls, archive: Archive, broken: tuple[Skipped, ...]) -> "PackReport":
        """The report of an archive of which these patches could not be read."""
        coverage = archive.coverage
        unlisted = set(coverage.unlisted)
        packed = {entry.patch_id for entry in archive.entries if entry.patch_id in unlisted} if unlisted else set()
        return cls(broken, coverage.duplicates, coverage.missing, tuple(sorted(unlisted - packed)))

    @classmethod
    def read(cls, file: Path) -> "PackReport":
        """The report in a file; an empty one where there is none, as in packs of the first format.

        Raises:
            PackError: it cannot be read.
        """
        try:
            content = json.loads(file.read_bytes())
            return cls(
                tuple(Skipped(patch_id, reason) for patch_id, reason in content["broken"].items()),
                tuple((again["patch_id"], again["again"]) for again in content["duplicates"]),
                {split: tuple(names) for split, names in content["missing"].items()},
                tuple(content["without_labels"]),
            )
        except FileNotFoundError:
            return cls((), (), {}, ())
        except (ValueError, KeyError, TypeError, AttributeError):
            raise PackError(
                f"{file} is damaged: it is not the report of a packing; delete it to go on without"
            ) from None

    def __add__(self, other: "PackReport") -> "PackReport":
        splits = dict.fromkeys((*self.missing, *other.missing))
        names = {split: (*self.missing.get(split, ()), *other.missing.get(split, ())) for split in splits}
        return PackReport(
            self.broken + other.broken,
            self.duplicates + other.duplicates,
            {split: tuple(dict.fromkeys(found)) for split, found in names.items()},
            tuple(dict.fromkeys(self.without_labels + other.without_labels)),
        )

    def but(self, packed: Collection[str]) -> "PackReport":
        """Without the patches that were packed after all; one that is broken somewhere is not missing."""
        there = {*packed, *(broken.patch_id for broken in self.broken)}
        return PackReport(
            tuple(broken for broken in self.broken if broken.patch_id not in packed),
            self.duplicates,
            {split: tuple(name for name in names if name not in there) for split, names in self.missing.items()},
            tuple(name for name in self.without_labels if name not in packed),
        )

    @property
    def counts(self) -> dict[str, int]:
        """How many of each kind."""
        return {
            "missing": sum(len(names) for names in self.missing.values()),
            "broken": len(self.broken),
            "duplicates": len(self.duplicates),
            "without_labels": len(self.without_labels),
        }

    def to_json(self) -> str:
        """The text of `report.json`: counts, then names and reasons."""
        content = {
            "counts": self.counts,
            "broken": {patch.patch_id: patch.reason for patch in self.broken},
            "duplicates": [{"patch_id": patch_id, "again": again} for patch_id, again in self.duplicates],
            "without_labels": self.without_labels,
            "missing": self.missing,
        }
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
