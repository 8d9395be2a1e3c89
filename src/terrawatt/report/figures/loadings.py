"""Loadings of principal components with their bands, and those of each model's own components."""

from collections.abc import Sequence

import altair as alt

from terrawatt.analysis.correlation import by_model
from terrawatt.analysis.loadings import Component, Components, components
from terrawatt.analysis.pca import PcaResult, principal_components
from terrawatt.analysis.statistics import quantities
from terrawatt.analysis.table import Table
from terrawatt.errors import AnalysisError
from terrawatt.records import Float64Array
from terrawatt.report.figures.by_model import MAX_MODELS, ONE_MODEL
from terrawatt.report.figures.captions import left_out_sentence
from terrawatt.report.figures.figure import Drawing, Skipped
from terrawatt.report.figures.marks import Cell, inline, tip
from terrawatt.report.language import decimal, mark, recorded, say
from terrawatt.report.theme import GREY, INK, LABEL_PX, PALETTE, SHAPES, WIDTH_PX

_BAND = (mark("loading"), mark("low"), mark("high"))
_ROW_PX, _PANEL_PX, _LABELS_PX = 19, 190, 190


def pca_loadings(table: Table) -> Drawing:
    """The loadings on the first components: points with bands, the size of a point its contribution."""
    found = components(table)
    order = [loading.quantity for loading in found.components[0].loadings]
    panels = [_panel(_rows(found, i), order, _title(found, i), is_first=i == 0) for i in range(len(found.components))]
    bands = (
        say(
            "Bars: 95 % bands from {resamples} draws of {what}.",
            resamples=found.resamples,
            what=say("scenarios") if found.scenarios > 1 else say("repetitions"),
        )
        if found.resamples
        else say("No bands: {reason}.", reason=found.reason)
    )
    caption = say(
        "Correlations of the quantities with the components, over {n} repetitions; the larger a "
        "point, the more the quantity contributes. {bands}",
        n=found.n,
        bands=bands,
    )
    said = "; ".join(say("PC{n}: {largest}", n=one.number, largest=_largest(one)) for one in found.components)
    chart = alt.hconcat(*panels, spacing=14)
    return Drawing(chart, caption, say("Loadings. Largest – {said}.", said=said), left_out_sentence(found.left_out))


def pca_by_model(table: Table) -> Drawing | Skipped:
    """The loadings of the first two components of each model, which are computed from its repetitions alone."""
    models = by_model(table)
    if not models:
        return Skipped(say(ONE_MODEL))
    found: list[tuple[str, PcaResult]] = []
    reasons = []
    for model, part in models[:MAX_MODELS]:
        try:
            found.append((model, principal_components(quantities(part))))
        except AnalysisError as error:
            reasons.append(f"{model}: {recorded(str(error))}")
    if not found:
        return Skipped(say("no model has enough repetitions ({reasons})", reasons="; ".join(reasons)))
    names = [name for name in map(str, table.frame.columns) if any(name in one.names for _, one in found)]
    count = min(2, *(len(one.explained) for _, one in found))
    panels = []
    for i in range(count):
        rows: list[dict[str, Cell]] = [
            {"model": model, "quantity": name, "loading": float(value)}
            for model, one in found
            for name, value in zip(one.names, one.loadings[:, i], strict=True)
        ]
        title = say("Correlation with PC{i} (no unit)", i=i + 1)
        panels.append(_models_panel(rows, names, title, [model for model, _ in found], is_first=i == 0))
    shares = "; ".join(f"{model}: {_percents(one.explained[:count])} (n = {len(one.rows)})" for model, one in found)
    caption = say(
        "Each model's own components; a component's sign makes its largest loading positive. "
        "Share of the variance, from PC1 on – {shares}. A missing point: a quantity that does "
        "not vary with this model.{what}",
        shares=shares,
        what=say(" Not drawn – {reasons}.", reasons="; ".join(reasons)) if reasons else "",
    )
    return Drawing(
        alt.hconcat(*panels, spacing=14), caption, say("Loadings by model. Variance – {shares}.", shares=shares)
    )


