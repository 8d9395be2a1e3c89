"""Energies by what was done with them, in words."""

import numpy as np

from terrawatt.analysis.derived import Derived, DerivedQuantity, DerivedValue
from terrawatt.report.numbers import mean_and_half_width, plain
from terrawatt.report.relations.statement import Statement
from terrawatt.report.scales import scale_for
from terrawatt.report.tables import Cell, Header, PageTable
from terrawatt.units import with_si_prefix

TITLE = "Energy per epoch, per image, per correct label"


def derived_statement(found: Derived) -> Statement:
    """The range of each quantity over the scenarios; the table has all values."""
    computed = [quantity for quantity in found.quantities if quantity.values]
    missing = [quantity for quantity in found.quantities if not quantity.values]
    said = [_range(quantity) for quantity in computed]
    said += [f"No energy per {quantity.name}: {quantity.reason}." for quantity in missing]
    definitions = "; ".join(f"per {quantity.name}: {quantity.definition}" for quantity in computed)
    assumptions = (
        f"{found.meter}. {definitions[:1].upper()}{definitions[1:]}. Mean over repetitions ± U (95 %, Student's t). "
        "For a phase U is from the scatter of the repetitions alone (its own budget is not in the table); what "
        "repetitions share (meter, idle level) is in U for the whole repetition."
    )
    return Statement(
        "derived", TITLE, tuple(said), assumptions, _table(computed) if computed else None, "Energy by what was done"
    )


def _range(found: DerivedQuantity) -> str:
    ordered = sorted(found.values, key=lambda value: value.value_j)
    least, most = ordered[0], ordered[-1]
    if len(ordered) == 1:
        return f"Per {found.name}: {_value(least)} (n = {least.n})."
    return f"Per {found.name}: from {_value(least)} ({least.label}) to {_value(most)} ({most.label})."


def _value(value: DerivedValue) -> str:
    if value.expanded_j is None:
        return f"{with_si_prefix(value.value_j, 'J')} without an interval ({value.reason})"
    return f"{with_si_prefix(value.value_j, 'J')} ± {with_si_prefix(value.expanded_j, 'J', 2)}"


def _table(computed: list[DerivedQuantity]) -> PageTable:
    labels = list(dict.fromkeys(value.label for quantity in computed for value in quantity.values))
    headers = [Header("Scenario", "the settings that differ", is_text=True), Header("n", "repetitions")]
    columns: list[dict[str, Cell]] = []
    counts = {value.label: str(value.n) for quantity in computed for value in quantity.values}
    for quantity in computed:
        scale = scale_for(np.array([value.value_j for value in quantity.values]), "J")
        headers.append(Header(f"per {quantity.name} ({scale.unit})", quantity.definition))
        columns.append({value.label: _cell(value, scale.divisor) for value in quantity.values})
    rows = tuple(
        (Cell(label), Cell(counts[label]), *(column.get(label, Cell("–")) for column in columns)) for label in labels
    )
    return PageTable(tuple(headers), rows)


def _cell(value: DerivedValue, divisor: float) -> Cell:
    mean = value.value_j / divisor
    text = plain(mean) if value.expanded_j is None else mean_and_half_width(mean, value.expanded_j / divisor)
    return Cell(text, f"{value.value_j:.9g}")
