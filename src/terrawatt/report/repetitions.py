"""All repetitions as the page holds them: the CSV text that it shows and gives away, and what to show of it first."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from terrawatt.analysis.main_columns import main_energy, main_scores
from terrawatt.analysis.scenarios import SEED, scenario_rows
from terrawatt.analysis.table import Column, ColumnKind, Table
from terrawatt.report.language import mark, recorded, recorded_list, say
from terrawatt.report.tables import PageTable, repetition_table

ROWS_WITHOUT_SCRIPTS = 50  # a browser without scripts shows them all at once; the CSV file has the rest

_GROUPS = {
    ColumnKind.IDENTITY: mark("Repetition"),
    ColumnKind.FACTOR: mark("Settings"),
    ColumnKind.ENERGY: mark("Energy"),
    ColumnKind.UNCERTAINTY: mark("Energy"),
    ColumnKind.GROSS: mark("Energy"),
    ColumnKind.PHASE: mark("Energy of phases"),
    ColumnKind.DERIVED: mark("Emissions"),
    ColumnKind.EMISSIONS: mark("Emissions"),
    ColumnKind.HOST: mark("Host"),
    ColumnKind.PERFORMANCE: mark("Performance"),
    ColumnKind.MODEL: mark("Model"),
    ColumnKind.VERDICT: mark("Verdict"),
}


@dataclass(frozen=True, slots=True)
class ChosenColumn:
    """A column of the CSV text, as the page offers it.

    Attributes:
        label: its name with unit.
        description: what it is.
        group: of the columns that it is offered with.
        is_text: whether its cells are words, shown as they are.
        is_empty: whether no repetition has a value.
        is_default: whether it is shown at first.
        words: cells that the page shows in another language than the record's.
    """

    label: str
    description: str
    group: str
    is_text: bool
    is_empty: bool
    is_default: bool
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Repetitions:
    """What the page's script makes the table of repetitions from.

    Attributes:
        csv: `output_all.csv`, to the byte.
        columns: in its order.
        scenarios: names.
        scenario_of: of each row, the position of its scenario.
        first: what a browser without scripts shows: all columns of the first rows.
    """

    csv: str
    columns: tuple[ChosenColumn, ...]
    scenarios: tuple[str, ...]
    scenario_of: tuple[int, ...]
    first: PageTable

    def data(self) -> dict[str, Any]:
        """What the script reads."""
        columns = [asdict(column) for column in self.columns]
        return {"csv": self.csv, "columns": columns, "scenarios": self.scenarios, "scenario_of": self.scenario_of}


def csv_text(table: Table) -> str:
    """The table as RFC 4180 has it: comma, CR LF, quotes where needed; all digits, missing values empty."""
    text: str = table.frame.to_csv(None, index=False, lineterminator="\r\n")
    return text


def repetitions(table: Table) -> Repetitions:
    """The data of the table of repetitions, and the columns that are shown at first."""
    shown = repetition_table(table)
    is_text = {header.label: header.is_text for header in shown.headers}
    default = _default_columns(table)
    scenarios = scenario_rows(table)
    of_row = {int(row): number for number, scenario in enumerate(scenarios) for row in scenario.rows}
    columns = []
    for name in table.frame.columns:
        column = table.columns.get(name) or Column(name, "", ColumnKind.FACTOR, "")
        label = table.label(name)
        columns.append(
            ChosenColumn(
                label,
                recorded(column.description),
                say(_GROUPS[column.kind]),
                is_text=is_text.get(label, True),
                is_empty=label not in is_text,
                is_default=name in default,
                words=_words(table, name) if column.kind is ColumnKind.VERDICT else {},
            )
        )
    return Repetitions(
        csv_text(table),
        tuple(columns),
        tuple(scenario.label for scenario in scenarios),
        tuple(of_row[row] for row in range(len(table.frame))),
        _first_rows(shown),
    )


def _words(table: Table, name: str) -> dict[str, str]:
    """What cells are in the current language, where that is not as they are."""
    said = {str(cell): recorded_list(str(cell)) for cell in table.frame[name].dropna().unique()}
    return {cell: words for cell, words in said.items() if words != cell}


def _first_rows(shown: PageTable) -> PageTable:
    """All columns of the first rows, with a page's remarks."""
    if len(shown.rows) <= ROWS_WITHOUT_SCRIPTS:
        return shown
    return PageTable(shown.headers, shown.rows[:ROWS_WITHOUT_SCRIPTS], shown.remarks)


def _default_columns(table: Table) -> set[str]:
    """What a reader wants first: which repetition, the settings that differ, energies, duration, score, verdict."""
    varying = {name for name in table.frame.columns if table.frame[name].nunique(dropna=False) > 1}
    settings = [name for name in table.of_kind(ColumnKind.FACTOR) if name != SEED and name in varying]
    energy = main_energy(table)
    return {
        *(name for name in table.of_kind(ColumnKind.IDENTITY) if name in varying or name == "Repetition"),
        *(settings or table.of_kind(ColumnKind.FACTOR)[:1]),
        *((energy, f"u {energy}") if energy else ()),
        *(name for name in table.of_kind(ColumnKind.ENERGY) if table.frame[name].notna().any()),
        "Duration",
        *main_scores(table)[:1],
        *table.of_kind(ColumnKind.VERDICT),
    }
