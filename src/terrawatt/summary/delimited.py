"""Tables as other programs write them: comma, semicolon or tab; decimal point or comma; a byte-order mark or none.

Nothing is guessed where it matters: what can be read in two ways is refused, with the line and the column.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from terrawatt.errors import AnalysisError

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
_ABSENT = {"", "na", "n/a", "nan", "null", "none", "-"}
_POINT = re.compile(r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")
_COMMA = re.compile(r"^[+-]?(\d+,\d*|,\d+)([eE][+-]?\d+)?$")


@dataclass(frozen=True, slots=True)
class Delimited:
    """The cells of a table as texts.

    Attributes:
        path: of the file, for messages.
        header: the columns' names.
        rows: cells, as many as the header has; None where a cell is empty or says that nothing is there.
        lines: the line of the file on which each row ends.
        delimiter: what stands between cells.
    """

    path: Path
    header: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    lines: tuple[int, ...]
    delimiter: str

    def cells(self, name: str) -> list[str | None]:
        """The cells of one column."""
        position = self.header.index(name)
        return [row[position] for row in self.rows]


def read_delimited(path: Path, expected: Iterable[str] = ()) -> Delimited:
    """Read a table of any of the usual kinds.

    Args:
        path: of the file.
        expected: names that the header should have: that delimiter is taken with which it has the most of them.

    Raises:
        AnalysisError: no such file, not UTF-8, a header with empty or repeated names, no rows, or a row with another
            number of cells; names the line.
    """
    text = _text(path)
    wanted = set(expected)
    header, delimiter = max(
        ((_header(text, delimiter), delimiter) for delimiter in _DELIMITERS),
        key=lambda found: (len(wanted.intersection(found[0])), len(found[0])),
    )
    _check_header(path, header)
    rows, lines = [], []
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, skipinitialspace=True)
    try:
        next(reader)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                raise AnalysisError(
                    f"{path}: line {reader.line_num}: {len(cells)} cells, but the header has {len(header)}; a cell "
                    f"that holds a {_DELIMITERS[delimiter]} must stand in quotes"
                )
            rows.append(tuple(_cell(cell) for cell in cells))
            lines.append(reader.line_num)
    except csv.Error as error:
        raise AnalysisError(f"{path}: line {reader.line_num}: {error}") from error
    if not rows:
        raise AnalysisError(f"{path}: a header, and no row")
    return Delimited(path, header, tuple(rows), tuple(lines), delimiter)


def as_numbers(table: Delimited, names: Sequence[str]) -> dict[str, list[float | None]]:
    """Some columns as numbers; None where nothing is there.

    A decimal comma is read where all numbers of these columns that have one are written so.

    Raises:
        AnalysisError: a cell is no number, or two cells are written with point and comma; names line and column.
    """
    found: dict[str, list[float | None]] = {}
    seen: dict[str, str] = {}  # decimal sign -> where it was first
    for name in names:
        numbers: list[float | None] = []
        for cell, line in zip(table.cells(name), table.lines, strict=True):
            where = f"line {line}, column {name!r}"
            if cell is not None and not (_POINT.match(cell) or _COMMA.match(cell)):
                raise AnalysisError(f"{table.path}: {where}: {cell!r} is not a number")
            if cell is not None and ("." in cell or "," in cell):
                seen.setdefault("," if "," in cell else ".", f"{where} ({cell})")
            if len(seen) > 1:
                raise AnalysisError(
                    f"{table.path}: decimals with comma and with point: {seen[',']} and {seen['.']}; use one of them, "
                    "and no sign between thousands"
                )
            numbers.append(None if cell is None else float(cell.replace(",", ".")))
        found[name] = numbers
    return found


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise AnalysisError(f"{path}: no such file") from error
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise AnalysisError(f"{path}: line {line}: not UTF-8; save the table as CSV in UTF-8") from error
    if "\0" in text:
        raise AnalysisError(f"{path}: not a table in text; export it as CSV")
    if not text.strip():
        raise AnalysisError(f"{path}: the file is empty")
    return text


def _header(text: str, delimiter: str) -> tuple[str, ...]:
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, skipinitialspace=True)
    return tuple(name.strip() for name in next(reader, []))


def _check_header(path: Path, header: tuple[str, ...]) -> None:
    if len(header) < 2:
        raise AnalysisError(f"{path}: line 1: one column only; comma, semicolon or tab is expected between columns")
    empty = [position for position, name in enumerate(header, start=1) if not name]
    if empty:
        raise AnalysisError(f"{path}: line 1: column {empty[0]} has no name")
    repeated = [name for name, times in Counter(header).items() if times > 1]
    if repeated:
        raise AnalysisError(f"{path}: line 1: two columns are called {repeated[0]!r}")


def _cell(text: str) -> str | None:
    stripped = text.strip()
    return None if stripped.lower() in _ABSENT else stripped
