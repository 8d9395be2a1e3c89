"""The budget of an uncertainty in words: each component, how large it is, and its share."""

import math
from dataclasses import dataclass

from terrawatt.report.content import CurveEnergy
from terrawatt.report.language import decimal, mark, say
from terrawatt.report.numbers import plain

_ABOUT = {
    mark("meter"): mark("accuracy of the meter"),
    mark("resolution"): mark("steps in which it shows power"),
    mark("sampling"): mark("what may happen between readings"),
    mark("timing"): mark("delay of the readings"),
    mark("gaps"): mark("time without readings"),
    mark("baseline"): mark("idle level"),
}

_NEGLIGIBLE = 1e-8  # of the variance: digits of it would tell nothing


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """One component: its standard uncertainty, and its share of the variance in percent; None where unknown."""

    name: str
    about: str
    u: str
    percent: float | None

    @property
    def share(self) -> str:
        """The share as text."""
        if self.percent is None:
            return "–"
        return say("< 1 %") if 0 < self.percent < 1 else f"{decimal(self.percent, '.0f')} %"


def budget_rows(energy: CurveEnergy) -> tuple[BudgetRow, ...]:
    """The components, the largest first; those whose size is unknown before all others."""
    total = math.fsum(part.u_j**2 for part in energy.budget)
    rows = []
    for part in sorted(energy.budget, key=lambda part: -math.inf if math.isnan(part.u_j) else -part.u_j):
        percent = 100 * part.u_j**2 / total if total > 0 else (None if math.isnan(total) else 0.0)
        rows.append(
            BudgetRow(say(part.name), say(_ABOUT.get(part.name, part.name)), _in_words(part.u_j, total), percent)
        )
    return tuple(rows)


def _in_words(u_j: float, total_j2: float) -> str:
    if math.isnan(u_j):
        return say("unknown")
    return "≈ 0" if 0 < u_j**2 < _NEGLIGIBLE * total_j2 else plain(u_j, 3)
