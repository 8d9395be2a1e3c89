"""Covariance and correlation of the table's quantities, as heat maps."""

from collections.abc import Iterator
from typing import Any

import altair as alt
import numpy as np

from terrawatt.analysis import statistics
from terrawatt.analysis.correlation import spearman_matrix
from terrawatt.analysis.statistics import Matrix
from terrawatt.analysis.table import ColumnKind, Table
from terrawatt.records import Float64Array
from terrawatt.report.figures.captions import left_out_sentence
from terrawatt.report.figures.figure import Drawing
from terrawatt.report.figures.marks import Cell, inline, tip
from terrawatt.report.language import decimal, say
from terrawatt.report.scales import column_label
from terrawatt.report.theme import DIVERGING, INK, LABEL_PX, PALE

_MATRIX_PX = 640  # side of the squares together
_SMALLEST_CELL_PX, _LARGEST_CELL_PX = 20, 64
_TEXT_FROM_CELL_PX = 30  # what a correlation such as −0.25 needs
_MAX_COVARIANCES = 16  # more numbers of six characters do not fit beside each other
_MAX_CHARACTERS = 6
_ROUNDING = 1e-9  # a correlation below is that of numbers without any
_SCORES_IN_COVARIANCE = ("Accuracy", "micro_f1", "macro_f1")


def correlation_matrix(table: Table) -> Drawing:
    """Pearson's correlation of all quantities that vary."""
    found = statistics.correlation_matrix(statistics.quantities(table))
    texts = [[decimal(value, ".2f").replace("-", "−") for value in row] for row in found.values]
    chart = _heat_map(table, found, found.values, texts)
    caption = say(
        "Pearson's correlation over {n} repetitions, all scenarios together: between scenarios "
        "it shows how their settings act. Quantities that have nothing to do with each other "
        "would still exceed |r| = {n_2:.2f} in 5 % of cases.",
        n=found.n,
        n_2=statistics.chance_correlation(found.n),
    )
    alternative = say(
        "Correlation matrix of {n_names} quantities. {found}", n_names=len(found.names), found=_strongest(found)
    )
    return Drawing(chart, caption, alternative, left_out_sentence(found.left_out))


def correlation_ranks(table: Table) -> Drawing:
    """Spearman's correlation of the same quantities."""
    complete = statistics.quantities(table)
    found = Matrix(complete.names, spearman_matrix(complete), len(complete.rows), complete.left_out)
    texts = [[decimal(value, ".2f").replace("-", "−") for value in row] for row in found.values]
    caption = say(
        "Spearman's correlation (of ranks) over {n} repetitions, all scenarios together. Where "
        "it is stronger than Pearson's, a relation rises or falls throughout but is not "
        "straight, or has outliers.",
        n=found.n,
    )
    alternative = say(
        "Rank correlation matrix of {n_names} quantities. {found}", n_names=len(found.names), found=_strongest(found)
    )
    return Drawing(
        _heat_map(table, found, found.values, texts), caption, alternative, left_out_sentence(found.left_out)
    )


def covariance_matrix(table: Table) -> Drawing:
    """Sample covariance of the main quantities; the colour is the correlation, which alone compares across units."""
    complete = statistics.quantities(table)
    found, colours = statistics.covariance_matrix(complete), statistics.correlation_matrix(complete)
    shown = main_quantities(table, found.names)
    names = tuple(found.names[i] for i in shown)
    values, r = found.values[np.ix_(shown, shown)], colours.values[np.ix_(shown, shown)]
    texts = [[_compact(value) for value in row] for row in np.where(np.abs(r) < _ROUNDING, 0.0, values)]
    chart = _heat_map(table, Matrix(names, values, found.n, found.left_out), r, texts)
    dropped = [name for name in found.names if name not in names]
    caption = say(
        "Sample covariance over {n} repetitions. A number's unit is that of its row times that "
        "of its column (2e6 is 2 · 10⁶); colours show the correlation.",
        n=found.n,
    )
    variances = "; ".join(f"{table.label(name)}: {_compact(values[i, i])}" for i, name in enumerate(names))
    not_shown = say("Columns not shown, for room: {dropped}. ", dropped=", ".join(dropped)) if dropped else ""
    details = f"{not_shown}{left_out_sentence(found.left_out)}"
    return Drawing(chart, caption, say("Covariances. Variances: {variances}.", variances=variances), details)


