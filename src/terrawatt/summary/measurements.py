"""Any table of measurements, one row an execution, as a table of repetitions.

Energies that are exactly 0 are not energies: the execution was too short for the meter to see it. They are missing,
with that reason.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from terrawatt.analysis.reach import below_reach_verdict
from terrawatt.analysis.scenarios import scenario_rows
from terrawatt.analysis.table import FACTORS, Column, ColumnKind, Table, all_columns
from terrawatt.analysis.verdict import is_unusable, verdict_text
from terrawatt.errors import AnalysisError, UsageError, did_you_mean
from terrawatt.records import Verdict
from terrawatt.report.content import RepetitionKey
from terrawatt.summary.delimited import Delimited, as_numbers, read_delimited
from terrawatt.summary.tables import typed

TABLE_FACTOR = "Table"  # which table a row is of, where several are given

_ENERGY = re.compile(r"^Energy \((?P<source>.+)\)$")
_CODECARBON = "CodeCarbon"
_OWN_NUMBER = ("Repetition", "Verdict")  # a foreign table's rows are numbered anew, and judged anew


@dataclass(frozen=True, slots=True)
class Roles:
    """What the columns of a table are; the names are the table's own.

    Attributes:
        factors: the settings; rows with equal ones are repetitions of one scenario.
        performance: scores of the result.
        energies: energies in J whose name is not `Energy (<source>)`.
        duration: of an execution, in s; empty: `Duration`, if there is one.
    """

    factors: tuple[str, ...]
    performance: tuple[str, ...] = ()
    energies: tuple[str, ...] = ()
    duration: str = ""

    @property
    def named(self) -> tuple[str, ...]:
        """All names."""
        return (*self.factors, *self.performance, *self.energies, *((self.duration,) if self.duration else ()))


@dataclass(frozen=True, eq=False)
class Measurements:
    """A table that is not terrawatt's.

    Attributes:
        table: one row an execution.
        verdicts: of each row that has any.
        unusable: rows without an energy by the main source.
        notes: what was left out, and other remarks.
    """

    table: Table
    verdicts: Mapping[RepetitionKey, tuple[Verdict, ...]]
    unusable: frozenset[RepetitionKey]
    notes: tuple[str, ...]


def read_measurements(paths: Sequence[Path], roles: Roles) -> Measurements:
    """Read one or several tables.

    Columns may be in any order. Names that terrawatt's own table has (`Energy (<source>)`, `Duration`, …) mean the
    same here; a column that has no role and no such name is left out, and a note says so. Of several tables each has
    the name of its file as a factor, and a score or source need be in one of them only.

    Raises:
        UsageError: a column has two roles, or no factor is named.
        AnalysisError: a file cannot be read, or a column is not there; names the line or column.
    """
    _check_roles(roles)
    files = [read_delimited(path, roles.named) for path in paths]
    _check_columns(files, roles)
    columns = _columns(files, roles)
    frame = _frame(files, roles, columns)
    table = Table(frame, columns)
    sources = [name for name in table.of_kind(ColumnKind.ENERGY) if frame[name].notna().any()]
    if not any(_is_energy(column) for column in columns.values()):
        raise AnalysisError(
            f"{paths[0]}: no column of energy; name it with --energy, or call it 'Energy (<source>)' in the table"
        )
    verdicts = _take_out_zeros(table)
    main = _source(sources[0]) if sources else ""
    unusable = frozenset(key for key, found in verdicts.items() if main and is_unusable(found, main))
    frame["Verdict"] = [verdict_text(verdicts.get(key, ())) for key in _keys(frame)]
    return Measurements(table, verdicts, unusable, (*_zeros_note(table, verdicts), *_notes(files, roles, table)))


def _check_roles(roles: Roles) -> None:
    if not roles.factors:
        raise UsageError("no factor is named: --factors says which columns are the settings")
    repeated = [name for name in roles.named if roles.named.count(name) > 1]
    if repeated:
        raise UsageError(f"column {repeated[0]!r} has two roles; name it once")


def _check_columns(files: Sequence[Delimited], roles: Roles) -> None:
    """Each table has all factors, and one of them at least what else is named."""
    for name in roles.named:
        lacking = [file for file in files if name not in file.header]
        if lacking and (name in roles.factors or len(lacking) == len(files)):
            raise AnalysisError(f"{lacking[0].path}: no column {name!r}.{did_you_mean(name, lacking[0].header)}")


def _columns(files: Sequence[Delimited], roles: Roles) -> dict[str, Column]:
    """The columns of the table, in terrawatt's order."""
    given = dict.fromkeys(name for file in files for name in file.header)
    known_factors = {column.name: column for column in FACTORS.values()}
    sources = [found["source"] for name in given if (found := _ENERGY.match(name)) and name not in roles.named]
    sources = [*roles.energies, *(source for source in sources if source != _CODECARBON)]
    factors = ((TABLE_FACTOR,) if len(files) > 1 else ()) + roles.factors
    present = {"Repetition", "Verdict", *(f"Energy ({name})" for name in roles.energies), *given}
    if roles.duration:
        present.add("Duration")
    scores = {
        name: Column(name, "", ColumnKind.PERFORMANCE, "score, as the table gives it") for name in roles.performance
    }
    settings = {name: known_factors.get(name) or Column(name, "", ColumnKind.FACTOR, "setting") for name in factors}
    known = {name: column for name, column in all_columns((), sources).items() if column.kind is not ColumnKind.FACTOR}
    identity = {name: column for name, column in known.items() if column.kind is ColumnKind.IDENTITY}
    ordered = {
        **identity,
        **settings,
        **{name: column for name, column in known.items() if name != "Verdict"},
        **scores,
    }
    ordered = {name: (settings | scores).get(name, column) for name, column in ordered.items()}
    ordered["Verdict"] = known["Verdict"]
    return {name: column for name, column in ordered.items() if name in present or name in factors}


