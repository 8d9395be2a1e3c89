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


def check_files(folder: RunFolder, manifest: Manifest, *, is_shared_read: bool = True) -> Integrity:
    """Compare the files of a run with the checksums of its manifest; files that came later do not matter.

    Args:
        folder: of the run.
        manifest: of the run.
        is_shared_read: whether those that the scenarios of a sweep share are read too, or only looked for, because
            `with_shared` follows: they may hold gigabytes, and several processes need not all read them. Where
            anything else is not as it was they are read in any case.
    """
    found = Integrity(bool(manifest.checksums), *_compared(folder, manifest, are_shared=False))
    if is_shared_read or not found.is_intact or _lacks_shared(folder, manifest):
        return with_shared(found, folder, manifest)
    return found


def with_shared(found: Integrity, folder: RunFolder, manifest: Manifest) -> Integrity:
    """What was found, and what the checksums say of the files that the scenarios of a sweep share."""
    changed, missing = _compared(folder, manifest, are_shared=True)
    return Integrity(found.is_sealed, (*found.changed, *changed), (*found.missing, *missing))


def _compared(folder: RunFolder, manifest: Manifest, *, are_shared: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Files that were changed, and that are missing."""
    changed, missing = [], []
    for name, checksum in manifest.checksums.items():
        if _is_shared(name) is not are_shared:
            continue
        try:
            if (sha256_once if are_shared else sha256)(folder.path / name) != checksum:
                changed.append(name)
        except OSError:
            missing.append(name)
    return tuple(changed), tuple(missing)


def _lacks_shared(folder: RunFolder, manifest: Manifest) -> bool:
    return any(_is_shared(name) and not (folder.path / name).is_file() for name in manifest.checksums)


def _is_shared(name: str) -> bool:
    return name.startswith("../")


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
