"""One result in words."""

from dataclasses import dataclass

from terrawatt.report.tables import PageTable


@dataclass(frozen=True, slots=True)
class Statement:
    """What the page says of one result.

    Attributes:
        name: of its place on the page.
        title: of its section.
        sentences: the result with its numbers.
        assumptions: what it rests on, and its n.
        table: the numbers behind it.
        caption: of the table.
        reason: why there is no result; empty when there is one.
    """

    name: str
    title: str
    sentences: tuple[str, ...]
    assumptions: str
    table: PageTable | None = None
    caption: str = ""
    reason: str = ""
