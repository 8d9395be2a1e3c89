"""Energies by what was done with them, in words."""

import numpy as np

from terrawatt.analysis.derived import Derived, DerivedQuantity, DerivedValue
from terrawatt.report.language import mark, recorded, say
from terrawatt.report.numbers import joules, mean_and_half_width, plain
from terrawatt.report.relations.statement import Statement
from terrawatt.report.scales import scale_for
from terrawatt.report.tables import Cell, Header, PageTable

TITLE = mark("Energy per epoch, per image, per correct label")


def derived_statement(found: Derived) -> Statement:
    """The range of each quantity over the scenarios; the table has all values."""
    computed = [quantity for quantity in found.quantities if quantity.values]
    missing = [quantity for quantity in found.quantities if not quantity.values]
    said = [_range(quantity) for quantity in computed]
    said += [say("No energy per {name}: {reason}.", name=quantity.name, reason=quantity.reason) for quantity in missing]
    definitions = "; ".join(
        say("per {name}: {definition}", name=quantity.name, definition=quantity.definition) for quantity in computed
    )
    assumptions = say(
        "{meter}. {upper}{definitions}. Mean over repetitions ± U (95 %, Student's t). For a "
        "phase U is from the scatter of the repetitions alone (its own budget is not in the "
        "table); what repetitions share (meter, idle level) is in U for the whole repetition.",
        meter=found.meter,
        upper=definitions[:1].upper(),
        definitions=definitions[1:],
    )
    return Statement(
        "derived",
        say(TITLE),
        tuple(said),
        assumptions,
        _table(computed) if computed else None,
        say("Energy by what was done"),
    )


def _range(found: DerivedQuantity) -> str:
    ordered = sorted(found.values, key=lambda value: value.value_j)
    least, most = ordered[0], ordered[-1]
    if len(ordered) == 1:
        return say("Per {name}: {least} (n = {n}).", name=found.name, least=_value(least), n=least.n)
    return say(
        "Per {name}: from {least} ({label}) to {most} ({label_2}).",
        name=found.name,
        least=_value(least),
        label=least.label,
        most=_value(most),
        label_2=most.label,
    )


def _value(value: DerivedValue) -> str:
    if value.expanded_j is None:
        return say("{value_j} without an interval ({reason})", value_j=joules(value.value_j), reason=value.reason)
    return f"{joules(value.value_j)} ± {joules(value.expanded_j, 2)}"


def _table(computed: list[DerivedQuantity]) -> PageTable:
    labels = list(dict.fromkeys(value.label for quantity in computed for value in quantity.values))
    headers = [Header(say("Scenario"), say("the settings that differ"), is_text=True), Header("n", say("repetitions"))]
    columns: list[dict[str, Cell]] = []
    counts = {value.label: str(value.n) for quantity in computed for value in quantity.values}
    for quantity in computed:
        scale = scale_for(np.array([value.value_j for value in quantity.values]), "J")
        headers.append(
            Header(say("per {name} ({unit})", name=quantity.name, unit=scale.unit), recorded(quantity.definition))
        )
        columns.append({value.label: _cell(value, scale.divisor) for value in quantity.values})
    rows = tuple(
        (Cell(label), Cell(counts[label]), *(column.get(label, Cell("–")) for column in columns)) for label in labels
    )
    return PageTable(tuple(headers), rows)


def _cell(value: DerivedValue, divisor: float) -> Cell:
    mean = value.value_j / divisor
    text = plain(mean) if value.expanded_j is None else mean_and_half_width(mean, value.expanded_j / divisor)
    return Cell(text, f"{value.value_j:.9g}")
