"""The scenarios of a table as a paper shows them: settings, repetitions, means with standard uncertainties."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from terrawatt.analysis.scenarios import ScenarioRows, scenario_rows
from terrawatt.analysis.statistics import describe, mean_with_uncertainty, numbers
from terrawatt.analysis.table import ColumnKind, Table
from terrawatt.report.export.brackets import in_brackets
from terrawatt.report.scales import common_uncertainty, display_name, quantity, standard_uncertainty

_OTHERS = ("Duration", "Emissions", "Accuracy", "Recall", "macro_f1", "micro_f1")
CAPTION = (
    "Means over n repetitions. In brackets: the standard uncertainty, in units of the last digit; of energies the "
    "combined one (meter, idle level, scatter), of all others that of the mean, from the scatter alone."
)


@dataclass(frozen=True, slots=True)
class PaperColumn:
    """A column: its title, its unit (may be empty), and a text a scenario; empty where there is no value."""

    title: str
    unit: str
    cells: tuple[str, ...]
    is_number: bool


@dataclass(frozen=True, slots=True)
class PaperTable:
    """A table of scenarios; `remarks` are what a reader must know of its numbers."""

    columns: tuple[PaperColumn, ...]
    remarks: tuple[str, ...]

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """The cells by scenario."""
        return list(zip(*(column.cells for column in self.columns), strict=True))


def paper_table(table: Table, estimated: Sequence[str] = ()) -> PaperTable:
    """The scenarios of a table.

    Args:
        table: without the values that must not be used.
        estimated: names of the sources that are estimates, not meters.
    """
    scenarios = scenario_rows(table)
    energies = [name for name in table.of_kind(ColumnKind.ENERGY) if _has_value(table, name)]
    others = [name for name in _OTHERS if name in table.frame and _has_value(table, name)]
    if not set(others) & set(table.of_kind(ColumnKind.PERFORMANCE)):
        others += [name for name in table.of_kind(ColumnKind.PERFORMANCE) if _has_value(table, name)][:3]
    columns = (
        *_settings(scenarios),
        _counts(table, scenarios, [*energies, *others][:1]),
        *(_energies(table, name, scenarios) for name in energies),
        *(_means(table, name, scenarios) for name in others),
    )
    sources = [name.removeprefix("Energy (").removesuffix(")") for name in energies]
    guessed = [source for source in sources if source in estimated]
    remarks = (CAPTION, *([f"Estimated, not measured: {', '.join(guessed)}."] if guessed else []))
    return PaperTable(columns, remarks)


def _settings(scenarios: Sequence[ScenarioRows]) -> list[PaperColumn]:
    """A column for each factor that differs; where none does, the scenario's name."""
    factors = list(scenarios[0].settings) if scenarios else []
    varying = [name for name in factors if len({scenario.settings[name] for scenario in scenarios}) > 1]
    if not varying:
        return [PaperColumn("Scenario", "", tuple(scenario.label for scenario in scenarios), is_number=False)]
    return [
        PaperColumn(name, "", tuple(_text(scenario.settings[name]) for scenario in scenarios), is_number=False)
        for name in varying
    ]


def _text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _counts(table: Table, scenarios: Sequence[ScenarioRows], main: Sequence[str]) -> PaperColumn:
    cells = []
    for scenario in scenarios:
        total = len(scenario.rows)
        used = int(np.isfinite(numbers(table, main[0])[scenario.rows]).sum()) if main else total
        cells.append(str(total) if used == total else f"{used} of {total}")
    return PaperColumn("n", "", tuple(cells), is_number=all(cell.isdigit() for cell in cells))


def _energies(table: Table, name: str, scenarios: Sequence[ScenarioRows]) -> PaperColumn:
    shown = quantity(table, name)
    u, common = standard_uncertainty(table, name, shown.scale), common_uncertainty(table, name, shown.scale)
    found = [mean_with_uncertainty(shown.numbers[one.rows], u[one.rows], common[one.rows]) for one in scenarios]
    cells = tuple("" if one.mean is None else in_brackets(one.mean, one.u) for one in found)
    return PaperColumn(display_name(table, name), shown.scale.unit, cells, is_number=True)


def _means(table: Table, name: str, scenarios: Sequence[ScenarioRows]) -> PaperColumn:
    shown = quantity(table, name)
    cells = []
    for scenario in scenarios:
        found = describe(shown.numbers[scenario.rows])
        u = None if found.sd is None else found.sd / math.sqrt(found.n)
        cells.append("" if found.mean is None else in_brackets(found.mean, u))
    return PaperColumn(display_name(table, name), shown.scale.unit, tuple(cells), is_number=True)


def _has_value(table: Table, name: str) -> bool:
    return bool(np.isfinite(numbers(table, name)).any())