def _largest(component: Component) -> str:
    return ", ".join(f"{one.quantity} {decimal(one.loading, '.2f')}" for one in component.loadings[:3])


def _percents(shares: Float64Array) -> str:
    return ", ".join(f"{decimal(100 * share, '.0f')} %" for share in shares)


def _title(found: Components, i: int) -> str:
    return say("PC{i} ({explained:.0f} % of the variance)", i=i + 1, explained=100 * found.components[i].explained)


def _rows(found: Components, i: int) -> list[dict[str, Cell]]:
    return [
        {
            "quantity": loading.quantity,
            "loading": loading.loading,
            "low": loading.low,
            "high": loading.high,
            "contribution": 100 * loading.contribution,
        }
        for loading in found.components[i].loadings
    ]


def _axes(order: Sequence[str], title: str, *, is_first: bool) -> tuple[alt.X, alt.Y]:
    x = alt.X("loading:Q", title=title, axis=alt.Axis(values=[-1, -0.5, 0, 0.5, 1])).scale(domain=[-1, 1], nice=False)
    axis = alt.Axis(title=None, domain=False, ticks=False, labels=is_first, labelLimit=_LABELS_PX, grid=True)
    return x, alt.Y("quantity:N", sort=list(order), axis=axis).scale(domain=list(order))


def _panel(
    rows: list[dict[str, Cell]], order: Sequence[str], title: str, *, is_first: bool
) -> alt.LayerChart | alt.FacetChart:
    x, y = _axes(order, title, is_first=is_first)
    base = alt.Chart(inline(rows))
    zero = alt.Chart(inline([{"zero": 0.0}])).mark_rule(color=GREY).encode(x="zero:Q")
    tooltip = [
        tip("quantity:N"),
        *(alt.Tooltip(f"{name}:Q", title=say(name), format=".2f") for name in _BAND),
        alt.Tooltip("contribution:Q", title=say("contribution (%)"), format=".1f"),
    ]
    size = alt.Size("contribution:Q", legend=None).scale(range=[36, 200])
    layers = [
        zero,
        base.mark_rule(color=INK, strokeWidth=1.6).encode(x=alt.X("low:Q"), x2="high:Q", y=y),
        base.mark_circle(color=PALETTE[0], opacity=0.9).encode(x=x, y=y, size=size, tooltip=tooltip),
    ]
    return alt.layer(*layers, width=_PANEL_PX, height=_ROW_PX * len(order))


def _models_panel(
    rows: list[dict[str, Cell]], order: Sequence[str], title: str, models: Sequence[str], *, is_first: bool
) -> alt.LayerChart | alt.FacetChart:
    x, y = _axes(order, title, is_first=is_first)
    columns = max(1, min(len(models), WIDTH_PX // (7 * max(map(len, models)) + 40)))
    legend = alt.Legend(orient="top", columns=columns, symbolOpacity=1, labelFontSize=LABEL_PX)
    colour = alt.Color("model:N", title=None, legend=legend).scale(
        domain=list(models), range=list(PALETTE[: len(models)])
    )
    shape = alt.Shape("model:N", title=None, legend=legend).scale(
        domain=list(models), range=list(SHAPES[: len(models)])
    )
    zero = alt.Chart(inline([{"zero": 0.0}])).mark_rule(color=GREY).encode(x="zero:Q")
    points = alt.Chart(inline(rows)).mark_point(filled=True, size=60, opacity=0.85)
    tooltip = [tip("model:N"), tip("quantity:N"), alt.Tooltip("loading:Q", title=say("loading"), format=".2f")]
    layers = [zero, points.encode(x=x, y=y, color=colour, shape=shape, tooltip=tooltip)]
    return alt.layer(*layers, width=300, height=_ROW_PX * len(order))