def _heat_map(table: Table, matrix: Matrix, colours: Float64Array, texts: list[list[str]]) -> alt.TopLevelMixin:
    """A square of cells, coloured from -1 to 1, with numbers where they are readable."""
    labels = [column_label(table, name) for name in matrix.names]
    cell_px = int(np.clip(_MATRIX_PX // len(labels), _SMALLEST_CELL_PX, _LARGEST_CELL_PX))
    axis: dict[str, Any] = {"title": None, "domain": False, "ticks": False, "labelLimit": 240, "labelPadding": 6}
    upright: dict[str, Any] = axis | {"labelAngle": -90, "labelAlign": "right", "labelBaseline": "middle"}
    x = alt.X("column:N", sort=labels, axis=alt.Axis(**upright)).scale(paddingInner=0.04)
    y = alt.Y("row:N", sort=labels, axis=alt.Axis(**axis)).scale(paddingInner=0.04)
    base = alt.Chart(inline(_cells(labels, matrix.values, colours, texts)))
    tooltip = [
        tip("row:N"),
        tip("column:N"),
        alt.Tooltip("value:Q", title=say("value"), format=".3g"),
        alt.Tooltip("r:Q", title=say("correlation"), format=".3f"),
    ]
    colour = alt.Color(
        "r:Q",
        title=say("correlation r"),
        scale=alt.Scale(domain=[-1, -0.5, 0, 0.5, 1], range=list(DIVERGING), interpolate="rgb"),
        legend=alt.Legend(gradientLength=160, values=[-1, -0.5, 0, 0.5, 1], format=".1f"),
    )
    squares = base.mark_rect(stroke=PALE, strokeWidth=0.5).encode(x=x, y=y, color=colour, tooltip=tooltip)
    if cell_px < _TEXT_FROM_CELL_PX:
        return alt.layer(squares, width=alt.Step(cell_px), height=alt.Step(cell_px))
    size = LABEL_PX if cell_px > 48 else 11
    text = base.mark_text(fontSize=size).encode(
        x=x,
        y=y,
        text="text:N",
        tooltip=tooltip,
        color=alt.condition("abs(datum.r) > 0.75", alt.value("white"), alt.value(INK)),
    )
    return alt.layer(squares, text, width=alt.Step(cell_px), height=alt.Step(cell_px))


def _cells(
    labels: list[str], values: Float64Array, colours: Float64Array, texts: list[list[str]]
) -> Iterator[dict[str, Cell]]:
    for i, row in enumerate(labels):
        for j, column in enumerate(labels):
            yield {
                "row": row,
                "column": column,
                "value": float(values[i, j]),
                "r": float(colours[i, j]),
                "text": texts[i][j],
            }


def main_quantities(table: Table, names: tuple[str, ...]) -> list[int]:
    """Positions of the quantities that a covariance figure has room for: no energies by phase, few scores."""
    if len(names) <= _MAX_COVARIANCES:
        return list(range(len(names)))
    return [i for i, name in enumerate(names) if _is_main(table, name)][:_MAX_COVARIANCES]


def _is_main(table: Table, name: str) -> bool:
    kind = table.columns[name].kind
    if kind is ColumnKind.PERFORMANCE:
        return name in _SCORES_IN_COVARIANCE
    return kind not in (ColumnKind.PHASE, ColumnKind.MODEL)


def _compact(value: float) -> str:
    """A number in at most six characters: `0.12`, `123`, `−4.5e6`, `−5e−12`."""
    size = abs(value)
    if size == 0 or 0.01 <= size < 1000:
        text = decimal(value, ".2g" if size < 100 else ".0f")
    else:
        text = _with_exponent(value, 1)
        text = text if len(text) <= _MAX_CHARACTERS else _with_exponent(value, 0)
    return text.replace("-", "−")


def _with_exponent(value: float, digits: int) -> str:
    mantissa, _, exponent = decimal(value, f".{digits}e").partition("e")
    return f"{mantissa}e{int(exponent)}"


def _strongest(matrix: Matrix) -> str:
    """The three strongest correlations between different quantities, in words."""
    rows, columns = np.triu_indices(len(matrix.names), k=1)
    order = np.argsort(-np.abs(matrix.values[rows, columns]))[:3]
    pairs = [
        say(
            "{names} and {names_2}: {values:.2f}",
            names=matrix.names[rows[i]],
            names_2=matrix.names[columns[i]],
            values=matrix.values[rows[i], columns[i]],
        )
        for i in order
    ]
    return say("Strongest: {pairs}.", pairs="; ".join(pairs))
