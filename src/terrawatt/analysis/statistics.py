"""Descriptions of values, and covariance and correlation of the table's quantities.

Nothing is imputed: a missing value is left out and counted, and what cannot be computed from so few values is `None`
with a reason.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import pandas as pd
from scipy import stats

from terrawatt.analysis.repetitions import mean_estimate
from terrawatt.analysis.scenarios import SEED
from terrawatt.analysis.table import ColumnKind, Table
from terrawatt.errors import AnalysisError
from terrawatt.records import Float64Array, Int64Array

COVERAGE_FACTOR = 2.0  # k: U = 2 u holds about 95 % of a normal distribution (GUM 6.3)
MIN_ROWS = 3  # two points always lie on a line: no correlation can be seen in fewer than three

NOT_NUMBERS = "not numbers"
_NOT_A_QUANTITY: Mapping[ColumnKind, str] = {
    ColumnKind.IDENTITY: "a label, not a quantity",
    ColumnKind.UNCERTAINTY: "an uncertainty",
    ColumnKind.GROSS: "gross: its net energy is used",
    ColumnKind.DERIVED: "in proportion to the gross energy",
    ColumnKind.VERDICT: "words, not a quantity",
}


@dataclass(frozen=True, slots=True)
class Description:
    """Some values in a few numbers. What cannot be computed is `None`, and `reason` says why.

    Attributes:
        n: values that are there.
        missing: values that are not.
        mean: arithmetic mean.
        sd: sample standard deviation (n - 1).
        median: middle value.
        low: lower end of the t-interval of the mean.
        high: its upper end.
        reason: why something is `None`; empty when nothing is.
    """

    n: int
    missing: int
    mean: float | None
    sd: float | None
    median: float | None
    low: float | None
    high: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class MeanWithUncertainty:
    """A mean with its uncertainty, in the unit of the values; `None` with a reason where unknown.

    Attributes:
        mean: arithmetic.
        u: its combined standard uncertainty.
        dof: the effective degrees of freedom of that; few where few repetitions scatter, infinite where they do not.
        reason: why something is `None`, or not included.
    """

    mean: float | None
    u: float | None
    dof: float = math.inf
    reason: str = ""

    @property
    def expanded(self) -> float | None:
        """The expanded uncertainty U = k u that holds 95 %: k is Student's t of the degrees of freedom (GUM G.6.4)."""
        return None if self.u is None else float(stats.t.ppf(0.975, self.dof)) * self.u


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A column that an analysis does not use, and why."""

    name: str
    reason: str


@dataclass(frozen=True, eq=False)
class Quantities:
    """The columns of a table that are quantities and vary, over the repetitions that have them all.

    Attributes:
        names: p columns, in the table's order.
        values: (n, p), without missing values.
        rows: (n,), positions in the frame of the rows that are used.
        left_out: the other columns.
    """

    names: tuple[str, ...]
    values: Float64Array
    rows: Int64Array
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, eq=False)
class Matrix:
    """A symmetric (p, p) matrix between columns; `n` repetitions went into it."""

    names: tuple[str, ...]
    values: Float64Array
    n: int
    left_out: tuple[LeftOut, ...]


def describe(values: Iterable[float], confidence: float = 0.95) -> Description:
    """Number, mean, standard deviation, median and Student's t-interval of the mean.

    Args:
        values: NaN where missing.
        confidence: of the interval.
    """
    given = np.asarray(list(values), dtype=np.float64)
    present = given[np.isfinite(given)]
    n, missing = len(present), len(given) - len(present)
    if n == 0:
        return Description(0, missing, None, None, None, None, None, "no value")
    mean, median = float(present.mean()), float(np.median(present))
    if n == 1:
        return Description(1, missing, mean, None, median, None, None, "one value: no spread, no interval")
    sd = float(present.std(ddof=1))
    half = float(stats.t.ppf((1 + confidence) / 2, n - 1)) * sd / n**0.5
    return Description(n, missing, mean, sd, median, mean - half, mean + half)


def mean_with_uncertainty(
    values: Iterable[float], uncertainties: Iterable[float], common: Iterable[float] | None = None
) -> MeanWithUncertainty:
    """The mean of repetitions with its combined standard uncertainty.

    u² = s²/n + ū²: what is each repetition's own is seen in their spread s, and shrinks with their number n; what they
    share (the meter, the idle level), ū on the mean, does not (GUM 4.2 and 5.2).

    Args:
        values: one a repetition, NaN where missing.
        uncertainties: the standard uncertainty of each value, NaN where unknown.
        common: the part of it that the repetitions share; None: all of it, which is an upper bound.
    """
    given = [list(values), list(uncertainties)]
    rows = np.array([*given, given[1] if common is None else list(common)], dtype=np.float64)
    value, u, shared = rows[:, np.isfinite(rows[0])]
    if len(value) == 0:
        return MeanWithUncertainty(None, None, reason="no value")
    mean = float(value.mean())
    shared = np.where(np.isfinite(shared), shared, u)
    if not np.isfinite(u).all():
        return MeanWithUncertainty(mean, None, reason="the uncertainty of a repetition is unknown")
    if len(value) == 1:
        return MeanWithUncertainty(mean, float(u[0]), reason="one repetition: its spread is not included")
    found = mean_estimate(value, float(shared.mean()))
    return MeanWithUncertainty(mean, float(found.u), float(found.dof))


def numbers(table: Table, name: str) -> Float64Array:
    """A column as floats; NaN where there is no finite number."""
    values = pd.to_numeric(table.frame[name], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(values), values, np.nan)


def quantities(table: Table) -> Quantities:
    """The quantities that vary, over the repetitions that have them all.

    A column without a number in more than half of the repetitions is left out, so that it does not cost their rows.

    Raises:
        AnalysisError: fewer than two such columns, or fewer than three complete repetitions.
    """
    names: list[str] = []
    left_out: dict[str, str] = {}
    for name in map(str, table.frame.columns):
        reason = _why_not(table, name)
        if reason:
            left_out[name] = reason
        else:
            names.append(name)
    values = np.column_stack([numbers(table, name) for name in names]) if names else np.empty((len(table.frame), 0))
    rows = np.flatnonzero(np.isfinite(values).all(axis=1))
    if len(rows) < MIN_ROWS:
        raise AnalysisError(
            f"too few complete repetitions to compare quantities: {len(rows)}, and {MIN_ROWS} are needed"
        )
    constant = _is_constant(values[rows])
    left_out |= {name: "constant" for name, same in zip(names, constant, strict=True) if same}
    kept = tuple(name for name, same in zip(names, constant, strict=True) if not same)
    if len(kept) < 2:
        raise AnalysisError(f"too few quantities that vary between repetitions: {len(kept)}, and 2 are needed")
    ordered = tuple(LeftOut(name, left_out[name]) for name in map(str, table.frame.columns) if name in left_out)
    return Quantities(kept, values[rows][:, ~constant], rows, ordered)


def covariance_matrix(found: Quantities) -> Matrix:
    """Sample covariance (n - 1); a cell's unit is the product of its columns' units."""
    return Matrix(found.names, np.cov(found.values, rowvar=False), len(found.rows), found.left_out)


def correlation_matrix(found: Quantities) -> Matrix:
    """Pearson's correlation."""
    values = np.clip(np.corrcoef(found.values, rowvar=False), -1.0, 1.0)
    return Matrix(found.names, values, len(found.rows), found.left_out)


