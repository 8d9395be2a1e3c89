"""Energy and duration against performance: what a score costs."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np
from numpy.typing import NDArray

from terrawatt.analysis.main_columns import main_energy, main_scores
from terrawatt.analysis.pareto import ParetoFront, pareto_front
from terrawatt.analysis.scenarios import ScenarioRows, scenario_rows
from terrawatt.analysis.statistics import COVERAGE_FACTOR, Description, describe, numbers
from terrawatt.analysis.table import Table
from terrawatt.errors import AnalysisError
from terrawatt.records import Float64Array
from terrawatt.report.figures.figure import Drawing, Skipped
from terrawatt.report.figures.front import ellipse_layer, ellipses, front_layers, numbered_points
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
from terrawatt.report.relations.statement import left_out_scenarios
from terrawatt.report.scales import Quantity, quantity, standard_uncertainty
from terrawatt.report.theme import INK, MAX_COLOURS, WIDTH_PX

BoolArray = NDArray[np.bool_]

_MAX_WITH_ERROR_BARS = 60  # repetitions; more bars hide the points
_MANY_POINTS = 200
_MANY_MEANS = 150  # scenarios; intervals of more hide their marks


@dataclass(frozen=True, slots=True)
class _Mean:
    """One scenario's means and t-intervals; an interval is None for one repetition."""

    scenario: str
    group: str
    x: Description
    y: Description

    def row(self, energy: Quantity, score: Quantity) -> dict[str, Cell]:
        """As a row of data."""
        return {
            "scenario": self.scenario,
            "group": self.group,
            "n": self.x.n,
            "x": self.x.mean,
            "y": self.y.mean,
            "x_low": None if self.x.low is None else max(self.x.low, energy.floor),
            "x_high": self.x.high,
            "y_low": None if self.y.low is None else max(self.y.low, score.floor),
            "y_high": self.y.high,
        }

    def __str__(self) -> str:
        return say(
            "{scenario}: {mean:.3g} and {mean_2:.3g}", scenario=self.scenario, mean=self.x.mean, mean_2=self.y.mean
        )


def energy_performance(table: Table) -> Drawing | Skipped:
    """Every repetition, the means of the scenarios with their 95 % t-intervals, and the Pareto front through them."""
    name = main_energy(table)
    if name is None:
        return Skipped(say("no energy has a value"))
    try:
        front: ParetoFront | str = pareto_front(table)
    except AnalysisError as error:
        front = str(error)
    return _against(table, name, front)


def duration_performance(table: Table) -> Drawing | Skipped:
    """The same in duration and score, without a front."""
    if "Duration" not in table.frame or not np.isfinite(numbers(table, "Duration")).any():
        return Skipped(say("no duration has a value"))
    return _against(table, "Duration", None)


def _against(table: Table, name: str, front: ParetoFront | str | None) -> Drawing | Skipped:
    """The first score against a quantity; the front, the reason why there is none, or None where none is looked for."""
    scores = main_scores(table)
    if not scores:
        return Skipped(say("no score has a value: the workload wrote no predictions"))
    x, score = quantity(table, name), quantity(table, scores[0])
    complete = np.isfinite(x.numbers) & np.isfinite(score.numbers)
    if not complete.any():
        return Skipped(say("no repetition has both {name} and {scores}", name=name, scores=scores[0]))
    grouping = group_rows(table, MAX_COLOURS)
    expanded = COVERAGE_FACTOR * standard_uncertainty(table, name, x.scale)
    if complete.sum() > _MAX_WITH_ERROR_BARS:
        expanded = np.full(len(complete), np.nan)
    scenarios = scenario_rows(table)
    is_lean = front is None and complete.sum() > _MANY_POINTS  # the figure of the energy has them all
    points = [] if is_lean else _points(table, x, score, grouping, expanded)
    means = _means(scenarios, x, score, grouping, complete)
    around = ellipses(scenarios, x, score, grouping, complete)
    with_bars = bool(np.isfinite(expanded[complete]).any())
    over = [say("The repetitions are too many to be shown.")] if is_lean else []
    rows = [mean.row(x, score) for mean in means]
    if len(rows) > _MANY_MEANS:
        rows = _with_few_intervals(rows, front)
        over.append(
            say("Of so many scenarios, only those on the Pareto front have their intervals.")
            if isinstance(front, ParetoFront)
            else say("The intervals of so many scenarios would hide them, and are not drawn.")
        )
    return Drawing(
        _chart(x, score, grouping, points, rows, around, front),
        _caption(x, grouping, means, [*over, *_over(around, front)], with_bars=with_bars),
        say(
            "{title} against {title_2}. {means}{front}",
            title=score.title,
            title_2=x.title,
            means=_means_in_words(means),
            front=_front_in_words(front),
        ),
    )


