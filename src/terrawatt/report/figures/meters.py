"""A meter's energy against CodeCarbon's, with the line through the scenarios' means."""

from dataclasses import replace

import altair as alt
import numpy as np
from scipy import stats

from terrawatt.analysis.line import Line
from terrawatt.analysis.meters import CODECARBON, MeanPoint, MeterLine, meter_line
from terrawatt.analysis.scenarios import scenario_rows
from terrawatt.analysis.table import Table
from terrawatt.report.figures.figure import Drawing
from terrawatt.report.figures.marks import (
    Cell,
    group_colour,
    group_legend,
    group_shape,
    inline,
    tip,
    value_axis,
    value_scale,
)
from terrawatt.report.grouping import Grouping, group_rows
from terrawatt.report.language import say
from terrawatt.report.numbers import plain
from terrawatt.report.scales import Quantity, quantity
from terrawatt.report.theme import GREY, INK, MAX_COLOURS, WIDTH_PX

_CORNERS = 200  # of the line and its band: on logarithmic axes they are curves
_MANY_POINTS = 200


def energy_energy(table: Table) -> Drawing:
    """Every repetition, the means of the scenarios with their 95 % intervals, and the line through them.

    Raises:
        AnalysisError: there is no meter, or no energy by CodeCarbon.
    """
    found = meter_line(table)
    x, y = _both(quantity(table, CODECARBON), quantity(table, found.meter))
    grouping = group_rows(table, MAX_COLOURS)
    return Drawing(
        _chart(
            x,
            y,
            grouping,
            _repetitions(table, x, y, grouping),
            _means(table, found, x, y, grouping),
            _band(found.line, x, y),
        ),
        _caption(found, grouping, x, y),
        say("{title} against {title_2}. {found}", title=y.title, title_2=x.title, found=_in_words(found)),
    )


def _both(x: Quantity, y: Quantity) -> tuple[Quantity, Quantity]:
    """Two quantities over the repetitions that have both."""
    complete = np.isfinite(x.numbers) & np.isfinite(y.numbers)
    masked = [replace(each, numbers=np.where(complete, each.numbers, np.nan)) for each in (x, y)]
    return masked[0], masked[1]


def _chart(
    x: Quantity,
    y: Quantity,
    grouping: Grouping,
    repetitions: list[dict[str, Cell]],
    means: list[dict[str, Cell]],
    band: list[dict[str, Cell]],
) -> alt.LayerChart | alt.FacetChart:
    """Band and line below, repetitions above them, means with their bars on top."""
    at_x = alt.X("x:Q", title=x.title, scale=value_scale(x), axis=value_axis(x, ticks=8))
    at_y = alt.Y("y:Q", title=y.title, scale=value_scale(y), axis=value_axis(y, ticks=6))
    legend = group_legend(grouping, WIDTH_PX)
    colour, shape = group_colour(grouping, legend=legend), group_shape(grouping, legend=legend)
    highlight = alt.selection_point(name="highlight", fields=["group"], bind="legend")
    many = len(repetitions) > _MANY_POINTS
    faint = alt.condition(highlight, alt.value(0.35 if many else 0.6), alt.value(0.04))
    tooltip = [
        tip("scenario:N"),
        alt.Tooltip("x:Q", title=x.title, format=".4~g"),
        alt.Tooltip("y:Q", title=y.title, format=".4~g"),
    ]
    layers: list[alt.Chart] = []
    if band:
        line = alt.Chart(inline(band))
        layers = [
            line.mark_area(color=GREY, opacity=0.25).encode(x=at_x, y=alt.Y("low:Q"), y2="high:Q"),
            line.transform_filter("isValid(datum.y)").mark_line(color=INK, strokeWidth=1.5).encode(x=at_x, y=at_y),
        ]
    points = alt.Chart(inline(repetitions)).mark_point(filled=True, size=18 if many else 46)
    layers.append(
        points.encode(x=at_x, y=at_y, color=colour, shape=shape, opacity=faint, tooltip=tooltip).add_params(highlight)
    )
    if means:
        mean = alt.Chart(inline(means))
        bar = mean.mark_rule(color=INK, strokeWidth=1.3)
        layers += [
            bar.encode(x=alt.X("x_low:Q"), x2="x_high:Q", y=at_y),
            bar.encode(x=at_x, y=alt.Y("y_low:Q"), y2="y_high:Q"),
            mean.mark_point(filled=True, size=90, stroke=INK, strokeWidth=1, opacity=1).encode(
                x=at_x, y=at_y, color=colour, shape=shape, tooltip=[*tooltip, "n:Q"]
            ),
        ]
    return alt.layer(*layers, width=740, height=460)