def chance_correlation(n: int, level: float = 0.05) -> float:
    """The |r| that unrelated normal quantities exceed with probability `level`, over n ≥ 3 independent repetitions.

    From r √((n - 2) / (1 - r²)), which then has Student's t distribution with n - 2 degrees of freedom.
    """
    t = float(stats.t.ppf(1 - level / 2, n - 2))
    return float(t / np.sqrt(n - 2 + t**2))


def left_out_by_reason(left_out: Iterable[LeftOut]) -> list[tuple[str, list[str]]]:
    """The reasons why columns are left out, surprises first, with the columns of each."""
    usual = {*_NOT_A_QUANTITY.values(), NOT_NUMBERS}
    ordered = sorted(left_out, key=lambda column: (column.reason in usual, column.reason))
    groups = groupby(ordered, key=lambda column: column.reason)
    return [(reason, [column.name for column in columns]) for reason, columns in groups]


def _why_not(table: Table, name: str) -> str:
    """Why a column is not a quantity to compare; empty when it is one."""
    column = table.columns.get(name)
    if column is None:
        return "not a known column"
    if column.kind in _NOT_A_QUANTITY:
        return _NOT_A_QUANTITY[column.kind]
    if name == SEED:
        return _NOT_A_QUANTITY[ColumnKind.IDENTITY]
    cells = table.frame[name].dropna()
    if cells.empty:
        return "no value"
    if (
        cells.map(lambda cell: isinstance(cell, bool | np.bool_)).any()
        or pd.to_numeric(cells, errors="coerce").isna().any()
    ):
        return NOT_NUMBERS
    missing = int(np.isnan(numbers(table, name)).sum())
    if 2 * missing > len(table.frame):
        return f"missing in {missing} of {len(table.frame)} repetitions"
    return ""


def _is_constant(values: Float64Array) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which columns of an (n, p) array do not vary beyond rounding."""
    spread, size = np.ptp(values, axis=0), np.abs(values).max(axis=0)
    constant: np.ndarray[tuple[int], np.dtype[np.bool_]] = spread <= 1e-12 * size
    return constant
