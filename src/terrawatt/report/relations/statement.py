"""One result in words."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from terrawatt.analysis.statistics import LeftOut
from terrawatt.report.language import say_n
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


def left_out_scenarios(left_out: Iterable[LeftOut]) -> list[str]:
    """A sentence for each reason why scenarios are left out, with their number."""
    ordered = sorted(left_out, key=lambda one: one.reason)
    counts = [(reason, len(list(group))) for reason, group in groupby(ordered, key=lambda one: one.reason)]
    return [
        say_n("Left out: {n} scenario ({reason}).", "Left out: {n} scenarios ({reason}).", n, n=n, reason=reason)
        for reason, n in counts
    ]
