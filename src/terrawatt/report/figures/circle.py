"""The correlation circle: what the principal components are made of."""

from collections.abc import Iterator
from typing import Any, Literal

import altair as alt
import numpy as np
from scipy.optimize import isotonic_regression

from terrawatt.analysis.pca import PcaResult, principal_components
from terrawatt.analysis.statistics import quantities
from terrawatt.analysis.table import ColumnKind, Table
from terrawatt.records import Float64Array
from terrawatt.report.figures.captions import component_title, components_sentence, left_out_sentence
from terrawatt.report.figures.components import ONE_COMPONENT
from terrawatt.report.figures.figure import Drawing, Skipped
from terrawatt.report.figures.marks import Cell, inline, tip
from terrawatt.report.language import decimal, mark, say
from terrawatt.report.theme import GREY, INK, LABEL_PX, PALETTE

_FAMILIES = {
    ColumnKind.FACTOR: mark("settings"),
    ColumnKind.MODEL: mark("settings"),
    ColumnKind.ENERGY: mark("energy"),
    ColumnKind.PHASE: mark("energy"),
    ColumnKind.EMISSIONS: mark("energy"),
    ColumnKind.HOST: mark("machine and time"),
    ColumnKind.PERFORMANCE: mark("performance"),
}
_PAIRS = ((0, 1), (1, 2))
_LABEL_FROM = (
    0.3  # length of an arrow; shorter ones say nothing of these components, and their labels would hide others
)

_RADIUS_PX = 170
_LABELS_AT = 1.16  # distance of the columns of labels from the middle, in radii
_LABEL_GAP_PX, _LABEL_MAX_PX = 16, 190
_HALF_WIDTH = _LABELS_AT + _LABEL_MAX_PX / _RADIUS_PX
_LEAST_HALF_HEIGHT = 1.12
_SIDES: tuple[tuple[str, Literal["left", "right"]], ...] = ((">", "left"), ("<", "right"))


def pca_circle(table: Table) -> Drawing | Skipped:
    """The correlation of each quantity with the components: PC1 with PC2 and, when there is one, PC2 with PC3."""
    found = principal_components(quantities(table))
    if len(found.explained) < 2:
        return Skipped(say(ONE_COMPONENT))
    pairs = [pair for pair in _PAIRS if pair[1] < len(found.explained)]
    caption = say(
        "An arrow's coordinates are the correlations of a quantity with the two components; near "
        "the circle it is well represented, near the middle it is not. {found}",
        found=components_sentence(found),
    )
    chart = alt.vconcat(*(_circle(table, found, pair) for pair in pairs))
    details = f"{_unlabelled(found, pairs)}{left_out_sentence(found.left_out)}"
    return Drawing(chart, caption, say("Correlation circle. {found}", found=_strongest(found)), details)


def spread(positions: Float64Array, gap: float) -> Float64Array:
    """Positions moved as little as possible (least squares) so that neighbours are at least `gap` apart.

    Isotonic regression of the sorted positions, after the gaps up to each are subtracted.
    """
    order = np.argsort(positions, kind="stable")
    gaps = gap * np.arange(len(positions))
    moved = np.empty(len(positions))
    moved[order] = isotonic_regression(positions[order] - gaps).x + gaps
    return moved


