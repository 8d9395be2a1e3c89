"""What an archive has, or should have, that its pack has not: `report.json` in the pack.

Nothing is left out in silence: each patch is named, with the reason.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from terrawatt.data.patch import Archive
from terrawatt.data.shards import Skipped

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
