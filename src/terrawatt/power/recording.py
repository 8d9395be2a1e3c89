"""A recorded power or energy over time, from CSV or Parquet; `replay` plays it."""

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from terrawatt.errors import SourceError
from terrawatt.records import Float64Array, Int64Array
from terrawatt.units import s_to_ns

_TIMES = ("t_s", "t_ns")
_VALUES = ("power_w", "energy_j")

_LAST_NS = 2**62  # so that differences fit int64 too

_Row = tuple[str, Sequence[Any]]  # where it stands in the file, and its cells: text in CSV, numbers in Parquet


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """Times (ns, the first is 0, rising) and values (W or J; NaN where a reading failed)."""

    t_ns: Int64Array
    value: Float64Array
    is_energy: bool


def read_recording(path: Path) -> Recording:
    """Read a file with one column `t_s` or `t_ns` and one column `power_w` or `energy_j`; others are ignored.

    Raises:
        SourceError: it cannot be read, or is no such file; names file and line.
    """
    rows = _parquet_rows(path) if path.suffix == ".parquet" else _csv_rows(path)
    try:
        return _recording(rows)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (ValueError, csv.Error) as error:  # also what pyarrow and a wrong encoding raise
        raise SourceError(f"{path}: {error}") from error


def _recording(rows: Iterator[_Row]) -> Recording:
    """The recording in rows whose first is the header; ValueError says what is wrong where."""
    _, header = next(rows, ("", ()))
    time_at, value_at = _one_of(_TIMES, header), _one_of(_VALUES, header)
    times: list[int] = []
    values: list[float] = []
    for where, cells in rows:
        if len(cells) != len(header):
            raise ValueError(f"{where}: {len(cells)} cells, but the header has {len(header)}")
        t_ns = _time_ns(cells[time_at], where, in_ns=header[time_at] == "t_ns")
        if times and t_ns <= times[-1]:
            raise ValueError(f"{where}: its time is not after that of the row before")
        times.append(t_ns)
        values.append(_value(cells[value_at], where))
    if not times:
        raise ValueError("no reading in it")
    return Recording(np.array(times, np.int64) - times[0], np.array(values), header[value_at] == "energy_j")


def _csv_rows(path: Path) -> Iterator[_Row]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file, skipinitialspace=True)
        for cells in reader:
            if cells:
                yield f"line {reader.line_num}", [cell.strip() for cell in cells]


def _parquet_rows(path: Path) -> Iterator[_Row]:
    from pyarrow import parquet  # here, because the sampler must not carry it for nothing

    table = parquet.read_table(path)
    yield "schema", table.column_names
    for number, cells in enumerate(zip(*(column.to_pylist() for column in table.columns), strict=True), start=1):
        yield f"row {number}", cells


def _one_of(names: tuple[str, str], header: Sequence[Any]) -> int:
    """The place of the one column with one of these names."""
    places = [place for place, name in enumerate(header) if name in names]
    if len(places) != 1:
        found = ", ".join(map(str, header)) or "nothing"
        raise ValueError(f"the header needs one column {names[0]!r} or {names[1]!r}; it has {found}")
    return places[0]


def _time_ns(cell: Any, where: str, *, in_ns: bool) -> int:
    try:
        t_ns = int(cell) if in_ns else s_to_ns(float(cell))
    except (TypeError, ValueError, OverflowError):
        t_ns = _LAST_NS + 1
    if abs(t_ns) > _LAST_NS:
        raise ValueError(f"{where}: {cell!r} is not a time in {'ns' if in_ns else 's'}")
    return t_ns


def _value(cell: Any, where: str) -> float:
    """A number, or NaN for an empty cell."""
    if cell is None or cell == "":
        return math.nan
    try:
        value = float(cell)
    except ValueError:
        value = math.inf
    if math.isinf(value):
        raise ValueError(f"{where}: {cell!r} is neither a number nor empty")
    return value
