"""What the quantities of a table have to do with each other, as `output_all.json` and the page have it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from terrawatt.analysis.meters import MeterLine, meter_line
from terrawatt.analysis.table import Table
from terrawatt.errors import AnalysisError


@dataclass(frozen=True, slots=True)
class Relations:
    """The results; one that a table does not allow is None, and `missing` says why.

    Attributes:
        meters: a meter's energy on CodeCarbon's.
        missing: attribute -> why it is None.
    """

    meters: MeterLine | None = None
    missing: Mapping[str, str] = field(default_factory=dict)


_ANALYSES: Mapping[str, Callable[[Table], object]] = {"meters": meter_line}


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
