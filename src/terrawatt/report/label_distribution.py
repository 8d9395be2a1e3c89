"""The labels of a split as a figure: how frequent each is in each part, and how far that is from the whole."""

from functools import partial
from pathlib import Path

import altair as alt
import numpy as np

from terrawatt.analysis.table import Table
from terrawatt.data.distribution import Distribution
from terrawatt.errors import UsageError, did_you_mean
from terrawatt.report.figures.figure import Drawing, Figure
from terrawatt.report.figures.marks import Cell, inline
from terrawatt.report.render import FORMATS, render
from terrawatt.report.theme import GREY, PALETTE, SHAPES, specification

_ROW_PX, _PANEL_PX = 26, 250
_LABEL_CHARACTERS = 48
_LOG_FROM_RATIO = 30.0
_LEAST_SPAN_PERCENT = 0.1
_SIGNED = "datum.value == 0 ? '0' : format(datum.value, '+.3~f')"


def figure_form(file: Path) -> str:
    """The format that a file's ending names.

    Raises:
        UsageError: it names none.
    """
    form = file.suffix.removeprefix(".").lower()
    if form not in FORMATS:
        raise UsageError(
            f"{file}: figures end in {', '.join(f'.{known}' for known in FORMATS)}.{did_you_mean(form, FORMATS)}"
        )
    return form


def distribution_figure(found: Distribution, form: str) -> bytes:
    """The figure of a distribution in one of `render.FORMATS`.

    Raises:
        ReportError: it cannot be drawn.
    """
    figure = Figure("label_distribution", "Labels by part", partial(_draw, found))
    drawing = draw(found)
    return render(figure, specification(drawing.chart), drawing.alternative, form)


def draw(found: Distribution) -> Drawing:
    """Labels as rows, the most frequent above: prevalence at the left, its deviation from the whole at the right."""
    order = [i for i in np.argsort(-found.counts.sum(axis=0), kind="stable") if found.counts[:, i].any()]
    parts = [p for p, size in enumerate(found.sizes) if size]
    names = [_in_lines(found.labels[i]) for i in order]
    titles = [f"{found.parts[p]} ({found.sizes[p]:,})" for p in parts]
    rows = [
        _row(found, i, p, name, title)
        for i, name in zip(order, names, strict=True)
        for p, title in zip(parts, titles, strict=True)
    ]
    base = alt.Chart(inline(rows)).encode(
        y=alt.Y("label:N", sort=names, axis=_label_axis(with_labels=True)).scale(domain=names),
        color=alt.Color("part:N", title=None, legend=alt.Legend(orient="top", direction="horizontal")).scale(
            domain=titles, range=list(PALETTE[: len(titles)])
        ),
        shape=alt.Shape("part:N", title=None).scale(domain=titles, range=list(SHAPES[: len(titles)])),
        tooltip=["label:N", "part:N", "count:Q", alt.Tooltip("prevalence:Q", title="prevalence (%)", format=".3~g")],
    )
    size = {"width": _PANEL_PX, "height": _ROW_PX * max(len(names), 1)}
    points = base.mark_point(filled=True, size=55, opacity=0.75)
    left = points.encode(x=_prevalence_axis(rows)).properties(**size)
    zero = alt.Chart(inline([{"zero": 0}])).mark_rule(color=GREY).encode(x="zero:Q")
    right = alt.layer(
        zero,
        points.encode(
            x=_deviation_axis(rows),
            y=alt.Y("label:N", sort=names, axis=_label_axis(with_labels=False)).scale(domain=names),
        ),
    ).properties(**size)
    return Drawing(alt.hconcat(left, right, spacing=18), _caption(found), _alternative(found))


def _draw(found: Distribution, _table: Table) -> Drawing:
    return draw(found)


def _row(found: Distribution, label: int, part: int, name: str, title: str) -> dict[str, Cell]:
    return {
        "label": name,
        "part": title,
        "count": int(found.counts[part, label]),
        "prevalence": 100 * float(found.prevalence[part, label]),
        "deviation": 100 * float(found.deviation[part, label]),
    }


def _in_lines(label: str) -> str:
    """A label in lines that fit beside the axis."""
    lines = [""]
    for word in label.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > _LABEL_CHARACTERS:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)


def _label_axis(*, with_labels: bool) -> alt.Axis:
    return alt.Axis(
        title=None,
        labels=with_labels,
        labelExpr="split(datum.label, '\\n')",
        labelLimit=0,
        labelFontSize=11,
        ticks=False,
        domain=False,
        grid=True,
    )


def _prevalence_axis(rows: list[dict[str, Cell]]) -> alt.X:
    """Logarithmic where frequent labels would hide the rare ones; 0 has no place there, and is left out."""
    values = [float(str(row["prevalence"])) for row in rows if row["prevalence"]]
    is_log = bool(values) and max(values) / min(values) >= _LOG_FROM_RATIO
    scale = alt.Scale(type="log", nice=False, padding=10) if is_log else alt.Scale(zero=True, padding=10)
    ticks = alt.Axis(values=[0.001, 0.01, 0.1, 1, 10, 100], format="~g") if is_log else alt.Axis(tickCount=5)
    if is_log:
        for row in rows:
            row["prevalence"] = row["prevalence"] or None
    return alt.X("prevalence:Q", title="Patches with the label (%)", scale=scale, axis=ticks)


def _deviation_axis(rows: list[dict[str, Cell]]) -> alt.X:
    """Symmetrical about 0, and wide enough that differences by rounding look small."""
    span = max([_LEAST_SPAN_PERCENT, *(abs(float(str(row["deviation"]))) for row in rows)])
    scale = alt.Scale(domain=[-span, span], nice=True, padding=8)
    title = "Prevalence against that of all parts (%)"
    return alt.X("deviation:Q", title=title, scale=scale, axis=alt.Axis(tickCount=5, labelExpr=_SIGNED))


def _caption(found: Distribution) -> str:
    without = [name for name, count in zip(found.labels, found.counts.sum(axis=0), strict=True) if not count]
    return f"No patch has: {', '.join(without)}." if without else ""


def _alternative(found: Distribution) -> str:
    sizes = ", ".join(f"{part} {size}" for part, size in zip(found.parts, found.sizes, strict=True))
    worst = found.worst()
    if worst is None:
        return f"Labels of the parts of a split ({sizes} patches): nothing to compare."
    label, part, deviation = worst
    return (
        f"How frequent each label is in each part of a split ({sizes} patches). Farthest from the whole: "
        f"{label} in {part}, {100 * deviation:+.3g} %."
    )
