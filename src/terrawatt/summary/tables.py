"""Rows to a typed table, and a written `output_all.csv` back to the same table."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from terrawatt.analysis.table import MACHINE, Column, ColumnKind, Table, all_columns
from terrawatt.errors import AnalysisError
from terrawatt.records import Scalar
from terrawatt.summary.existing import is_older, migrated, read_cells

_REQUIRED = ("Repetition", "Duration")
_SOURCE = re.compile(r"^Energy \((?P<source>.+)\)$")
_CODECARBON = "CodeCarbon"
_WHOLE = {"Parameters", "FLOPs"}
_INTEGER = re.compile(r"^[+-]?\d{1,18}$")
_NUMBER = re.compile(r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")


def build_table(
    rows: Sequence[Mapping[str, Scalar | None]], parameters: Iterable[str], sources: Iterable[str]
) -> Table:
    """A table of rows; columns that no row has are there, empty, but for the machine's.

    Args:
        rows: column -> value, for each repetition.
        parameters: names of the scenarios' parameters.
        sources: names of the power sources, the main one first.
    """
    columns = all_columns(parameters, sources, has_hosts=any(MACHINE.name in row for row in rows))
    return Table(_frame({name: [row.get(name) for row in rows] for name in columns}, columns), columns)


def read_table(path: Path) -> Table:
    """The table of an existing `output_all.csv`, equal to the one that was written.

    Columns may be in any order, and all but Repetition and Duration may be missing: they are then empty. Columns that
    are not terrawatt's are taken for parameters. A table of the older scripts, or one that a spreadsheet saved with
    semicolons and decimal commas, is brought into this form (`existing`).

    Raises:
        AnalysisError: not a table in UTF-8, without a column that is needed, or with an energy that is not in J; names
            it.
    """
    cells = read_cells(path)
    if is_older(cells):
        cells = migrated(cells)
    missing = [name for name in _REQUIRED if name not in cells.columns]
    if missing:
        raise AnalysisError(f"{path}: no column {', '.join(missing)}; is it an output_all.csv?")
    sources = [found["source"] for name in cells.columns if (found := _SOURCE.match(name))]
    sources = [source for source in sources if source != _CODECARBON]
    has_hosts = MACHINE.name in cells.columns
    known = all_columns((), sources, has_hosts=has_hosts)
    columns = all_columns([name for name in cells.columns if name not in known], sources, has_hosts=has_hosts)
    values = {name: list(cells[name]) if name in cells else [None] * len(cells) for name in columns}
    try:
        return Table(_frame(values, columns), columns, hosts=tuple(map(str, cells[MACHINE.name])) if has_hosts else ())
    except ValueError as error:
        raise AnalysisError(f"{path}: {error}") from error


def is_whole(column: Column) -> bool:
    """Whether a column holds whole numbers, whatever is in it."""
    return (column.kind is ColumnKind.IDENTITY and column.name != MACHINE.name) or column.name in _WHOLE


def _frame(values: Mapping[str, list[Any]], columns: Mapping[str, Column]) -> pd.DataFrame:
    return pd.DataFrame({name: typed(cells, columns[name]) for name, cells in values.items()})


def typed(cells: list[Any], column: Column) -> "pd.Series[Any]":
    """A column of the type that its kind asks for, from values or from their texts."""
    cells = [None if cell is None or cell != cell or cell == "" else cell for cell in cells]
    try:
        match column.kind:
            case ColumnKind.VERDICT:
                return pd.Series(["" if cell is None else str(cell) for cell in cells], dtype=object)
            case ColumnKind.IDENTITY if column.name == MACHINE.name:
                return pd.Series([None if cell is None else str(cell) for cell in cells], dtype=object)
            case ColumnKind.FACTOR:
                return _typed_factor(cells)
            case _:
                return _whole_numbers(cells) if is_whole(column) else pd.Series(cells, dtype="float64")
    except ValueError as error:
        raise ValueError(f"column {column.name}: {error}") from error


def _typed_factor(cells: list[Any]) -> "pd.Series[Any]":
    """Whole numbers, numbers, truth values or words, whichever all cells are, whether given as such or as texts."""
    texts = [None if cell is None else str(cell).strip() for cell in cells]
    given = [text for text in texts if text is not None]
    if given and all(map(_INTEGER.match, given)):
        return _whole_numbers(texts)
    if given and all(map(_NUMBER.match, given)):
        return pd.Series([None if text is None else float(text) for text in texts], dtype="float64")
    if given and set(given) <= {"True", "False"}:
        return _complete_or_objects([None if text is None else text == "True" for text in texts], "bool")
    return pd.Series(texts, dtype=object)


def _whole_numbers(cells: list[Any]) -> "pd.Series[Any]":
    return _complete_or_objects([None if cell is None else _whole(cell) for cell in cells], "int64")


def _complete_or_objects(cells: list[Any], dtype: str) -> "pd.Series[Any]":
    """A column of a type that knows no missing value; where one is missing, of objects with None."""
    return pd.Series(cells, dtype=object if not cells or None in cells else dtype)


def _whole(cell: Any) -> int:
    number = float(cell)
    if not number.is_integer():
        raise ValueError(f"{cell!r} is not a whole number")
    return int(cell) if _INTEGER.match(str(cell)) else int(number)
