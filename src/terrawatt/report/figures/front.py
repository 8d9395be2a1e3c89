"""What lies over the points of two quantities: the scenarios' ellipses, and the Pareto front through their means."""

from collections.abc import Sequence

import altair as alt
import numpy as np
from numpy.typing import NDArray

from terrawatt.analysis.ellipse import prediction_ellipse
from terrawatt.analysis.pareto import ParetoFront, ParetoPoint
from terrawatt.analysis.scenarios import ScenarioRows
from terrawatt.errors import AnalysisError
from terrawatt.report.figures.marks import Cell, inline
from terrawatt.report.grouping import Grouping
from terrawatt.report.scales import Quantity
from terrawatt.report.theme import INK, LABEL_PX, MAX_COLOURS

MAX_NUMBERS = 6  # along the front; more hide each other


def ellipses(
    scenarios: Sequence[ScenarioRows], x: Quantity, y: Quantity, grouping: Grouping, complete: NDArray[np.bool_]
) -> list[dict[str, Cell]]:
    """The corners of each scenario's ellipse; none where there are too many scenarios to tell them apart.

    On a logarithmic axis what lies below its least value is not drawn.
    """
    if len(scenarios) > MAX_COLOURS:
        return []
    rows: list[dict[str, Cell]] = []
    for scenario in scenarios:
        of_both = scenario.rows[complete[scenario.rows]]
        try:
            corners = prediction_ellipse(np.column_stack([x.numbers[of_both], y.numbers[of_both]]))
        except AnalysisError:
            continue
        group = grouping.labels[grouping.of_row[of_both[0]]]
        for order, (at_x, at_y) in enumerate(corners.tolist()):
            if at_x >= x.floor and at_y >= y.floor:
                rows.append({"x": at_x, "y": at_y, "group": group, "scenario": scenario.label, "order": order})
    return rows


def ellipse_layer(rows: list[dict[str, Cell]], x: alt.X, y: alt.Y, colour: alt.Color) -> alt.Chart:
    """The ellipses as thin lines."""
    base = alt.Chart(inline(rows)).mark_line(strokeWidth=1.2, opacity=0.7, clip=True)
    layer: alt.Chart = base.encode(x=x, y=y, color=colour, detail="scenario:N", order="order:Q")
    return layer


def front_layers(found: ParetoFront, x: Quantity, x_axis: alt.X, y_axis: alt.Y) -> list[alt.Chart]:
    """The front as a staircase: each step is what one must spend for the next better score; with numbers."""
    rows: list[dict[str, Cell]] = [
        {"x": point.energy_j / x.scale.divisor, "y": point.score, "name": point.label} for point in found.front
    ]
    line = alt.Chart(inline(rows)).mark_line(color=INK, strokeWidth=1.4, strokeDash=[5, 3], interpolate="step-after")
    layers: list[alt.Chart] = [line.encode(x=x_axis, y=y_axis)]
    if len(found.points) > MAX_COLOURS:
        numbered: list[dict[str, Cell]] = [
            {"x": point.energy_j / x.scale.divisor, "y": point.score, "number": str(number)}
            for number, point in enumerate(numbered_points(found), start=1)
        ]
        text = alt.Chart(inline(numbered)).mark_text(
            fontSize=LABEL_PX, fontWeight="bold", align="right", dx=-8, dy=-9, color=INK
        )
        layers.append(text.encode(x=x_axis, y=y_axis, text="number:N"))
    return layers


def numbered_points(found: ParetoFront) -> list[ParetoPoint]:
    """The scenarios on the front that get a number: both ends, and between them those furthest apart in score."""
    kept = list(found.front)
    while len(kept) > MAX_NUMBERS:
        gaps = [kept[i + 1].score - kept[i - 1].score for i in range(1, len(kept) - 1)]
        kept.pop(1 + int(np.argmin(gaps)))
    return kept