def _frame(files: Sequence[Delimited], roles: Roles, columns: Mapping[str, Column]) -> pd.DataFrame:
    """The rows of all files under each other."""
    parts = [_part(file, roles, columns) for file in files]
    n = [len(file.rows) for file in files]
    values: dict[str, list[Any]] = {
        name: [cell for part, rows in zip(parts, n, strict=True) for cell in part.get(name, [None] * rows)]
        for name in columns
    }
    values["Repetition"] = list(range(1, sum(n) + 1))
    if len(files) > 1:
        values[TABLE_FACTOR] = [file.path.stem for file in files for _ in file.rows]
    try:
        return pd.DataFrame({name: typed(cells, columns[name]) for name, cells in values.items()})
    except ValueError as error:
        raise AnalysisError(f"{files[0].path}: {error}") from error


def _part(file: Delimited, roles: Roles, columns: Mapping[str, Column]) -> dict[str, list[Any]]:
    """The columns of one file, by their names in the table."""
    renamed = {name: f"Energy ({name})" for name in roles.energies}
    if roles.duration:
        renamed[roles.duration] = "Duration"
    used = [name for name in file.header if renamed.get(name, name) in columns and name not in _OWN_NUMBER]
    numeric = [name for name in used if columns[renamed.get(name, name)].kind is not ColumnKind.FACTOR]
    read: dict[str, list[Any]] = {**as_numbers(file, numeric)}
    for name in used:
        if name not in read:
            read[name] = _factor(file, name)
    return {renamed.get(name, name): cells for name, cells in read.items()}


def _factor(file: Delimited, name: str) -> list[Any]:
    """A setting: as numbers where all cells are; as words else. With semicolons 0,01 is a number."""
    cells = file.cells(name)
    if file.delimiter == ",":
        return list(cells)
    try:
        as_numbers(file, [name])
    except AnalysisError:
        return list(cells)
    return [None if cell is None else cell.replace(",", ".") for cell in cells]


def _take_out_zeros(table: Table) -> dict[RepetitionKey, tuple[Verdict, ...]]:
    """Make energies of exactly 0 missing, and say why."""
    keys = _keys(table.frame)
    verdicts: dict[RepetitionKey, tuple[Verdict, ...]] = {}
    for name, column in table.columns.items():
        if not _is_energy(column):
            continue
        is_zero = (table.frame[name] == 0).to_numpy()
        table.frame[name] = table.frame[name].mask(is_zero)
        for key in (key for key, zero in zip(keys, is_zero, strict=True) if zero):
            verdicts[key] = (*verdicts.get(key, ()), below_reach_verdict(name))
    return verdicts


def _zeros_note(table: Table, verdicts: Mapping[RepetitionKey, tuple[Verdict, ...]]) -> list[str]:
    """How many energies are below the reach of their meter, and of which scenarios it saw a part only."""
    notes = []
    for name in (name for name, column in table.columns.items() if _is_energy(column)):
        zeros = sum(verdict.column == name for found in verdicts.values() for verdict in found)
        if not zeros:
            continue
        notes.append(
            f"{name}: {zeros} of {len(table.frame)} are 0 J: below the reach of the meter, so missing and not zero"
        )
        seen = [table.frame[name].notna().to_numpy()[scenario.rows] for scenario in scenario_rows(table)]
        partly = sum(bool(of_scenario.any() and not of_scenario.all()) for of_scenario in seen)
        if partly:
            notes.append(f"{name}: of {partly} scenarios the meter saw a part only; their means are of that, too high")
    return notes


def _notes(files: Sequence[Delimited], roles: Roles, table: Table) -> list[str]:
    """What is not used, and what never changes."""
    used = {*table.columns, *roles.named, *_OWN_NUMBER}
    unused = dict.fromkeys(name for file in files for name in file.header if name not in used)
    constant = [
        f"{name} ({table.frame[name].dropna().iloc[0]})"
        for name, column in table.columns.items()
        if column.kind not in (ColumnKind.VERDICT, ColumnKind.IDENTITY) and len(set(table.frame[name].dropna())) == 1
    ]
    notes = [f"columns without a role, not used: {', '.join(unused)}"] if unused else []
    if constant and len(table.frame) > 1:
        notes.append(f"the same in all rows: {', '.join(constant)}")
    return notes


def _keys(frame: pd.DataFrame) -> list[RepetitionKey]:
    cells = [list(frame[name]) if name in frame else [None] * len(frame) for name in ("Run", "Group", "Repetition")]
    return [(_whole(run), _whole(group), int(repetition)) for run, group, repetition in zip(*cells, strict=True)]


def _whole(cell: Any) -> int | None:
    return None if pd.isna(cell) else int(cell)


def _is_energy(column: Column) -> bool:
    return column.kind is ColumnKind.ENERGY or column.name == f"Energy ({_CODECARBON})"


def _source(name: str) -> str:
    found = _ENERGY.match(name)
    return found["source"] if found else ""