def _repetitions(table: Table, x: Quantity, y: Quantity, grouping: Grouping) -> list[dict[str, Cell]]:
    names = {row: scenario.label for scenario in scenario_rows(table) for row in scenario.rows}
    return [
        {
            "x": float(x.numbers[row]),
            "y": float(y.numbers[row]),
            "group": grouping.labels[grouping.of_row[row]],
            "scenario": names[row],
        }
        for row in np.flatnonzero(np.isfinite(x.numbers) & np.isfinite(y.numbers))
    ]


def _means(table: Table, found: MeterLine, x: Quantity, y: Quantity, grouping: Grouping) -> list[dict[str, Cell]]:
    """The points of the line, with the t-intervals of both means."""
    group = {scenario.label: grouping.labels[grouping.of_row[scenario.rows[0]]] for scenario in scenario_rows(table)}
    return [_mean(point, x, y) | {"group": group[point.label]} for point in found.points]


def _mean(point: MeanPoint, x: Quantity, y: Quantity) -> dict[str, Cell]:
    factor = float(stats.t.ppf(0.975, point.n - 1))
    ends: dict[str, Cell] = {"scenario": point.label, "n": point.n}
    for name, value, u, axis in (("x", point.x_j, point.u_x_j, x), ("y", point.y_j, point.u_y_j, y)):
        middle, half = value / axis.scale.divisor, factor * u / axis.scale.divisor
        ends |= {name: middle, f"{name}_low": max(middle - half, axis.floor), f"{name}_high": middle + half}
    return ends


def _band(line: Line | None, x: Quantity, y: Quantity) -> list[dict[str, Cell]]:
    """The line and its 95 % band over the x that were measured; cut where the axis has no place for it."""
    if line is None:
        return []
    low, high = x.present.min(), x.present.max()
    at = np.geomspace(low, high, _CORNERS) if x.is_log else np.linspace(low, high, _CORNERS)
    middle = line.at(at * x.scale.divisor) / y.scale.divisor
    half = line.half_width(at * x.scale.divisor) / y.scale.divisor
    floor = y.floor if y.is_log else -np.inf
    return [
        {"x": at_x, "y": value if value > floor else None, "low": max(value - extent, floor), "high": value + extent}
        for at_x, value, extent in zip(at.tolist(), middle.tolist(), half.tolist(), strict=True)
        if value + extent > floor
    ]


def _caption(found: MeterLine, grouping: Grouping, x: Quantity, y: Quantity) -> str:
    parts = [say("Small: repetitions; large: means of scenarios, their bars the 95 % t-intervals.")]
    if found.line is None:
        parts.append(say("No line: {reason}.", reason=found.reason))
    else:
        parts.append(say("Line: best with uncertainty in both energies; grey: its 95 % band."))
        if found.line.misfit >= 2:
            parts.append(
                say(
                    "Scenarios lie {misfit} times further from it than repetitions scatter.",
                    misfit=plain(found.line.misfit, 3),
                )
            )
    if found.rows is not None:
        parts.append(say("R² = {r_squared:.3f} over {n} repetitions.", r_squared=found.rows.r_squared, n=found.rows.n))
    if found.n_below_reach:
        parts.append(
            say(
                "{n_below_reach} repetitions below the reach of the meter are not shown.",
                n_below_reach=found.n_below_reach,
            )
        )
    if x.is_log or y.is_log:
        parts.append(say("On logarithmic axes a straight line is a curve, and ends where it would reach zero."))
    return " ".join([*parts, grouping.note]).strip()


def _in_words(found: MeterLine) -> str:
    if found.line is None:
        return say("No line: {reason}.", reason=found.reason)
    low, high = found.line.slope_interval
    return say(
        "Slope {slope}, 95 % interval {low} to {high}, over {n} scenarios.",
        slope=plain(found.line.slope),
        low=plain(low),
        high=plain(high),
        n=found.line.n,
    )
