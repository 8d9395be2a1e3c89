"""The meter against CodeCarbon, in words."""

from itertools import groupby

from terrawatt.analysis.meters import MIN_REPETITIONS, MeterLine
from terrawatt.report.numbers import plain
from terrawatt.report.relations.statement import Statement

GOOD_MISFIT = 2.0  # from here on the scenarios clearly do not lie on one line
_METHOD = (
    "Line by York's method (2004): each scenario's mean has the uncertainty, in both energies, and the correlation of "
    f"both that its repetitions show; scenarios with {MIN_REPETITIONS} or more repetitions; Student's t with n - 2 "
    "degrees of freedom. The meter's energy is net of the idle level, CodeCarbon's is not."
)


def meters_statement(found: MeterLine) -> Statement:
    """Slope, intercept and R² with their intervals."""
    return Statement("meters", "The meter against CodeCarbon", (*_line(found), *_rows(found)), _assumptions(found))


def _line(found: MeterLine) -> list[str]:
    line = found.line
    if line is None:
        return [f"No line with uncertainty in both: {found.reason}."]
    slope, intercept = line.slope_interval, line.intercept_interval
    equation = f"{found.meter} = {plain(line.intercept)} J + {plain(line.slope)} × Energy (CodeCarbon)"
    slopes = f"slope {plain(line.slope)} (95 % interval {plain(slope[0])} to {plain(slope[1])})"
    starts = f"intercept {plain(line.intercept)} J ({plain(intercept[0])} to {plain(intercept[1])} J)"
    said = [f"{equation}: {slopes}, {starts}, over the means of {line.n} scenarios."]
    if slope[0] <= 1 <= slope[1]:
        said.append("A slope of 1 is not ruled out.")
    if line.misfit >= GOOD_MISFIT:
        far = f"The scenarios lie {plain(line.misfit, 3)} times further from the line than their repetitions scatter"
        said.append(f"{far}: one line does not hold for all of them. The intervals are widened by this factor.")
    return said


def _rows(found: MeterLine) -> list[str]:
    if found.rows is None:
        return [f"No R²: {found.rows_reason}."]
    ordinary = f"slope {plain(found.rows.slope)}, intercept {plain(found.rows.intercept)} J"
    said = [f"R² = {found.rows.r_squared:.3f} over {found.rows.n} repetitions (ordinary least squares: {ordinary})."]
    if found.n_below_reach:
        below = f"{found.n_below_reach} repetitions are below the reach of the meter, and not in it."
        r2 = found.r_squared_zeros
        said.append(below if r2 is None else f"{below} Taken as 0 J, they would give R² = {r2:.3f}.")
    return said


def _assumptions(found: MeterLine) -> str:
    said = [_METHOD]
    if found.u_meter is not None and found.line is not None:
        said.append(f"The meter's own error (u = {100 * found.u_meter:.2g} %), alike for all, is in the intervals.")
    elif found.line is not None:
        said.append("The meter's own error is not known, and not in the intervals.")
    by_reason = sorted(found.left_out, key=lambda column: column.reason)
    for reason, columns in groupby(by_reason, key=lambda column: column.reason):
        n = len(list(columns))
        said.append(f"Left out of the line: {n} scenario{'s' if n != 1 else ''} ({reason}).")
    return " ".join(said)
