"""Two estimates of one energy against each other: the integral of a power, and the difference of a counter.

Two numbers that mean the same differ by no more than their errors allow. Where they do, one of the two is not what it
is said to be: another semantics, another unit, lost readings, a counter that jumped.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass

from terrawatt.analysis.energy import EnergyValue
from terrawatt.records import Severity, Verdict

COVERAGE_FACTOR = 2.0  # k: the expanded uncertainty U = k u of the difference (JCGM 100:2008, 6.2)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How two estimates of one energy go together.

    Attributes:
        difference_j: the first less the second; NaN where it cannot be told.
        u_j: its standard uncertainty.
        share: the difference by the second; NaN where that is 0.
        reason: why it cannot be told, else empty.
    """

    difference_j: float
    u_j: float
    share: float
    reason: str = ""

    @property
    def disagrees(self) -> bool:
        """Whether the difference is beyond its expanded uncertainty; False where it cannot be told."""
        return not self.reason and abs(self.difference_j) > COVERAGE_FACTOR * self.u_j


def agreement(first: EnergyValue, second: EnergyValue, shared: Collection[str] = ()) -> Agreement:
    """Compare two estimates of the energy of one window.

    Args:
        first: e.g. the integral of the power.
        second: e.g. the difference of the counter.
        shared: components whose error is the same in both, so that it is not in their difference: `meter` where one
            meter makes both numbers out of the same samples. Without them the comparison is sharper.
    """
    for estimate in (first, second):
        if estimate.reason:
            return Agreement(math.nan, math.nan, math.nan, estimate.reason)
    parts = [part for estimate in (first, second) for part in estimate.budget if part.name not in shared]
    u_j = math.hypot(*(part.u_j for part in parts))
    unknown = [part.name for part in parts if math.isnan(part.u_j)]
    reason = f"the uncertainty of the {unknown[0]} is not known" if unknown else ""
    difference_j = first.energy_j - second.energy_j
    share = difference_j / second.energy_j if second.energy_j else math.nan
    return Agreement(difference_j, u_j, share, reason)


def agreement_verdict(found: Agreement, names: tuple[str, str], column: str) -> Verdict | None:
    """What is to be said of two estimates: nothing while they agree or cannot be compared.

    Args:
        found: their comparison.
        names: how the two are called, e.g. `plug` and `plug's counter`.
        column: the column of the table that gives the energy.
    """
    if not found.disagrees:
        return None
    by = f"{found.difference_j:+.3g} J" + ("" if math.isnan(found.share) else f", {found.share:+.1%}")
    message = f"{names[0]} and {names[1]} disagree ({by}; U = {COVERAGE_FACTOR * found.u_j:.2g} J)"
    advice = "see whether semantics, unit and interval of the source are set as its documentation says"
    return Verdict("estimates-disagree", Severity.DOUBTFUL, message, advice, column)
