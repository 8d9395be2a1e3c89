"""Some cells of one row, and what is to be said of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from terrawatt.records import Scalar, Verdict


@dataclass(frozen=True, slots=True)
class Cells:
    """Values by column; a column that is not there is empty, and a verdict says why."""

    values: Mapping[str, Scalar | None] = field(default_factory=dict)
    verdicts: tuple[Verdict, ...] = ()

    @classmethod
    def joined(cls, parts: Iterable["Cells"]) -> "Cells":
        """The cells of several parts of a row."""
        parts = list(parts)
        values = {name: value for part in parts for name, value in part.values.items()}
        return cls(values, tuple(verdict for part in parts for verdict in part.verdicts))
