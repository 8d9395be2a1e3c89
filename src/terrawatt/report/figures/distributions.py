"""Distributions of energy, duration and scores, by scenario."""

from collections.abc import Iterator, Sequence
from itertools import chain

import altair as alt
import numpy as np
from scipy import stats

from terrawatt.analysis.main_columns import main_energy, main_scores
from terrawatt.analysis.table import Table
from terrawatt.records import Float64Array
from terrawatt.report.figures.figure import Drawing, Skipped
from terrawatt.report.figures.marks import (
    Cell,
    inline,
    lookup_expression,
    value_axis,
    value_scale,
    wrapped,
)
from terrawatt.report.grouping import Grouping, group_rows
from terrawatt.report.language import decimal, mark, say
from terrawatt.report.scales import Quantity, quantity
from terrawatt.report.theme import GREY, INK, MAX_COLOURS, PALETTE, WIDTH_PX

_MAX_GROUPS = 12
_LABEL_CHARACTERS = 26
_PIXELS_A_CHARACTER, _MAX_LABELS_PX = 7, 260
_MIN_FOR_DENSITY, _MIN_FOR_BOX = 10, 5
_GRID_POINTS = 60  # of a density's outline
_ROUNDING = 1e-9  # relative; values that differ less are equal, and have no density

_BOX_TOOLTIP = {"n": "n", "q1": mark("lower quartile"), "x": mark("median"), "q3": mark("upper quartile")}

# Heights inside a row, as a share of it, downward from its middle.
_DENSITY_BASE, _DENSITY_HEIGHT, _BOX_HALF, _POINTS_MIDDLE, _POINTS_HALF = -0.12, 0.32, 0.08, 0.27, 0.11


def distributions(table: Table) -> Drawing | Skipped:
    """Net energy, duration and up to two scores: every repetition as a point, box, and density where n allows it."""
    columns = [main_energy(table), "Duration" if "Duration" in table.frame else None, *main_scores(table)[:2]]
    quantities = [quantity(table, name) for name in columns if name is not None]
    shown = [found for found in quantities if np.isfinite(found.numbers).any()]
    if not shown:
        return Skipped(say("neither energy, nor duration, nor a score has a value"))
    grouping = group_rows(table, _MAX_GROUPS)
    colour = _row_colour(table, grouping)
    width_px = (WIDTH_PX - _labels_px(grouping) - 70) // 2
    panels = [_panel(found, grouping, colour, width_px, with_labels=i % 2 == 0) for i, found in enumerate(shown)]
    rows = [alt.hconcat(*panels[i : i + 2]) for i in range(0, len(panels), 2)]
    smallest = int(np.bincount(grouping.of_row).min())
    return Drawing(alt.vconcat(*rows), _caption(grouping, smallest), _alternative(shown, grouping))


def _panel(
    found: Quantity, grouping: Grouping, colour: alt.Color, width_px: int, *, with_labels: bool
) -> alt.LayerChart | alt.FacetChart:
    """One quantity: the groups as rows, its values along x."""
    n = len(grouping.labels)
    row_px = 96 if n <= 3 else 72 if n <= 6 else 46
    x = alt.X("x:Q", title=found.title, scale=value_scale(found), axis=value_axis(found, ticks=5))
    axis = alt.Axis(
        values=list(range(n)),
        labelExpr=lookup_expression(grouping.labels, _LABEL_CHARACTERS),
        labels=with_labels,
        ticks=False,
        domain=False,
        grid=False,
        labelPadding=8,
    )
    y = alt.Y("y:Q", title=None, axis=axis).scale(domain=[-0.5, n - 0.5], reverse=True, nice=False, zero=False)
    groups = [found.numbers[(grouping.of_row == i) & np.isfinite(found.numbers)] for i in range(n)]
    outlines = [row for i, values in enumerate(groups) for row in _outline(values, i, grouping, log=found.is_log)]
    boxes = inline(_box(values, i, grouping) for i, values in enumerate(groups) if len(values))
    points = inline(row for i, values in enumerate(groups) for row in _points(values, i, grouping))
    group = alt.Tooltip("group:N", title=grouping.title)
    tooltip = [
        group,
        *(alt.Tooltip(f"{field}:Q", title=say(title), format=".4~g") for field, title in _BOX_TOOLTIP.items()),
    ]
    dots = alt.Chart(points).mark_circle(size=34 if len(points.values) < 200 else 12, opacity=0.55)
    layers = [
        alt.Chart(boxes).mark_rule(color=GREY).encode(x=alt.X("low:Q"), x2="high:Q", y="middle:Q"),
        alt.Chart(boxes)
        .mark_rect(stroke=INK, strokeWidth=1, fillOpacity=0.75)
        .encode(x=alt.X("q1:Q"), x2="q3:Q", y="top:Q", y2="bottom:Q", color=colour, tooltip=tooltip),
        alt.Chart(boxes).mark_rule(color=INK, strokeWidth=2.5).encode(x=x, y="top:Q", y2="bottom:Q", tooltip=tooltip),
        dots.encode(x=x, y=y, color=colour, tooltip=[group, alt.Tooltip("x:Q", title=found.title, format=".4~g")]),
    ]
    if outlines:
        area = alt.Chart(inline(outlines)).mark_area(opacity=0.35)
        layers.insert(0, area.encode(x=x, y=y, y2="base:Q", color=colour, detail="group:N"))
    return alt.layer(*layers, width=width_px, height=row_px * n)


