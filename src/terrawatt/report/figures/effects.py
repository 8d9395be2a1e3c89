"""Main effects and interactions: the marginal means of the model of a sweep, with their intervals."""

from collections.abc import Sequence

import altair as alt
import numpy as np

from terrawatt.analysis.effects import Effects, TermTest
from terrawatt.analysis.marginal import CellMean, MarginalMean
from terrawatt.analysis.table import Table
from terrawatt.report.effects import effects_of, energy_scale, p_text, shown_interactions
from terrawatt.report.figures.figure import Drawing, Skipped
from terrawatt.report.figures.marks import Cell, inline, lookup_expression, tip, value_axis, value_scale
from terrawatt.report.language import decimal, mark, recorded, say
from terrawatt.report.scales import Quantity, Scale, display_name
from terrawatt.report.theme import GREY, MAX_COLOURS, PALETTE, SHAPES

_MOST_LEVELS = 24  # of one factor; of more, the cheapest and the dearest are drawn
_ROW_PX = 26
_WIDTH_PX = 560
_PANELS, _PANEL_PX, _PANEL_HEIGHT_PX = 6, 310, 230
_SPREAD = 0.12  # of the groups of an interaction beside each other, as a share of a level's room
_MOST_POSITIONS = 12  # levels along an interaction's axis


def main_effects(table: Table) -> Drawing | Skipped:
    """The marginal mean of each level of each factor, with its 95 % interval, on one scale."""
    found = effects_of(table)
    if found.reason:
        return Skipped(recorded(found.reason))
    scale = energy_scale(found, table)
    energy = _quantity(table, found, found.means, scale)
    panels = []
    hidden = 0
    for factor in found.factors:
        means = found.means_of(factor.name)
        shown = _outermost(means)
        hidden += len(means) - len(shown)
        panels.append(_factor_panel(shown, energy, scale, _factor_title(found, factor.name)))
    chart = alt.vconcat(*panels, spacing=14).resolve_scale(x="shared")
    caption = say(
        "Geometric mean of each level over all levels of the other factors, each with the same "
        "weight, and its 95 % interval; {n} repetitions. Dashed: the mean of all levels.",
        n=found.n,
    )
    if hidden:
        caption += say(" {hidden} levels between the cheapest and the dearest are not drawn.", hidden=hidden)
    return Drawing(chart, caption, _main_alternative(found, scale))


def interactions(table: Table) -> Drawing | Skipped:
    """What one factor does at each level of another, for each interaction in the model; the clearest first."""
    found = effects_of(table)
    if found.reason:
        return Skipped(recorded(found.reason))
    terms = [(term, *_axes(found, term)) for term in shown_interactions(found)]
    drawable = [(term, along, by) for term, along, by in terms if along and by]
    if not drawable:
        return Skipped(say("the model has no interaction of two factors with few levels"))
    scale = energy_scale(found, table)
    panels = [_panel(table, found, term, along, by, scale) for term, along, by in drawable[:_PANELS]]
    pairs = [alt.hconcat(*panels[i : i + 2]) for i in range(0, len(panels), 2)]
    rows = [pair.resolve_scale(color="independent", shape="independent") for pair in pairs]
    chart = alt.vconcat(*rows).resolve_scale(color="independent", shape="independent")
    caption = say(
        "Marginal means at the levels of two factors, with 95 % intervals. An interaction is "
        "where the ratio between the lines is not the same at all levels. p: by Holm, over all "
        "terms."
    )
    if len(drawable) < len(terms) or len(drawable) > _PANELS:
        caption += say(" {n_terms} more interactions are in the table only.", n_terms=len(terms) - len(panels))
    return Drawing(chart, caption, _interactions_alternative([term for term, _, _ in drawable[:_PANELS]]))


def _quantity(table: Table, found: Effects, means: Sequence[MarginalMean | CellMean], scale: Scale) -> Quantity:
    ends = np.array([end for mean in means for end in (mean.low, mean.mean, mean.high)]) / scale.divisor
    return Quantity(ends, f"{display_name(table, found.column)} ({scale.unit})", scale)


