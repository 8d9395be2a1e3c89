"""Principal components: how much each explains, and where the repetitions lie in them."""

import altair as alt
import numpy as np

from terrawatt.analysis.pca import principal_components
from terrawatt.analysis.statistics import quantities
from terrawatt.analysis.table import Table
from terrawatt.records import Float64Array, Int64Array
from terrawatt.report.figures.captions import component_title, components_sentence, left_out_sentence
from terrawatt.report.figures.figure import Drawing, Skipped
from terrawatt.report.figures.marks import Cell, group_colour, group_legend, group_shape, inline, tip
from terrawatt.report.grouping import Grouping, group_rows
from terrawatt.report.language import decimal, mark, say
from terrawatt.report.theme import INK, LABEL_PX, MAX_COLOURS, PALETTE, WIDTH_PX

ONE_COMPONENT = mark("the quantities are proportional to each other: one component holds all the variance")

_MAX_COMPONENTS = 10  # shown in the scree plot
_NUMBER_INSIDE_FROM = 10.0  # %, height of a bar with room for its number
_MANY_POINTS = 200


def pca_scree(table: Table) -> Drawing:
    """The share of the variance that each component explains, and their sum so far."""
    found = principal_components(quantities(table))
    shares = 100 * found.explained[:_MAX_COMPONENTS]
    rows: list[dict[str, Cell]] = [
        {"component": say("PC{n}", n=i + 1), "share": float(share), "sum": float(total), "text": decimal(share, ".1f")}
        for i, (share, total) in enumerate(zip(shares, np.cumsum(shares), strict=True))
    ]
    x = alt.X("component:N", sort=None, title=say("Principal component"), axis=alt.Axis(labelAngle=0))
    y = alt.Y("share:Q", title=say("Variance explained (%)"), axis=alt.Axis(values=list(range(0, 101, 20))))
    base, last = alt.Chart(inline(rows)), alt.Chart(inline(rows[-1:]))
    tooltip = [
        tip("component:N"),
        alt.Tooltip("share:Q", title=say("share"), format=".1f"),
        alt.Tooltip("sum:Q", title=say("sum"), format=".1f"),
    ]
    inside = f"datum.share >= {_NUMBER_INSIDE_FROM}"
    number = base.mark_text(fontSize=LABEL_PX).encode(x=x, y=y, text="text:N")
    layers = [
        base.mark_bar(color=PALETTE[0], width={"band": 0.7}).encode(
            x=x, y=y.scale(domain=[0, 112], nice=False), tooltip=tooltip
        ),
        number.transform_filter(inside).mark_text(fontSize=LABEL_PX, dy=14, color="white"),
        number.transform_filter(f"!({inside})").mark_text(fontSize=LABEL_PX, dy=-9, color=INK),
        base.mark_line(color=PALETTE[1]).encode(x=x, y="sum:Q"),
        base.mark_circle(color=PALETTE[1], size=70, opacity=1).encode(x=x, y="sum:Q", tooltip=tooltip),
        last.mark_text(text=say("sum so far"), fontSize=LABEL_PX, dy=-13).encode(x=x, y="sum:Q"),
    ]
    caption = say("Bars: share of each component; line: sum so far. {found}", found=components_sentence(found))
    listed = ", ".join(f"{row['component']} {row['text']} %" for row in rows)
    chart = alt.layer(*layers, width=min(640, 110 * len(rows)), height=320)
    return Drawing(
        chart,
        caption,
        say("Scree plot. Variance explained: {listed}.", listed=listed),
        left_out_sentence(found.left_out),
    )


def pca_scores(table: Table) -> Drawing | Skipped:
    """The repetitions in the plane of the first two components, coloured by scenario."""
    found = principal_components(quantities(table))
    if len(found.explained) < 2:
        return Skipped(say(ONE_COMPONENT))
    grouping = group_rows(table, MAX_COLOURS)
    titles = component_title(found, 0), component_title(found, 1)
    chart = repetition_points(table, grouping, found.scores[:, :2], found.rows, titles)
    note = f"{grouping.note} " if grouping.note else ""
    caption = say("Each point is a repetition. {note}{found}", note=note, found=components_sentence(found))
    about = say(
        "Scores on PC1 and PC2 of {n_rows} repetitions in {n_labels} groups",
        n_rows=len(found.rows),
        n_labels=len(grouping.labels),
    )
    alternative = f"{about}: {', '.join(grouping.labels)}."
    return Drawing(chart, caption, alternative, left_out_sentence(found.left_out))


def repetition_points(
    table: Table, grouping: Grouping, places: Float64Array, of_rows: Int64Array, titles: tuple[str, str]
) -> alt.Chart:
    """Repetitions at places in a plane, coloured by scenario.

    Args:
        table: the whole table.
        grouping: of its rows.
        places: (n, 2).
        of_rows: (n,) rows of the table that they are of.
        titles: of the axes.
    """
    numbers = table.frame["Repetition"].tolist() if "Repetition" in table.frame else [None] * len(table.frame)
    rows: list[dict[str, Cell]] = [
        {
            "x": float(place[0]),
            "y": float(place[1]),
            "group": grouping.labels[grouping.of_row[row]],
            "repetition": None if numbers[row] is None else str(numbers[row]),
        }
        for place, row in zip(places, of_rows, strict=True)
    ]
    legend = group_legend(grouping, WIDTH_PX)
    highlight = alt.selection_point(name="highlight", fields=["group"], bind="legend")
    many = len(rows) > _MANY_POINTS
    axis = alt.Axis(tickCount=8)
    chart: alt.Chart = (
        alt.Chart(inline(rows), width=700, height=480)
        .mark_point(filled=True, size=22 if many else 70)
        .encode(
            x=alt.X("x:Q", title=titles[0], axis=axis).scale(nice=False, padding=20),
            y=alt.Y("y:Q", title=titles[1], axis=axis).scale(nice=False, padding=20),
            color=group_colour(grouping, legend=legend),
            shape=group_shape(grouping, legend=legend),
            opacity=alt.condition(highlight, alt.value(0.5 if many else 0.9), alt.value(0.06)),
            tooltip=[alt.Tooltip("group:N", title=grouping.title), tip("repetition:N")],
        )
        .add_params(highlight)
    )
    return chart
