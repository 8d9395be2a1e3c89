"""The meter against CodeCarbon, in words."""

from itertools import groupby

from terrawatt.analysis.meters import MIN_REPETITIONS, MeterLine
from terrawatt.report.language import mark, say, say_n
from terrawatt.report.numbers import plain
from terrawatt.report.relations.statement import Statement

GOOD_MISFIT = 2.0  # from here on the scenarios clearly do not lie on one line
_METHOD = mark(
    "Line by York's method (2004): each scenario's mean has the uncertainty, in both "
    "energies, and the correlation of both that its repetitions show; scenarios with "
    "{min_repetitions} or more repetitions; Student's t with n - 2 degrees of freedom. The "
    "meter's energy is net of the idle level, CodeCarbon's is not."
)


def meters_statement(found: MeterLine) -> Statement:
    """Slope, intercept and R² with their intervals."""
    return Statement("meters", say("The meter against CodeCarbon"), (*_line(found), *_rows(found)), _assumptions(found))


def _line(found: MeterLine) -> list[str]:
    line = found.line
    if line is None:
        return [say("No line with uncertainty in both: {reason}.", reason=found.reason)]
    slope, intercept = line.slope_interval, line.intercept_interval
    equation = f"{found.meter} = {plain(line.intercept)} J + {plain(line.slope)} × Energy (CodeCarbon)"
    slopes = say(
        "slope {slope} (95 % interval {slope_2} to {slope_3})",
        slope=plain(line.slope),
        slope_2=plain(slope[0]),
        slope_3=plain(slope[1]),
    )
    starts = say(
        "intercept {intercept} J ({intercept_2} to {intercept_3} J)",
        intercept=plain(line.intercept),
        intercept_2=plain(intercept[0]),
        intercept_3=plain(intercept[1]),
    )
    said = [
        say(
            "{equation}: {slopes}, {starts}, over the means of {n} scenarios.",
            equation=equation,
            slopes=slopes,
            starts=starts,
            n=line.n,
        )
    ]
    if slope[0] <= 1 <= slope[1]:
        said.append(say("A slope of 1 is not ruled out."))
    if line.misfit >= GOOD_MISFIT:
        far = say(
            "The scenarios lie {misfit} times further from the line than their repetitions scatter",
            misfit=plain(line.misfit, 3),
        )
        said.append(
            say("{far}: one line does not hold for all of them. The intervals are widened by this factor.", far=far)
        )
    return said


def _rows(found: MeterLine) -> list[str]:
    if found.rows is None:
        return [say("No R²: {reason}.", reason=found.rows_reason)]
    ordinary = say(
        "slope {slope}, intercept {intercept} J", slope=plain(found.rows.slope), intercept=plain(found.rows.intercept)
    )
    said = [
        say(
            "R² = {r_squared:.3f} over {n} repetitions (ordinary least squares: {ordinary}).",
            r_squared=found.rows.r_squared,
            n=found.rows.n,
            ordinary=ordinary,
        )
    ]
    if found.n_below_reach:
        below = say(
            "{n_below_reach} repetitions are below the reach of the meter, and not in it.",
            n_below_reach=found.n_below_reach,
        )
        r2 = found.r_squared_zeros
        said.append(
            below if r2 is None else say("{below} Taken as 0 J, they would give R² = {r2:.3f}.", below=below, r2=r2)
        )
    return said


def _assumptions(found: MeterLine) -> str:
    said = [say(_METHOD, min_repetitions=MIN_REPETITIONS)]
    if found.u_meter is not None and found.line is not None:
        said.append(
            say(
                "The meter's own error (u = {u_meter:.2g} %), alike for all, is in the intervals.",
                u_meter=100 * found.u_meter,
            )
        )
    elif found.line is not None:
        said.append(say("The meter's own error is not known, and not in the intervals."))
    by_reason = sorted(found.left_out, key=lambda column: column.reason)
    for reason, columns in groupby(by_reason, key=lambda column: column.reason):
        n = len(list(columns))
        said.append(
            say_n(
                "Left out of the line: {n} scenario ({reason}).",
                "Left out of the line: {n} scenarios ({reason}).",
                n,
                n=n,
                reason=reason,
            )
        )
    return " ".join(said)
