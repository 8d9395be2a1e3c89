"""Frugality scores over their weights, a curve for each scenario."""

from collections.abc import Callable, Mapping

import altair as alt
import numpy as np

from terrawatt.analysis.frugality import (
    Frugality,
    FrugalityScore,
    energy_score,
    frugality,
    harmonic_mean,
    weighted_sum,
)
from terrawatt.analysis.table import Table
from terrawatt.records import Float64Array
from terrawatt.report.figures.figure import Drawing
from terrawatt.report.figures.marks import Cell, inline, tip
from terrawatt.report.language import mark, say
from terrawatt.report.relations.statement import left_out_scenarios
from terrawatt.report.theme import GREY, MAX_COLOURS, PALETTE, WIDTH_PX
from terrawatt.units import J_PER_KWH

_CORNERS = 25  # of a curve; S_WS and S_E are straight lines
_KAPPA = (0.1, 10.0)  # of S_HM; beyond, it has come close to α and to 1 - β/B
_MAX_GREY = 24  # curves of other scenarios; more are a grey area without any information
_OTHERS = mark("others")

_Score = Callable[[Float64Array, Float64Array, Float64Array], Float64Array]
_TITLES: Mapping[FrugalityScore, tuple[str, str]] = {
    FrugalityScore.WEIGHTED_SUM: ("S_WS", mark("ε (weight of the performance)")),
    FrugalityScore.HARMONIC_MEAN: ("S_HM", mark("κ (weight of the energy)")),
    FrugalityScore.ENERGY: ("S_E", mark("w (weight of the energy in kWh)")),
}


def frugality_curves(table: Table) -> Drawing:
    """The three scores of each scenario; those that are best somewhere in colour.

    Raises:
        AnalysisError: scenarios that cannot be weighed, see `analysis.frugality`.
    """
    found = frugality(table)
    shown, names = _shown(found)
    panels = [_panel(found, score, shown, names) for score in FrugalityScore]
    best = "; ".join(f"{ranges.score}: {', '.join(one.label for one in ranges.best)}" for ranges in found.ranges)
    return Drawing(
        alt.hconcat(*panels, spacing=18),
        _caption(found, shown),
        say("Frugality scores over their weights. Best, from the least weight on: {best}.", best=best),
    )


def _shown(found: Frugality) -> tuple[list[int], dict[int, str]]:
    """Positions of the scenarios that are drawn, and the names of those in colour: best somewhere, at most 7."""
    position = {point.label: i for i, point in enumerate(found.points)}
    lengths: dict[int, float] = {}
    for ranges in found.ranges:
        for one in ranges.best:
            i, end = position[one.label], 10.0 if one.end is None else one.end
            lengths[i] = lengths.get(i, 0.0) + end - one.start
    if len(found.points) <= MAX_COLOURS:
        coloured = list(range(len(found.points)))
    else:
        coloured = sorted(sorted(lengths, key=lambda i: -lengths[i])[: MAX_COLOURS - 1])
    others = [i for i in range(len(found.points)) if i not in coloured]
    others = others[:: max(1, -(-len(others) // _MAX_GREY))]
    return [*others, *coloured], {i: found.points[i].label for i in coloured}


def _panel(
    found: Frugality, score: FrugalityScore, shown: list[int], names: dict[int, str]
) -> alt.LayerChart | alt.FacetChart:
    logarithmic = score is FrugalityScore.HARMONIC_MEAN
    weights = np.geomspace(*_KAPPA, _CORNERS) if logarithmic else np.array([0.0, 1.0])
    rows: list[dict[str, Cell]] = []
    for i in shown:
        point = found.points[i]
        heights = _heights(score, weights, point.performance, point.saved, point.energy_j / J_PER_KWH)
        rows += [
            {"w": w, "s": s, "name": names.get(i, say(_OTHERS)), "scenario": point.label}
            for w, s in zip(weights.tolist(), heights.tolist(), strict=True)
        ]
    title, weight = _TITLES[score]
    scale = alt.Scale(type="log", nice=False) if logarithmic else alt.Scale(nice=False)
    axis = alt.Axis(values=[0.1, 0.3, 1, 3, 10]) if logarithmic else alt.Axis(values=[0, 0.2, 0.4, 0.6, 0.8, 1])
    x = alt.X("w:Q", title=say(weight), scale=scale, axis=axis)
    y = alt.Y("s:Q", title=say("{title} (no unit)", title=title), scale=alt.Scale(zero=False))
    domain = [*names.values(), *([say(_OTHERS)] if len(shown) > len(names) else [])]
    colours = [*PALETTE[: len(names)], GREY]
    longest = max(len(name) for name in domain)
    columns = max(1, min(len(domain), WIDTH_PX // (7 * longest + 40)))
    legend = alt.Legend(orient="top", columns=columns, symbolType="stroke", symbolStrokeWidth=3, symbolOpacity=1)
    colour = alt.Color("name:N", title=None, legend=legend).scale(domain=domain, range=colours[: len(domain)])
    dash = alt.StrokeDash("name:N", title=None, legend=legend).scale(
        domain=domain, range=[[1, 0], [8, 3], [3, 3], [8, 3, 2, 3], [12, 4], [2, 2], [6, 2], [1, 0]][: len(domain)]
    )
    base = alt.Chart(inline(rows))
    line = base.mark_line(clip=True).encode(
        x=x,
        y=y,
        color=colour,
        strokeDash=dash,
        detail="scenario:N",
        size=alt.condition(f"datum.name == '{say(_OTHERS)}'", alt.value(0.5), alt.value(2)),
        opacity=alt.condition(f"datum.name == '{say(_OTHERS)}'", alt.value(0.35), alt.value(1)),
        tooltip=[
            tip("scenario:N"),
            alt.Tooltip("w:Q", title=say("weight"), format=".3~g"),
            alt.Tooltip("s:Q", format=".3~g"),
        ],
    )
    return alt.layer(line, width=212, height=300)


def _heights(
    score: FrugalityScore, weights: Float64Array, performance: float, saved: float, energy_kwh: float
) -> Float64Array:
    alpha = np.array(performance)
    if score is FrugalityScore.ENERGY:
        return energy_score(weights, alpha, np.array(energy_kwh))
    function: _Score = weighted_sum if score is FrugalityScore.WEIGHTED_SUM else harmonic_mean
    return function(weights, alpha, np.array(saved))


def _caption(found: Frugality, shown: list[int]) -> str:
    parts = [
        say(
            "Means of {score} (α) and {energy} (β) of {n_points} scenarios.",
            score=found.score,
            energy=found.energy,
            n_points=len(found.points),
        )
    ]
    if len(found.points) > MAX_COLOURS:
        grey = say(
            "In colour: those that are best over the widest ranges; {n_shown} of all are drawn.", n_shown=len(shown)
        )
        parts.append(grey)
    parts.append(say("S_WS and S_HM compare with the dearest scenario, S_E with 1 kWh; at the top the best."))
    return " ".join([*parts, *left_out_scenarios(found.left_out)])
