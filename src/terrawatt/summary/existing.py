"""A table that was written earlier: by another version, by the older scripts, or saved again by a spreadsheet.

What can be read in one way only is brought into the form of this version; everything else is refused with the reason.

Versions of the table: 0, that of the older scripts, which numbers no repetitions; 1, the first of terrawatt.
"""

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pandas as pd

from terrawatt.analysis.table import TABLE_VERSION, ColumnKind, Table
from terrawatt.errors import AnalysisError, UsageError
from terrawatt.models.names import canonical_name
from terrawatt.summary.delimited import as_numbers, read_delimited
from terrawatt.summary.record import SummaryRecord

OLDER_NOTE = (
    "the table is that of the older scripts: its repetitions are numbered by scenario, in the order of the rows; its "
    "models have their names of today"
)
_OLDER = ("Model", "Duration", "Energy (plug)")
_OLDER_FACTORS = ("Model", "Learning rate", "Batch size", "Epochs")
_WITH_UNIT = re.compile(r"^(u |u common )?Energy\b.*\) \([^()]*\)$")  # `Energy (plug) (kWh)`
_NUMBER = re.compile(r"^[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?$")


def read_cells(path: Path) -> pd.DataFrame:
    """The cells of a table as texts, empty ones as ""; from commas, or from a spreadsheet's semicolons or tabs.

    Raises:
        AnalysisError: no table in CSV and UTF-8; two columns of one name; an energy in another unit than J.
    """
    try:
        header = next(iter(pd.read_csv(path, nrows=1, header=None, dtype=str, encoding="utf-8-sig").to_numpy()), ())
        cells = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise AnalysisError(f"{path}: no such file; without --file True it is computed from the runs") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        if (saved := _from_spreadsheet(path)) is not None:
            return saved
        raise AnalysisError(f"{path}: not a table in CSV and UTF-8 ({error})") from error
    if "Duration" not in cells.columns and (saved := _from_spreadsheet(path)) is not None:
        cells, header = saved, list(saved.columns)
    repeated = [name for name, times in Counter(map(str, header)).items() if times > 1]
    if repeated:
        raise AnalysisError(f"{path}: two columns are called {repeated[0]!r}")
    _check_units(path, list(cells.columns))
    return cells


def is_older(cells: pd.DataFrame) -> bool:
    """Whether a table is that of the older scripts."""
    return "Repetition" not in cells.columns and set(_OLDER) <= set(cells.columns)


def migrated(cells: pd.DataFrame) -> pd.DataFrame:
    """The table of the older scripts with its repetitions numbered, and its models named as today."""
    cells = cells.copy()
    cells["Model"] = [_model(name) for name in cells["Model"]]
    factors = [name for name in _OLDER_FACTORS if name in cells.columns]
    cells["Repetition"] = (cells.groupby(factors, sort=False).cumcount() + 1).astype(str)
    return cells


def check_record(path: Path, table: Table, record: SummaryRecord) -> None:
    """See that what stands beside a table is of this version, and of the same units.

    Raises:
        AnalysisError: it is not.
    """
    if record.table_version > TABLE_VERSION:
        raise AnalysisError(
            f"{path}: table version {record.table_version}, but this version reads up to {TABLE_VERSION}; "
            "update terrawatt"
        )
    if record.table_version < 1:
        raise AnalysisError(f"{path}: there is no table version {record.table_version}; compute it again from the runs")
    for column in record.columns:
        known = table.columns.get(column.name)
        if known is not None and known.kind is not ColumnKind.FACTOR and column.unit != known.unit:
            raise AnalysisError(
                f"{path}: column {column.name!r} is in {column.unit or 'no unit'}, and this version computes in "
                f"{known.unit or 'no unit'}; compute the table again from the runs"
            )


def _from_spreadsheet(path: Path) -> pd.DataFrame | None:
    """The cells of a table with semicolons or tabs, decimal commas made points; None where it is no such table."""
    try:
        table = read_delimited(path, ("Repetition", "Duration"))
    except AnalysisError:
        return None
    if table.delimiter == "," or "Duration" not in table.header:
        return None
    numeric = [name for name in table.header if all(cell is None or _NUMBER.match(cell) for cell in table.cells(name))]
    as_numbers(table, numeric)  # refuses what has both signs
    return pd.DataFrame(
        {name: [_text(cell, is_number=name in numeric) for cell in table.cells(name)] for name in table.header}
    )


def _text(cell: str | None, *, is_number: bool) -> str:
    return "" if cell is None else cell.replace(",", ".") if is_number else cell


def _check_units(path: Path, names: Sequence[str]) -> None:
    for name in names:
        if _WITH_UNIT.match(name):
            raise AnalysisError(
                f"{path}: column {name!r}: energies are in J, and called after their source only, as Energy (plug); "
                "convert it, or give the table with --table"
            )


def _model(name: str) -> str:
    with suppress(UsageError):
        return canonical_name(name)
    return name
