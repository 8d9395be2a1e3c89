"""The split file that a training uses, known by its content: it may be moved, or another take its name."""

from dataclasses import dataclass
from pathlib import Path

from terrawatt.errors import UsageError
from terrawatt.records import Scalar

_MARK = "@sha256:"
_DIGITS = 12


@dataclass(frozen=True, slots=True)
class SplitChoice:
    """A split file, and the first digits of its content's digest.

    As text `FILE@sha256:DIGITS`, which is refused once the file holds another split: the repetitions of a run read one.
    """

    path: Path
    digest: str

    def __str__(self) -> str:
        return f"{self.path}{_MARK}{self.digest}"


def read_choice(written: str, value: Scalar) -> SplitChoice:
    """A split file as it is named on the command line, or with its digest.

    Raises:
        UsageError: the file holds another split than the digest says.
        DataError: it is no file of a split.
    """
    from terrawatt.data.splitfile import read_provenance

    name, mark, digest = str(value).rpartition(_MARK)
    path = Path(name if mark else str(value))
    found = str(read_provenance(path)["sha256"])[:_DIGITS]
    if mark and digest != found:
        raise UsageError(f"{written}: {path} holds another split now, {found}; put the right file there")
    return SplitChoice(path, found)
