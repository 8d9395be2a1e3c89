"""What the quantities of a table have to do with each other, as `output_all.json` and the page have it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from terrawatt.analysis.correlation import Correlations, correlations
from terrawatt.analysis.derived import Derived, derived
from terrawatt.analysis.frugality import Frugality, frugality
from terrawatt.analysis.loadings import Components, components
from terrawatt.analysis.matched import Matched, matched
from terrawatt.analysis.meters import MeterLine, meter_line
from terrawatt.analysis.pareto import ParetoFront, pareto_front
from terrawatt.analysis.table import Table
from terrawatt.errors import AnalysisError


@dataclass(frozen=True, slots=True)
class Relations:
    """The results; one that a table does not allow is None, and `missing` says why.

    Attributes:
        pareto: the front of energy and performance.
        frugality: scores that weigh performance against energy.
        derived: energy per epoch, image, correct label.
        matched: scenarios that differ in one factor only.
        meters: a meter's energy on CodeCarbon's.
        correlations: between quantities.
        components: principal components.
        missing: attribute -> why it is None.
    """

    pareto: ParetoFront | None = None
    frugality: Frugality | None = None
    derived: Derived | None = None
    meters: MeterLine | None = None
    correlations: Correlations | None = None
    components: Components | None = None
    matched: Matched | None = None
    missing: Mapping[str, str] = field(default_factory=dict)


_ANALYSES: Mapping[str, Callable[[Table], object]] = {
    "pareto": pareto_front,
    "frugality": frugality,
    "derived": derived,
    "matched": matched,
    "meters": meter_line,
    "correlations": correlations,
    "components": components,
}


def relations(table: Table) -> Relations:
    """All results of a table without the values that must not be used."""
    found: dict[str, object] = {}
    missing: dict[str, str] = {}
    for name, analysis in _ANALYSES.items():
        try:
            found[name] = analysis(table)
        except AnalysisError as error:
            missing[name] = str(error)
    return Relations(**found, missing=missing)  # type: ignore[arg-type]