def _row_colour(table: Table, grouping: Grouping) -> alt.Color:
    """A colour a row; where there are more rows than colours, the rows of one model (or other factor) share theirs."""
    coarse = group_rows(table, MAX_COLOURS)
    first_rows = [int(np.argmax(grouping.of_row == i)) for i in range(len(grouping.labels))]
    colours = [PALETTE[coarse.of_row[row]] for row in first_rows]
    return alt.Color("group:N", legend=None).scale(domain=list(grouping.labels), range=colours)


def _labels_px(grouping: Grouping) -> int:
    """The width of the longest line of a label, about."""
    lines = chain.from_iterable(wrapped(label, _LABEL_CHARACTERS) for label in grouping.labels)
    return min(_PIXELS_A_CHARACTER * max(map(len, lines)), _MAX_LABELS_PX)


def _outline(values: Float64Array, i: int, grouping: Grouping, *, log: bool) -> Iterator[dict[str, Cell]]:
    """A Gaussian kernel density (Scott's bandwidth; of the logarithm on a logarithmic axis) above a row's middle."""
    given = np.log(values) if log else values
    if len(values) < _MIN_FOR_DENSITY or np.ptp(given) <= _ROUNDING * np.abs(given).max():
        return
    grid = np.linspace(given.min(), given.max(), _GRID_POINTS)
    density = stats.gaussian_kde(given)(grid)
    heights = _DENSITY_HEIGHT * density / density.max()
    for x, height in zip(np.exp(grid) if log else grid, heights, strict=True):
        base = i + _DENSITY_BASE
        yield {"group": grouping.labels[i], "x": float(x), "y": base - float(height), "base": base}


def _box(values: Float64Array, i: int, grouping: Grouping) -> dict[str, Cell]:
    """Median and, from five values on, quartiles and range; below, the median alone."""
    shares = (0, 0.25, 0.5, 0.75, 1) if len(values) >= _MIN_FOR_BOX else (0.5,) * 5
    low, q1, median, q3, high = np.quantile(values, shares)
    return {
        "group": grouping.labels[i],
        "n": len(values),
        "low": float(low),
        "q1": float(q1),
        "x": float(median),
        "q3": float(q3),
        "high": float(high),
        "top": i - _BOX_HALF,
        "middle": float(i),
        "bottom": i + _BOX_HALF,
    }


def _points(values: Float64Array, i: int, grouping: Grouping) -> Iterator[dict[str, Cell]]:
    """Every value below its box, spread over a band so that neighbours do not hide each other."""
    golden = 0.618033988749895  # its multiples modulo 1 spread evenly, in any number and without chance
    for position, x in enumerate(values):
        offset = ((position * golden) % 1 - 0.5) * 2 * _POINTS_HALF if len(values) > 1 else 0.0
        yield {"group": grouping.labels[i], "x": float(x), "y": i + _POINTS_MIDDLE + offset}


def _caption(grouping: Grouping, smallest: int) -> str:
    parts = [say("Each point is a repetition; the thick line is the median.")]
    if smallest >= _MIN_FOR_BOX:
        parts.append(say("Boxes hold the middle half, their lines the whole range."))
    else:
        parts.append(say("Boxes are drawn from {min_for_box} repetitions on.", min_for_box=_MIN_FOR_BOX))
    if smallest >= _MIN_FOR_DENSITY:
        parts.append(say("Above them: a kernel density estimate, scaled to the row."))
    else:
        parts.append(
            say("Densities are drawn from {min_for_density} repetitions on.", min_for_density=_MIN_FOR_DENSITY)
        )
    return " ".join([*parts, grouping.note]).strip()


def _alternative(shown: Sequence[Quantity], grouping: Grouping) -> str:
    titles = "; ".join(found.title for found in shown)
    medians = []
    for i, label in enumerate(grouping.labels):
        values = shown[0].numbers[grouping.of_row == i]
        present = values[np.isfinite(values)]
        medians.append(
            f"{label}: {decimal(np.median(present), '.3g')}" if len(present) else say("{label}: no value", label=label)
        )
    return say(
        "Points, boxes and densities of {titles}. Medians of {title}: {medians}.",
        titles=titles,
        title=shown[0].title,
        medians="; ".join(medians),
    )