def _outermost(means: Sequence[MarginalMean]) -> Sequence[MarginalMean]:
    if len(means) <= _MOST_LEVELS:
        return means
    by_size = sorted(means, key=lambda mean: mean.mean)
    return [*by_size[: _MOST_LEVELS // 2], *by_size[-_MOST_LEVELS // 2 :]]


def _factor_title(found: Effects, name: str) -> str:
    term = found.term(name)
    return f"{name}, {p_text(term.p_adjusted)}" if term else name


def _factor_panel(
    means: Sequence[MarginalMean], energy: Quantity, scale: Scale, title: str
) -> alt.LayerChart | alt.FacetChart:
    """One factor: its levels as rows."""
    data = inline(
        {
            "level": mean.level,
            "y": i,
            "x": mean.mean / scale.divisor,
            "low": mean.low / scale.divisor,
            "high": mean.high / scale.divisor,
            "n": mean.n,
        }
        for i, mean in enumerate(means)
    )
    x = alt.X("x:Q", title=energy.title, scale=value_scale(energy), axis=value_axis(energy, ticks=6))
    labels = lookup_expression([mean.level for mean in means], 40)
    axis = alt.Axis(values=list(range(len(means))), labelExpr=labels, ticks=False, domain=False, grid=False)
    y = alt.Y("y:Q", title=None, axis=axis).scale(domain=[-0.5, len(means) - 0.5], reverse=True, nice=False, zero=False)
    tooltip = [
        tip("level:N"),
        alt.Tooltip("n:Q"),
        *(alt.Tooltip(f"{field}:Q", title=say(name), format=".4~g") for field, name in _ENDS.items()),
    ]
    middle = float(np.exp(np.mean([np.log(mean.mean) for mean in means]))) / scale.divisor
    return alt.layer(
        alt.Chart(inline([{"x": middle}])).mark_rule(color=GREY, strokeDash=[4, 4]).encode(x=x),
        alt.Chart(data).mark_rule(color=PALETTE[0], strokeWidth=2.4).encode(x=alt.X("low:Q"), x2="high:Q", y=y),
        alt.Chart(data).mark_point(filled=True, color=PALETTE[0], size=90, opacity=1).encode(x=x, y=y, tooltip=tooltip),
        width=_WIDTH_PX,
        height=_ROW_PX * len(means) + 8,
        title=title,
    )


_ENDS = {"x": mark("mean"), "low": mark("lower end, 95 %"), "high": mark("upper end, 95 %")}


def _axes(found: Effects, term: TermTest) -> tuple[str, str]:
    """Which factor lies along the axis, and which has the colours; two empty names where there are too many levels."""
    count = {factor.name: len(factor.levels) for factor in found.factors}
    numeric = {step.factor for step in found.steps}
    first, second = term.factors
    along, by = (first, second) if first in numeric and second not in numeric else (second, first)
    if count[by] > MAX_COLOURS:
        along, by = by, along
    return (along, by) if count[by] <= MAX_COLOURS and count[along] <= _MOST_POSITIONS else ("", "")


def _panel(
    table: Table, found: Effects, term: TermTest, along: str, by: str, scale: Scale
) -> alt.LayerChart | alt.FacetChart:
    """One interaction: a line for each level of the one factor."""
    levels = {factor.name: factor.levels for factor in found.factors}
    at = {name: term.factors.index(name) for name in (along, by)}
    groups = levels[by]
    cells = [cell for cell in found.cells if cell.factors == term.factors]
    energy = _quantity(table, found, cells, scale)
    rows: list[dict[str, Cell]] = []
    for cell in cells:
        group, position = cell.levels[at[by]], levels[along].index(cell.levels[at[along]])
        shift = (groups.index(group) - (len(groups) - 1) / 2) * _SPREAD / max(len(groups) - 1, 1)
        rows.append(
            {
                "group": group,
                "level": cell.levels[at[along]],
                "x": position + shift,
                "y": cell.mean / scale.divisor,
                "low": cell.low / scale.divisor,
                "high": cell.high / scale.divisor,
                "n": cell.n,
            }
        )
    data = inline(rows)
    n = len(levels[along])
    axis = alt.Axis(
        values=list(range(n)),
        labelExpr=lookup_expression(levels[along], 14),
        labelOverlap=False,
        labelAngle=-30 if sum(map(len, levels[along])) > 40 else 0,
        grid=False,
    )
    x = alt.X("x:Q", title=None, axis=axis).scale(domain=[-0.4, n - 0.6], nice=False, zero=False)
    y = alt.Y("y:Q", title=energy.title, scale=value_scale(energy), axis=value_axis(energy, ticks=5))
    legend = alt.Legend(orient="bottom", direction="horizontal", columns=2 if max(map(len, groups)) > 12 else 4)
    colour = alt.Color("group:N", title=by, legend=legend).scale(
        domain=list(groups), range=list(PALETTE[: len(groups)])
    )
    shape = alt.Shape("group:N", title=by, legend=legend).scale(domain=list(groups), range=list(SHAPES[: len(groups)]))
    tooltip = [
        alt.Tooltip("group:N", title=by),
        alt.Tooltip("level:N", title=along),
        alt.Tooltip("n:Q"),
        *(alt.Tooltip(f"{field}:Q", title=say(name), format=".4~g") for field, name in _CELL_ENDS.items()),
    ]
    base = alt.Chart(data)
    return alt.layer(
        base.mark_line(strokeWidth=1.6).encode(x=x, y=y, color=colour),
        base.mark_rule(strokeWidth=1.8).encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=colour),
        base.mark_point(filled=True, size=70, opacity=1).encode(x=x, y=y, color=colour, shape=shape, tooltip=tooltip),
        width=_PANEL_PX,
        height=_PANEL_HEIGHT_PX,
        title=[say("{along}, by {by}", along=along, by=by), p_text(term.p_adjusted)],
    )


_CELL_ENDS = {"y": mark("mean"), "low": mark("lower end, 95 %"), "high": mark("upper end, 95 %")}


def _main_alternative(found: Effects, scale: Scale) -> str:
    parts = []
    for factor in found.factors:
        means = sorted(found.means_of(factor.name), key=lambda mean: mean.mean)
        ends = [f"{mean.level} {decimal(mean.mean / scale.divisor, '.3g')}" for mean in (means[0], means[-1])]
        parts.append(
            say(
                "{name}: from {ends} to {ends_2} {unit}",
                name=factor.name,
                ends=ends[0],
                ends_2=ends[1],
                unit=scale.unit,
            )
        )
    return say("Marginal means by factor. {parts}.", parts="; ".join(parts))


def _interactions_alternative(terms: Sequence[TermTest]) -> str:
    shown, not_shown = say("shown"), say("not shown")
    said = "; ".join(
        f"{term.name}: {shown if term.is_shown else not_shown}, {p_text(term.p_adjusted)}" for term in terms
    )
    return say("Marginal means at pairs of levels. Interactions: {said}.", said=said)
