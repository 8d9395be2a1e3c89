"""The correlation matrix of each model, side by side."""

import altair as alt
import numpy as np

from terrawatt.analysis import statistics
from terrawatt.analysis.correlation import by_model
from terrawatt.analysis.table import Table
from terrawatt.errors import AnalysisError
from terrawatt.report.figures.figure import Drawing, Skipped
from terrawatt.report.figures.marks import Cell, inline, tip
from terrawatt.report.figures.matrices import main_quantities
from terrawatt.report.language import mark, recorded, say
from terrawatt.report.scales import column_label
from terrawatt.report.theme import DIVERGING, PALE

MAX_MODELS = 6
ONE_MODEL = mark("the table has one model, or none: there is nothing to set side by side")
_CELL_PX, _COLUMNS = 17, 3
_MAX_QUANTITIES = 12


def correlation_by_model(table: Table) -> Drawing | Skipped:
    """Pearson's correlation of the main quantities within each model, at most 6."""
    models = by_model(table)
    if not models:
        return Skipped(say(ONE_MODEL))
    rows: list[dict[str, Cell]] = []
    names: dict[str, None] = {}
    counts, reasons = [], []
    for model, part in models[:MAX_MODELS]:
        try:
            found = statistics.correlation_matrix(statistics.quantities(part))
        except AnalysisError as error:
            reasons.append(f"{model}: {recorded(str(error))}")
            continue
        shown = main_quantities(part, found.names)[:_MAX_QUANTITIES]
        names |= {column_label(table, found.names[i]): None for i in shown}
        counts.append(f"{model}: {found.n}")
        rows += [_cell(table, model, found.names[i], found.names[j], found.values[i, j]) for i in shown for j in shown]
    if not rows:
        return Skipped(say("no model has enough repetitions ({reasons})", reasons="; ".join(reasons)))
    more = (
        say(" {n_models} further models are not shown.", n_models=len(models) - MAX_MODELS)
        if len(models) > MAX_MODELS
        else ""
    )
    caption = say(
        "Pearson's correlation within each model (repetitions – {counts}). A missing cell: a "
        "quantity that does not vary with this model.{more}{what}",
        counts="; ".join(counts),
        more=more,
        what=say(" Not drawn – {reasons}.", reasons="; ".join(reasons)) if reasons else "",
    )
    order = [label for label in (column_label(table, name) for name in map(str, table.frame.columns)) if label in names]
    return Drawing(_facets(rows, order), caption, say("Correlation matrices by model. {rows}", rows=_extremes(rows)))


def _cell(table: Table, model: str, row: str, column: str, r: float) -> dict[str, Cell]:
    return {"model": model, "row": column_label(table, row), "column": column_label(table, column), "r": float(r)}


def _facets(rows: list[dict[str, Cell]], order: list[str]) -> alt.ConcatChart:
    """One matrix a model, labels at the left and below each column of matrices."""
    models = list(dict.fromkeys(str(row["model"]) for row in rows))
    panels = []
    for position, model in enumerate(models):
        is_left = position % _COLUMNS == 0
        is_lowest = position // _COLUMNS == (len(models) - 1) // _COLUMNS  # above, columns are as the rows
        x_axis = alt.Axis(
            title=None, domain=False, ticks=False, labels=is_lowest, labelAngle=-90, labelLimit=190, labelFontSize=11
        )
        y_axis = alt.Axis(title=None, domain=False, ticks=False, labels=is_left, labelLimit=190, labelFontSize=11)
        base = alt.Chart(inline([row for row in rows if row["model"] == model]), title=model)
        panels.append(
            base.mark_rect(stroke=PALE, strokeWidth=0.5)
            .encode(
                x=alt.X("column:N", sort=order, axis=x_axis).scale(domain=order),
                y=alt.Y("row:N", sort=order, axis=y_axis).scale(domain=order),
                color=alt.Color(
                    "r:Q",
                    title=say("correlation r"),
                    scale=alt.Scale(domain=[-1, -0.5, 0, 0.5, 1], range=list(DIVERGING), interpolate="rgb"),
                    legend=alt.Legend(gradientLength=160, values=[-1, -0.5, 0, 0.5, 1], format=".1f"),
                ),
                tooltip=[tip("row:N"), tip("column:N"), alt.Tooltip("r:Q", format=".3f")],
            )
            .properties(width=_CELL_PX * len(order), height=_CELL_PX * len(order))
        )
    return alt.concat(*panels, columns=_COLUMNS, spacing=14)


def _extremes(rows: list[dict[str, Cell]]) -> str:
    """The pair whose correlation differs most between the models."""
    of_pair: dict[tuple[str, str], list[tuple[float, str]]] = {}
    for row in rows:
        first, second = str(row["row"]), str(row["column"])
        if first < second:
            of_pair.setdefault((first, second), []).append((float(str(row["r"])), str(row["model"])))
    several = {pair: values for pair, values in of_pair.items() if len(values) > 1}
    if not several:
        return say("No pair of quantities varies with two models.")
    pair, values = max(several.items(), key=lambda item: float(np.ptp([r for r, _ in item[1]])))
    (low, weak), (high, strong) = min(values), max(values)
    return say(
        "Most unlike: {pair} and {pair_2}, from {low:.2f} ({weak}) to {high:.2f} ({strong}).",
        pair=pair[0],
        pair_2=pair[1],
        low=low,
        weak=weak,
        high=high,
        strong=strong,
    )
