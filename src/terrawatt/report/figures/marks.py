"""Building blocks that several figures share: inline data, group colours, wrapped labels."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence

import altair as alt
import numpy as np

from terrawatt.report.grouping import Grouping
from terrawatt.report.language import mark, say
from terrawatt.report.scales import Quantity
from terrawatt.report.theme import PALETTE, SHAPES

Cell = str | float | int | None


_TIPS = {
    "scenario": mark("scenario"),
    "repetition": mark("repetition"),
    "model": mark("model"),
    "quantity": mark("quantity"),
    "row": mark("row"),
    "column": mark("column"),
    "group": mark("group"),
    "epoch": mark("epoch"),
    "level": mark("level"),
    "name": mark("name"),
    "component": mark("component"),
    "share": mark("share"),
    "sum": mark("sum"),
    "what": mark("what"),
}


def tip(field: str) -> alt.Tooltip:
    """A tooltip of a field, `row:N`, called by its name."""
    return alt.Tooltip(field, title=say(_TIPS[field.partition(":")[0]]))


def inline(rows: Iterable[Mapping[str, Cell]]) -> alt.InlineData:
    """Rows as data inside the specification: six digits (a page holds thousands), missing values as null."""
    # As a tuple: Altair copies lists again with each change of a chart.
    return alt.InlineData(values=tuple({name: _short(value) for name, value in row.items()} for row in rows))


def value_axis(found: Quantity, *, ticks: int) -> alt.Axis:
    """The axis of a quantity: few ticks, and round ones where it is logarithmic."""
    if found.is_log:
        return alt.Axis(values=found.log_ticks())
    if found.is_constant:
        return alt.Axis(tickCount=ticks, format=".4~g")  # Vega rounds the only tick to a whole number
    return alt.Axis(tickCount=ticks)


def value_scale(found: Quantity) -> alt.Scale:
    """The scale of a quantity: logarithmic where only that shows all values, and never cut at the outermost point."""
    if found.is_log:
        return alt.Scale(type="log", nice=False, padding=12)
    return alt.Scale(zero=False, nice=False, padding=12)


def group_colour(grouping: Grouping, *, legend: alt.Legend | None) -> alt.Color:
    """The colour of field `group`, in the palette's order."""
    return alt.Color("group:N", title=grouping.title, legend=legend).scale(
        domain=list(grouping.labels), range=list(PALETTE[: len(grouping.labels)])
    )


def group_shape(grouping: Grouping, *, legend: alt.Legend | None) -> alt.Shape:
    """The shape of field `group`, beside its colour."""
    return alt.Shape("group:N", title=grouping.title, legend=legend).scale(
        domain=list(grouping.labels), range=list(SHAPES[: len(grouping.labels)])
    )


def group_legend(grouping: Grouping, width_px: int) -> alt.Legend | None:
    """A legend above the figure, in as many columns as its labels leave room for; none for one group."""
    if len(grouping.labels) == 1:
        return None
    longest = max(len(label) for label in grouping.labels)
    columns = max(1, min(len(grouping.labels), width_px // (7 * longest + 40)))
    return alt.Legend(orient="top", direction="horizontal", columns=columns, symbolOpacity=1)


def lookup_expression(labels: Sequence[str], width: int) -> str:
    """A Vega expression that turns the position on an axis into a label, wrapped to `width` characters a line."""
    return f"{json.dumps([wrapped(label, width) for label in labels], ensure_ascii=False)}[datum.value]"


def wrapped(label: str, width: int) -> list[str]:
    """A scenario's label in lines, broken between its factors only."""
    lines: list[str] = []
    for part in label.split(" · "):
        if lines and len(lines[-1]) + 3 + len(part) <= width:
            lines[-1] += f" · {part}"
        else:
            lines.append(part)
    return lines


def _short(value: Cell) -> Cell:
    if not isinstance(value, float | np.floating):
        return value
    return float(f"{value:.6g}") if math.isfinite(value) else None
