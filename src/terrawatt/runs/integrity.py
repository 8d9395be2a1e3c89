"""Whether a run's files are still those that were measured: its files against the checksums of its manifest."""

from dataclasses import dataclass

from terrawatt.errors import ChangedFilesError
from terrawatt.runs.atomic import sha256, sha256_once
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Integrity:
    """What the checksums say of a run's files.

    Attributes:
        is_sealed: whether there are checksums at all: a run writes them when it ends, also after Ctrl-C; a killed one
            has none.
        changed: files, relative to the folder, whose content is another one.
        missing: files that are gone, or cannot be read.
    """

    is_sealed: bool
    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def is_intact(self) -> bool:
        """Whether nothing speaks against the files; also where there are no checksums."""
        return not self.changed and not self.missing

    def in_words(self) -> str:
        """What is not as it was, in a few words: `changed: phases.jsonl; missing: times.txt`; empty when intact."""
        parts = {"changed": self.changed, "missing": self.missing}
        return "; ".join(f"{what}: {', '.join(files)}" for what, files in parts.items() if files)


def check_files(folder: RunFolder, manifest: Manifest) -> Integrity:
    """Compare the files of a run with the checksums of its manifest; files that came later do not matter."""
    changed, missing = [], []
    for name, checksum in manifest.checksums.items():
        try:
            path = folder.path / name
            if (sha256_once(path) if name.startswith("../") else sha256(path)) != checksum:
                changed.append(name)
        except OSError:
            missing.append(name)
    return Integrity(bool(manifest.checksums), tuple(changed), tuple(missing))


def require_intact(folder: RunFolder, integrity: Integrity) -> None:
    """Refuse files that are not those that were measured.

    Raises:
        ChangedFilesError: a file was changed or is gone; names it.
    """
    if not integrity.is_intact:
        raise ChangedFilesError(
            f"{folder.path}: {integrity.in_words()}, by the checksums in {folder.manifest.name}; put the files of the "
            "measurement back, or use what is there with --accept-changes"
        )