def _circle(table: Table, found: PcaResult, pair: tuple[int, int]) -> alt.LayerChart | alt.FacetChart:
    """One circle; labels stand in a column on either side, each joined to its arrow's tip."""
    tips = found.loadings[:, pair]
    rows, labels = _arrows(table, found, tips), _labels(found, tips)
    highest = max((abs(float(str(label["label_y"]))) for label in labels), default=0.0)
    half_height = max(_LEAST_HALF_HEIGHT, highest + _LABEL_GAP_PX / _RADIUS_PX)
    ticks: dict[str, Any] = {"values": [-1, -0.5, 0, 0.5, 1], "grid": False, "domain": False}
    x = alt.X("x:Q", title=component_title(found, pair[0]), axis=alt.Axis(**ticks))
    y = alt.Y("y:Q", title=component_title(found, pair[1]), axis=alt.Axis(**ticks))
    x, y = (
        x.scale(domain=[-_HALF_WIDTH, _HALF_WIDTH], nice=False),
        y.scale(domain=[-half_height, half_height], nice=False),
    )
    families = [say(family) for family in dict.fromkeys(_FAMILIES.values())]
    colour = alt.Color(
        "family:N", title=None, legend=alt.Legend(orient="top", symbolType="stroke", symbolStrokeWidth=3)
    )
    colour = colour.scale(domain=families, range=list(PALETTE[: len(families)]))
    tooltip = [
        tip("name:N"),
        alt.Tooltip("x:Q", title=say("PC{n}", n=pair[0] + 1), format=".2f"),
        alt.Tooltip("y:Q", title=say("PC{n}", n=pair[1] + 1), format=".2f"),
    ]
    frame, arrows, texts = alt.Chart(inline(_frame())), alt.Chart(inline(rows)), alt.Chart(inline(labels))
    layers = [
        frame.mark_line(color=GREY, strokeWidth=1).encode(x=x, y=y, order="order:Q", detail="part:N"),
        texts.mark_rule(color=GREY, strokeWidth=0.6).encode(x=x, y=y, x2="line_x:Q", y2="label_y:Q"),
        arrows.mark_rule(strokeWidth=1.8).encode(x=x, y=y, x2="zero:Q", y2="zero:Q", color=colour),
        arrows.mark_circle(size=50, opacity=1).encode(x=x, y=y, color=colour, tooltip=tooltip),
        *(
            texts.transform_filter(f"datum.label_x {side} 0")
            .mark_text(align=align, fontSize=LABEL_PX, baseline="middle", limit=_LABEL_MAX_PX, color=INK)
            .encode(x="label_x:Q", y="label_y:Q", text="name:N", tooltip=tooltip)
            for side, align in _SIDES
        ),
    ]
    return alt.layer(*layers, width=2 * _HALF_WIDTH * _RADIUS_PX, height=2 * half_height * _RADIUS_PX)


def _arrows(table: Table, found: PcaResult, tips: Float64Array) -> list[dict[str, Cell]]:
    return [
        {"name": name, "family": say(_FAMILIES[table.columns[name].kind]), "x": float(x), "y": float(y), "zero": 0.0}
        for name, (x, y) in zip(found.names, tips, strict=True)
    ]


def _labels(found: PcaResult, tips: Float64Array) -> list[dict[str, Cell]]:
    """The label of each arrow that is long enough: on its side, near its height, clear of its neighbours."""
    labels: list[dict[str, Cell]] = []
    long = np.hypot(tips[:, 0], tips[:, 1]) >= _LABEL_FROM
    for side, here in ((1.0, long & (tips[:, 0] >= 0)), (-1.0, long & (tips[:, 0] < 0))):
        chosen = np.flatnonzero(here)
        if len(chosen) == 0:
            continue
        for i, height in zip(chosen, spread(tips[chosen, 1], _LABEL_GAP_PX / _RADIUS_PX), strict=True):
            labels.append(
                {
                    "name": found.names[i],
                    "x": float(tips[i, 0]),
                    "y": float(tips[i, 1]),
                    "line_x": side * (_LABELS_AT - 0.02),
                    "label_x": side * _LABELS_AT,
                    "label_y": float(height),
                }
            )
    return labels


def _frame() -> Iterator[dict[str, Cell]]:
    """The unit circle and its two axes."""
    for order, angle in enumerate(np.linspace(0, 2 * np.pi, 121)):
        yield {"part": "circle", "order": order, "x": float(np.cos(angle)), "y": float(np.sin(angle))}
    for order in (0, 1):
        yield {"part": "horizontal", "order": order, "x": 2.0 * order - 1, "y": 0.0}
        yield {"part": "vertical", "order": order, "x": 0.0, "y": 2.0 * order - 1}


def _unlabelled(found: PcaResult, pairs: list[tuple[int, int]]) -> str:
    """The quantities whose arrows are too short for a label, by circle."""
    parts = []
    for pair in pairs:
        lengths = np.hypot(found.loadings[:, pair[0]], found.loadings[:, pair[1]])
        names = [name for name, length in zip(found.names, lengths, strict=True) if length < _LABEL_FROM]
        if names:
            parts.append(
                say("PC{pair} and PC{pair_2}: {names}", pair=pair[0] + 1, pair_2=pair[1] + 1, names=", ".join(names))
            )
    return (
        say(
            "Arrows shorter than {label_from}, without a label – {parts}. ",
            label_from=_LABEL_FROM,
            parts="; ".join(parts),
        )
        if parts
        else ""
    )


def _strongest(found: PcaResult) -> str:
    """What the first two components are made of, in words."""
    sentences = []
    for component in range(2):
        order = np.argsort(-np.abs(found.loadings[:, component]), kind="stable")[:4]
        parts = [f"{found.names[i]} {decimal(found.loadings[i, component], '.2f')}" for i in order]
        sentences.append(say("PC{component} goes most with {parts}.", component=component + 1, parts=", ".join(parts)))
    return " ".join(sentences)
