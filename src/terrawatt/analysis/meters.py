"""A meter's energy against CodeCarbon's: one line for all scenarios, with uncertainty in both, and R².

The points of the line are the scenarios' means. The uncertainty of each, in both coordinates, and the correlation of
both, are seen in the scatter of its repetitions.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrawatt.analysis.line import Line, OrdinaryLine, ordinary_line, york_line
from terrawatt.analysis.reach import below_reach
from terrawatt.analysis.scenarios import ScenarioRows, scenario_rows
from terrawatt.analysis.statistics import LeftOut, numbers
from terrawatt.analysis.table import ColumnKind, Table, common_column
from terrawatt.errors import AnalysisError
from terrawatt.records import Float64Array

CODECARBON = "Energy (CodeCarbon)"
MIN_REPETITIONS = 5  # of a scenario; fewer tell too little of its scatter to weigh it
MIN_SCENARIOS = 4


@dataclass(frozen=True, slots=True)
class MeanPoint:
    """One scenario's mean energies in J, their standard uncertainties by its scatter, and their correlation."""

    label: str
    n: int
    x_j: float
    y_j: float
    u_x_j: float
    u_y_j: float
    r: float


@dataclass(frozen=True, slots=True)
class MeterLine:
    """A meter's energy in J (y) on CodeCarbon's (x).

    Attributes:
        meter: the column of the meter.
        rows: ordinary least squares over all repetitions with both energies; None with `rows_reason`.
        line: with uncertainty in both, over the scenarios' means; None with `reason`.
        u_meter: relative standard uncertainty of the slope by the meter's own error, which all repetitions share; it
            is in the line's u_slope and u_intercept. None where it is not known.
        points: what the line goes through.
        left_out: scenarios that are not among them, with the reason.
        n_below_reach: repetitions whose energy is below the reach of the meter.
        r_squared_zeros: R² were these taken as 0 J, as software without that knowledge does; None where there are none.
        rows_reason: why there is no R².
        reason: why there is no line.
    """

    meter: str
    rows: OrdinaryLine | None
    line: Line | None
    u_meter: float | None
    points: tuple[MeanPoint, ...]
    left_out: tuple[LeftOut, ...]
    n_below_reach: int
    r_squared_zeros: float | None
    rows_reason: str = ""
    reason: str = ""


def meter_column(table: Table) -> str | None:
    """The main meter's net energy, or that of the next that has values."""
    return next((name for name in table.of_kind(ColumnKind.ENERGY) if np.isfinite(numbers(table, name)).any()), None)


def meter_line(table: Table) -> MeterLine:
    """How the main meter's energy depends on CodeCarbon's.

    Raises:
        AnalysisError: there is no meter with a value, or no energy by CodeCarbon.
    """
    meter = meter_column(table)
    if meter is None:
        raise AnalysisError("no meter's energy has a value")
    if CODECARBON not in table.frame or not np.isfinite(numbers(table, CODECARBON)).any():
        raise AnalysisError("no energy by CodeCarbon has a value")
    x, y, zero = numbers(table, CODECARBON), numbers(table, meter), below_reach(table, meter)
    complete = np.isfinite(x) & np.isfinite(y)
    rows, rows_reason = _ordinary(x[complete], y[complete])
    with_zeros = complete | (zero & np.isfinite(x))
    zeros, _ = _ordinary(x[with_zeros], np.where(zero, 0.0, y)[with_zeros]) if zero.any() else (None, "")
    points, left_out = _points(table, x, y, zero)
    line, reason = _line(points)
    u_meter = _common(table, meter, y)
    return MeterLine(
        meter=meter,
        rows=rows,
        line=line if line is None or u_meter is None else line.with_common_error(u_meter),
        u_meter=u_meter,
        points=points,
        left_out=left_out,
        n_below_reach=int(zero.sum()),
        r_squared_zeros=None if zeros is None else zeros.r_squared,
        rows_reason=rows_reason,
        reason=reason,
    )


def _ordinary(x: Float64Array, y: Float64Array) -> tuple[OrdinaryLine | None, str]:
    try:
        return ordinary_line(x, y), ""
    except AnalysisError as error:
        return None, str(error)


def _line(points: tuple[MeanPoint, ...]) -> tuple[Line | None, str]:
    if len(points) < MIN_SCENARIOS:
        return None, (
            f"{len(points)} scenarios have {MIN_REPETITIONS} or more repetitions that scatter, and {MIN_SCENARIOS} "
            "are needed"
        )
    cells = np.array([(point.x_j, point.y_j, point.u_x_j, point.u_y_j, point.r) for point in points])
    try:
        return york_line(*cells.T), ""
    except AnalysisError as error:
        return None, str(error)


def _points(
    table: Table, x: Float64Array, y: Float64Array, zero: NDArray[np.bool_]
) -> tuple[tuple[MeanPoint, ...], tuple[LeftOut, ...]]:
    """The scenarios' means, and the scenarios that cannot be points."""
    points, left_out = [], []
    for scenario in scenario_rows(table):
        rows = scenario.rows[np.isfinite(x[scenario.rows]) & np.isfinite(y[scenario.rows])]
        reason = _why_not(x[rows], y[rows], zero[scenario.rows])
        if reason:
            left_out.append(LeftOut(scenario.label, reason))
        else:
            points.append(_point(scenario, x[rows], y[rows]))
    return tuple(points), tuple(left_out)


def _why_not(x: Float64Array, y: Float64Array, zero: NDArray[np.bool_]) -> str:
    if zero.all():
        return "below the reach of the meter"
    if zero.any():
        return "partly below the reach of the meter: the mean of the rest would be too high"
    if len(x) < MIN_REPETITIONS:
        return f"fewer than {MIN_REPETITIONS} repetitions with both energies"
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return "repetitions that do not scatter"
    return ""


def _point(scenario: ScenarioRows, x: Float64Array, y: Float64Array) -> MeanPoint:
    covariance = np.cov(x, y) / len(x)
    u_x, u_y = np.sqrt(np.diag(covariance))
    r = float(covariance[0, 1] / (u_x * u_y))
    return MeanPoint(scenario.label, len(x), float(x.mean()), float(y.mean()), float(u_x), float(u_y), r)


def _common(table: Table, meter: str, y: Float64Array) -> float | None:
    """The relative uncertainty that all of a meter's energies share, as if it were in proportion; None if unknown."""
    name = common_column(meter)
    if name not in table.frame:
        return None
    u = numbers(table, name)
    known = np.isfinite(u) & np.isfinite(y)
    total = float(np.abs(y[known]).sum())
    return float(u[known].sum()) / total if total > 0 else None
