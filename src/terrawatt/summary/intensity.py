"""The carbon intensity of a run: what its manifest says, or what is given to the summary; numbers, or a CSV file."""

import csv
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from terrawatt.analysis.emissions import CarbonIntensity
from terrawatt.errors import AnalysisError, UsageError

# Standard uncertainties where none is given. Conventions, not measurements: the life cycle's factors behind any
# intensity are known to some 10 %, and a year's mean says little of an hour (docs/table.md).
YEARLY_U_PERCENT, GIVEN_U_PERCENT = 30.0, 10.0

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIMES = ("time", "datetime (utc)")
_VALUES = ("g_per_kwh", "carbon intensity gco₂eq/kwh (life cycle)", "carbon intensity gco2eq/kwh (life cycle)")


def given_intensity(text: str, u_percent: float | None = None) -> CarbonIntensity:
    """What a user gives: a number in g/kWh, or the path of a CSV file.

    Raises:
        UsageError: a number that cannot be meant.
        AnalysisError: the file cannot be used; says where.
    """
    try:
        number = float(text)
    except ValueError:
        return read_intensity(Path(text), u_percent)
    if not 0 <= number < math.inf:
        raise UsageError(f"a carbon intensity is a number from 0 on in g CO2eq/kWh, not {text}")
    return CarbonIntensity.constant(number, _relative(u_percent, GIVEN_U_PERCENT), "the intensity given")


def recorded_intensity(settings: Mapping[str, Any]) -> CarbonIntensity | str:
    """What a run's manifest says (its `emissions`), or why there is none."""
    recorded = settings.get("intensity")
    if not isinstance(recorded, Mapping):
        return "the run's manifest names no carbon intensity"
    u_percent = recorded.get("u_percent")
    if "file" in recorded:
        try:
            return read_intensity(Path(str(recorded["file"])), u_percent)
        except AnalysisError as error:
            return str(error)
    number = recorded.get("g_per_kwh")
    if not isinstance(number, int | float):
        return str(recorded.get("missing") or "the run's manifest names no carbon intensity")
    default = YEARLY_U_PERCENT if recorded.get("is_yearly_mean") else GIVEN_U_PERCENT
    return CarbonIntensity.constant(float(number), _relative(u_percent, default), str(recorded.get("origin", "")))


def read_intensity(path: Path, u_percent: float | None = None) -> CarbonIntensity:
    """A time series from a CSV file: times (ISO 8601; UTC where no offset is given) and g CO₂eq/kWh.

    The columns are called `time` and `g_per_kwh`, or as Electricity Maps exports them (of its two intensities, that of
    the life cycle); a file of two columns may call them as it likes. An empty cell is a time without a value.

    Raises:
        AnalysisError: the file cannot be read, has no such columns, or a cell of it is wrong; names the line.
    """
    try:
        lines = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise AnalysisError(f"{path}: the carbon intensity cannot be read ({reason})") from error
    if len(lines) < 2:
        raise AnalysisError(f"{path}: no carbon intensity in it; lines with a time and g/kWh are needed")
    rows = list(_rows(path, lines, *_columns(path, lines[0])))
    t_ns = np.array([t_ns for t_ns, _ in rows], np.int64)
    if (falling := np.flatnonzero(np.diff(t_ns) <= 0)).size:
        raise AnalysisError(f"{path}: line {int(falling[0]) + 3}: times must rise; sort the file, without doubles")
    values = np.array([value for _, value in rows])
    return CarbonIntensity(values, _relative(u_percent, GIVEN_U_PERCENT), path.name, t_ns)


def _columns(path: Path, header: list[str]) -> tuple[int, int]:
    """Which columns hold time and intensity."""
    names = [name.strip().lower() for name in header]
    time = next((names.index(name) for name in _TIMES if name in names), None)
    value = next((names.index(name) for name in _VALUES if name in names), None)
    if time is not None and value is not None:
        return time, value
    if len(names) == 2:
        return 0, 1
    raise AnalysisError(f"{path}: line 1: which column is the carbon intensity? Call two of them time and g_per_kwh")


def _rows(path: Path, lines: list[list[str]], time: int, value: int) -> Iterator[tuple[int, float]]:
    for number, cells in enumerate(lines[1:], start=2):
        try:
            yield _t_ns(cells[time]), _g_per_kwh(cells[value])
        except (ValueError, IndexError) as error:
            raise AnalysisError(f"{path}: line {number}: not a time and an intensity in g/kWh ({error})") from error


def _t_ns(text: str) -> int:
    moment = datetime.fromisoformat(text.strip())
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def _g_per_kwh(text: str) -> float:
    if not text.strip():
        return math.nan
    number = float(text)
    if not 0 <= number < math.inf:
        raise ValueError(f"{text} is not from 0 on")
    return number


def _relative(u_percent: float | None, default: float) -> float:
    return (default if u_percent is None else float(u_percent)) / 100