def _over(around: list[dict[str, Cell]], front: ParetoFront | str | None) -> list[str]:
    """What a reader must know of ellipses and front."""
    parts = []
    if around:
        parts.append(say("Ellipses hold 95 % of a scenario's repetitions (5 or more, normal)."))
    if isinstance(front, str):
        parts.append(say("No Pareto front: {front}.", front=front))
    elif front is not None and len(front.points) > 1:
        parts.append(say("Dashed: the Pareto front of the means; no scenario has both less energy and a better score."))
        if len(front.points) > MAX_COLOURS:
            names = (f"{number} {point.label}" for number, point in enumerate(numbered_points(front), start=1))
            parts.append(say("On it: {names}.", names="; ".join(names)))
        parts += left_out_scenarios(front.left_out)
    return parts


def _front_in_words(front: ParetoFront | str | None) -> str:
    if front is None or isinstance(front, str) or len(front.points) < 2:
        return ""
    names = "; ".join(point.label for point in front.front[:MAX_COLOURS])
    return say(" On the Pareto front: {names}.", names=names)


def _chart(
    energy: Quantity,
    score: Quantity,
    grouping: Grouping,
    points: list[dict[str, Cell]],
    means: list[dict[str, Cell]],
    around: list[dict[str, Cell]],
    front: ParetoFront | str | None,
) -> alt.LayerChart | alt.FacetChart:
    """Points with their error bars below, means with their intervals on top."""
    x = alt.X("x:Q", title=energy.title, scale=value_scale(energy), axis=value_axis(energy, ticks=8))
    y = alt.Y("y:Q", title=score.title, scale=value_scale(score), axis=value_axis(score, ticks=6))
    legend = group_legend(grouping, WIDTH_PX)
    colour, shape = group_colour(grouping, legend=legend), group_shape(grouping, legend=legend)
    highlight = alt.selection_point(name="highlight", fields=["group"], bind="legend")
    many = len(points) > _MANY_POINTS
    repetition, mean = alt.Chart(inline(points)), alt.Chart(inline(means))
    point_tooltip = [tip("scenario:N"), tip("repetition:N"), _number("x", energy), _number("y", score)]
    mean_tooltip = [
        alt.Tooltip("scenario:N", title=say("mean of")),
        alt.Tooltip("n:Q"),
        _number("x", energy),
        _number("y", score),
    ]
    kept = alt.param(name="kept", value=False)  # {rows, scenarios} that the page's table shows; false: all
    brush = alt.selection_interval(name="brush", zoom=False)
    faint = _while_kept("kept.rows[datum.row]", 0.35 if many else 0.6, 0.04)
    strong = _while_kept("kept.scenarios[datum.scenario]", 1, 0.08)
    bar = mean.mark_rule(color=INK, strokeWidth=1 if len(means) > MAX_COLOURS else 1.6)
    size = 24 if len(means) > _MANY_MEANS else 70 if len(means) > MAX_COLOURS else 150
    large = mean.mark_point(
        filled=True, size=size, stroke=INK, strokeWidth=0.3 if len(means) > _MANY_MEANS else 1
    ).encode(x=x, y=y, color=colour, shape=shape, opacity=strong, tooltip=mean_tooltip)
    small = repetition.mark_point(filled=True, size=18 if many else 46).encode(
        x=x, y=y, color=colour, shape=shape, opacity=faint, tooltip=point_tooltip
    )
    layers = [
        *([small.add_params(highlight, brush, kept)] if points else []),
        bar.encode(x=alt.X("x_low:Q"), x2="x_high:Q", y=y, opacity=strong),
        bar.encode(x=x, y=alt.Y("y_low:Q"), y2="y_high:Q", opacity=strong),
        large if points else large.add_params(highlight, kept),
    ]
    with_bars = [point for point in points if "low" in point]
    if with_bars:
        error_bar = alt.Chart(inline(with_bars)).mark_rule(strokeWidth=1)
        layers.insert(0, error_bar.encode(x=alt.X("low:Q"), x2="high:Q", y=y, color=colour, opacity=faint))
    if around:
        layers.insert(0, ellipse_layer(around, x, y, colour))
    if isinstance(front, ParetoFront) and len(front.points) > 1:
        layers += front_layers(front, energy, x, y)
    return alt.layer(*layers, width=740, height=460)


