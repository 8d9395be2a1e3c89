"""The page's two tables: a line a scenario, and a line a repetition."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from terrawatt.analysis.scenarios import ScenarioRows, scenario_rows
from terrawatt.analysis.statistics import describe, mean_with_uncertainty, numbers
from terrawatt.analysis.table import ColumnKind, Table
from terrawatt.report.language import localised, recorded, recorded_list, say, typeset
from terrawatt.report.numbers import mean_and_half_width, mean_and_sd, plain, unlocalised
from terrawatt.report.scales import common_uncertainty, display_name, quantity, standard_uncertainty

_LARGEST_WHOLE = 1e15  # above, a float no longer holds every whole number
_DESCRIBED = ("Duration", "Accuracy", "Recall", "micro_f1", "Emissions")


@dataclass(frozen=True, slots=True)
class Header:
    """The head of a column: its name with unit, what it is, and whether its cells are text."""

    label: str
    description: str
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: what is shown, and the number that it is sorted by (empty: by what is shown)."""

    text: str
    order: str = ""


@dataclass(frozen=True, slots=True)
class PageTable:
    """A table as the page shows it; the first cell of a row names the row.

    Attributes:
        headers: one a column.
        rows: cells, in the headers' order.
        remarks: what a reader must know of it.
    """

    headers: tuple[Header, ...]
    rows: tuple[tuple[Cell, ...], ...]
    remarks: tuple[str, ...] = ()


def scenario_table(table: Table, estimated: Sequence[str]) -> PageTable:
    """One line a scenario: net energy with its expanded uncertainty, and mean and spread of the rest.

    Args:
        table: without the values that must not be used.
        estimated: names of the sources that are estimates, not meters.
    """
    scenarios = scenario_rows(table)
    energies = [name for name in table.of_kind(ColumnKind.ENERGY) if _has_value(table, name)]
    described = [name for name in _DESCRIBED if name in table.frame and _has_value(table, name)]
    others = [name for name in table.of_kind(ColumnKind.PERFORMANCE) if _has_value(table, name)]
    described += others[:3] if not any(name in described for name in others) else []
    columns = [
        _Column(
            Header(say("Scenario"), say("the settings that differ"), is_text=True), [Cell(s.label) for s in scenarios]
        ),
        _counts(table, scenarios, [*energies, *described][:1]),
        *(_energies(table, name, scenarios, estimated) for name in energies),
        *(_means(table, name, scenarios) for name in described),
    ]
    remarks = dict.fromkeys(remark for column in columns for remark in column.remarks)
    rows = zip(*(column.cells for column in columns), strict=True)
    return PageTable(tuple(column.header for column in columns), tuple(rows), tuple(remarks))


def repetition_table(table: Table) -> PageTable:
    """One line a repetition, all columns that have a value."""
    names = [name for name in table.frame.columns if name in table.columns]
    texts = {name: [_cell(value) for value in table.frame[name].astype(object)] for name in names}
    shown = [name for name in names if any(texts[name])]
    headers = tuple(
        Header(table.label(name), recorded(table.columns[name].description), is_text=not _are_numbers(texts[name]))
        for name in shown
    )
    rows = tuple(
        zip(*(_localised(texts[name], header) for name, header in zip(shown, headers, strict=True)), strict=True)
    )
    empty = [name for name in names if name not in shown and table.columns[name].kind is not ColumnKind.VERDICT]
    return PageTable(
        headers, rows, (say("Columns without any value: {empty}.", empty=", ".join(empty)),) if empty else ()
    )


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of the scenario table."""

    header: Header
    cells: Sequence[Cell]
    remarks: Sequence[str] = ()


def _counts(table: Table, scenarios: Sequence[ScenarioRows], main: Sequence[str]) -> _Column:
    """How many repetitions each scenario has, and how many of them have the main column's value."""
    cells = []
    for scenario in scenarios:
        total = len(scenario.rows)
        used = int(np.isfinite(numbers(table, main[0])[scenario.rows]).sum()) if main else total
        cells.append(Cell(str(total) if used == total else say("{used} of {total}", used=used, total=total), str(used)))
    return _Column(Header("n", say("repetitions that are used, and how many there are")), cells)


def _energies(table: Table, name: str, scenarios: Sequence[ScenarioRows], estimated: Sequence[str]) -> _Column:
    """Mean ± U (95 %) of one source's net energy, by scenario."""
    shown = quantity(table, name)
    u, common = standard_uncertainty(table, name, shown.scale), common_uncertainty(table, name, shown.scale)
    cells, reasons = [], dict[str, list[str]]()
    for scenario in scenarios:
        rows = scenario.rows
        found = mean_with_uncertainty(shown.numbers[rows], u[rows], common[rows])
        if found.mean is None:
            cells.append(Cell("–"))
            continue
        text = plain(found.mean) if found.expanded is None else mean_and_half_width(found.mean, found.expanded)
        cells.append(Cell(text, f"{found.mean:.9g}"))
        if found.reason:
            reasons.setdefault(found.reason, []).append(scenario.label)
    source = name.removeprefix("Energy (").removesuffix(")")
    flag = say(", an estimate") if source in estimated else ""
    remarks = [
        typeset(f"{display_name(table, name)}: {recorded(reason)} ({_some(labels, len(scenarios))}).")
        for reason, labels in reasons.items()
    ]
    return _Column(
        Header(
            say("{title}{flag}: mean ± U", title=shown.title, flag=flag), say("mean, and expanded uncertainty, 95 %")
        ),
        cells,
        remarks,
    )


def _means(table: Table, name: str, scenarios: Sequence[ScenarioRows]) -> _Column:
    """Mean and standard deviation of one quantity, by scenario."""
    shown = quantity(table, name)
    title = f"{display_name(table, name)} ({shown.scale.unit})" if shown.scale.unit else display_name(table, name)
    cells, remarks = [], []
    for scenario in scenarios:
        found = describe(shown.numbers[scenario.rows])
        if found.mean is None:
            cells.append(Cell("–"))
            continue
        if found.sd is None:
            remarks.append(say("(–): one value has no standard deviation."))
        text = f"{plain(found.mean)} (–)" if found.sd is None else mean_and_sd(found.mean, found.sd)
        cells.append(Cell(text, f"{found.mean:.9g}"))
    return _Column(
        Header(say("{title}: mean (sd)", title=title), recorded(table.columns[name].description)), cells, remarks
    )


def _some(labels: Sequence[str], total: int) -> str:
    """A few of the scenarios' names."""
    if len(labels) == total:
        return say("all scenarios")
    return "; ".join(labels[:3]) + (say("; and {n_labels} more", n_labels=len(labels) - 3) if len(labels) > 3 else "")


def _has_value(table: Table, name: str) -> bool:
    return bool(np.isfinite(numbers(table, name)).any())


def _cell(value: Any) -> str:
    """A cell as text: whole numbers whole, others with up to five digits, missing ones empty."""
    if value is None or pd.isna(value):
        return ""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.number):
        return str(value)
    number = float(value)
    if number.is_integer() and abs(number) < _LARGEST_WHOLE:
        return str(int(number))
    text = unlocalised(number, 5)
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def _localised(texts: Sequence[str], header: Header) -> list[Cell]:
    """The cells of a column."""
    return [Cell(recorded_list(text) if header.is_text else localised(text)) for text in texts]


def _are_numbers(texts: Sequence[str]) -> bool:
    try:
        list(map(float, filter(None, texts)))
    except ValueError:
        return False
    return True