def _with_few_intervals(rows: list[dict[str, Cell]], front: ParetoFront | str | None) -> list[dict[str, Cell]]:
    """The means, without the intervals of those that are not on the front."""
    on_front = {point.label for point in front.front} if isinstance(front, ParetoFront) else set()
    ends = ("x_low", "x_high", "y_low", "y_high")
    return [row if row["scenario"] in on_front else row | dict.fromkeys(ends) for row in rows]


def _while_kept(expression: str, opacity: float, otherwise: float) -> Any:
    """The opacity of marks that legend and table leave in, and of the others."""
    test: Any = {"test": {"and": [{"param": "highlight"}, f"!kept || {expression}"]}}  # altair types no such test
    return alt.condition(test, alt.value(opacity), alt.value(otherwise))


def _number(field: str, found: Quantity) -> alt.Tooltip:
    return alt.Tooltip(f"{field}:Q", title=found.title, format=".4~g")


def _points(
    table: Table, energy: Quantity, score: Quantity, grouping: Grouping, expanded: Float64Array
) -> list[dict[str, Cell]]:
    """The repetitions that have both values; error bars where their uncertainty is known."""
    names = {row: scenario.label for scenario in scenario_rows(table) for row in scenario.rows}
    repetitions = table.frame["Repetition"].tolist() if "Repetition" in table.frame else [""] * len(table.frame)
    rows: list[dict[str, Cell]] = []
    for row in np.flatnonzero(np.isfinite(energy.numbers) & np.isfinite(score.numbers)):
        x, half = float(energy.numbers[row]), float(expanded[row])
        rows.append(
            {
                "x": x,
                "y": float(score.numbers[row]),
                **({"low": max(x - half, energy.floor), "high": x + half} if np.isfinite(half) else {}),
                "group": grouping.labels[grouping.of_row[row]],
                "scenario": names[row],
                "row": int(row),
                "repetition": str(repetitions[row]),
            }
        )
    return rows


def _means(
    scenarios: Iterable[ScenarioRows], energy: Quantity, score: Quantity, grouping: Grouping, complete: BoolArray
) -> list[_Mean]:
    """The means of the scenarios, over their repetitions that have both values."""
    means = []
    for scenario in scenarios:
        rows = scenario.rows[complete[scenario.rows]]
        if len(rows):
            group = grouping.labels[grouping.of_row[rows[0]]]
            means.append(_Mean(scenario.label, group, describe(energy.numbers[rows]), describe(score.numbers[rows])))
    return means


def _caption(energy: Quantity, grouping: Grouping, means: list[_Mean], over: list[str], *, with_bars: bool) -> str:
    parts = [say("Small: repetitions; large: mean of a scenario, its bars the 95 % t-intervals."), *over]
    if with_bars:
        parts.append(say("Pale bars: expanded uncertainty U (k = 2) of a repetition's energy."))
    if energy.is_log:
        parts.append(say("A bar cut at the edge of the logarithmic axis reaches further, perhaps below zero."))
    single = sum(mean.x.low is None for mean in means)
    if single:
        parts.append(
            say(
                "{single} of {n_means} scenarios have one repetition, and so no interval.",
                single=single,
                n_means=len(means),
            )
        )
    return " ".join([*parts, grouping.note]).strip()


def _means_in_words(means: list[_Mean]) -> str:
    """The means of the scenarios; of the cheapest and the best when there are many."""
    if len(means) <= MAX_COLOURS:
        return say("Means: {means}.", means="; ".join(map(str, means)))
    cheapest = min(means, key=lambda mean: mean.x.mean or 0.0)
    best = max(means, key=lambda mean: mean.y.mean or 0.0)
    return say(
        "{n_means} scenarios. Least: {cheapest}. Best score: {best}.", n_means=len(means), cheapest=cheapest, best=best
    )
