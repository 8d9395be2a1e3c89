"""Figures of a sweep: trainings by epoch, its repetitions in time, and what their uncertainty is made of."""

from collections.abc import Sequence
from functools import partial

import altair as alt
import numpy as np

from terrawatt.analysis.table import Table
from terrawatt.analysis.training_curves import QUANTITIES, EpochPoint
from terrawatt.report.figures.figure import Drawing, Figure, Skipped
from terrawatt.report.figures.marks import Cell, group_colour, group_legend, group_shape, inline, tip
from terrawatt.report.grouping import Grouping, group_rows
from terrawatt.report.language import decimal, mark, recorded, say, say_n
from terrawatt.report.scales import scale_for
from terrawatt.report.sweep import SweepFacts, TrainingCurve
from terrawatt.report.theme import GREY, MAX_COLOURS, PALETTE, WIDTH_PX

NO_FOLDER = mark("only the folders of runs tell it, and none was read")
SWEEP_FIGURES = {
    "training_curves": mark("Training, epoch by epoch"),
    "time_line": mark("The sweep in time"),
    "uncertainty_budget": mark("What the uncertainty of the net energy is made of"),
}
_MAX_GROUPS = 12
_MAX_CURVES = 5  # of a group
_MAX_POINTS = 240  # of the panels below the time line
_COMPONENTS = ("meter", "resolution", "sampling", "timing", "gaps", "baseline")  # always in the same colour
_Key = tuple[int | None, int | None, int]


def sweep_figures(facts: SweepFacts | None) -> list[Figure]:
    """The figures of a sweep; they need more than the table."""
    functions = {"training_curves": _training, "time_line": _time_line, "uncertainty_budget": _budget}
    known = facts or SweepFacts()
    return [Figure(name, title, partial(functions[name], known)) for name, title in SWEEP_FIGURES.items()]


def _training(facts: SweepFacts, table: Table) -> Drawing | Skipped:
    """Loss and macro F1 by epoch: means over repetitions, with bands while there are few scenarios."""
    curves = facts.record.trainings
    if not curves:
        return Skipped(say("no workload wrote its epochs (training.json), or no run's folder was read"))
    grouping = group_rows(table, MAX_COLOURS)
    names = [name for name in QUANTITIES if any(curve.quantity == name for curve in curves)]
    width = (WIDTH_PX - 70 * len(names)) // len(names)
    # Many scenarios hide each other: each group then has a row of its own.
    parts = [curves] if not grouping.note else [_in_group(curves, grouping, i) for i in range(len(grouping.labels))]
    shown = {curve.scenario for part in parts for curve in part}
    rows = [
        alt.hconcat(
            *(_training_panel([c for c in part if c.quantity == name], name, grouping, width) for name in names),
            spacing=14,
        )
        for part in parts
        if part
    ]
    n = [point.n for curve in curves for point in curve.points]
    how_many = str(max(n)) if min(n) == max(n) else say("{n} to {n_2}", n=min(n), n_2=max(n))
    caption = say_n(
        "Means over {how_many} repetition of each scenario. {curves}{note}",
        "Means over {how_many} repetitions of each scenario. {curves}{note}",
        max(n),
        how_many=how_many,
        curves=_some(curves, shown),
        note=grouping.note or say("Bands: 95 % t-intervals of the mean (2 repetitions or more)."),
    )
    last = [
        f"{curve.scenario} {decimal(curve.points[-1].mean, '.3g')}" for curve in curves if curve.quantity == names[-1]
    ]
    said = say(
        "At the last epoch, {what}: {last}.",
        what=recorded(QUANTITIES[names[-1]]).partition(" (")[0],
        last="; ".join(last[:MAX_COLOURS]),
    )
    return Drawing(alt.vconcat(*rows, spacing=8), caption, say("Training curves. {said}", said=said))


def _some(curves: Sequence[TrainingCurve], shown: set[str]) -> str:
    n = len({curve.scenario for curve in curves})
    return (
        ""
        if len(shown) == n
        else say("{n_shown} of {n} scenarios, from the best to the worst of each group. ", n_shown=len(shown), n=n)
    )


def _in_group(curves: Sequence[TrainingCurve], grouping: Grouping, group: int) -> tuple[TrainingCurve, ...]:
    """The curves of a group; of many scenarios some, from the best to the worst by what is reached in the end."""
    of_group = [curve for curve in curves if grouping.of_row[curve.row] == group]
    if not of_group:
        return ()
    last = of_group[-1].quantity
    ranked = sorted((curve for curve in of_group if curve.quantity == last), key=lambda curve: curve.points[-1].mean)
    places = np.unique(np.linspace(0, len(ranked) - 1, min(len(ranked), _MAX_CURVES)).round().astype(int))
    kept = {ranked[i].scenario for i in places}
    return tuple(curve for curve in of_group if curve.scenario in kept)


def _training_panel(
    curves: Sequence[TrainingCurve], name: str, grouping: Grouping, width: int
) -> alt.LayerChart | alt.FacetChart:
    is_single = not grouping.note
    rows: list[dict[str, Cell]] = [
        {
            "epoch": point.epoch,
            "y": point.mean,
            **({"low": point.low, "high": point.high} if is_single else {}),
            "group": grouping.labels[grouping.of_row[curve.row]],
            "scenario": curve.scenario,
        }
        for curve in curves
        for point in (curve.points if is_single else _thinned(curve.points))
    ]
    colour = group_colour(grouping, legend=group_legend(grouping, WIDTH_PX))
    last = max((point.epoch for curve in curves for point in curve.points), default=1)
    x = alt.X(
        "epoch:Q",
        title=say("Epoch (number)"),
        axis=alt.Axis(tickMinStep=1, tickCount=min(last, 6), format="d"),
        scale=alt.Scale(nice=False),
    )
    y = alt.Y("y:Q", title=recorded(QUANTITIES[name]), scale=alt.Scale(zero=False))
    tooltip = [tip("scenario:N"), tip("epoch:Q"), alt.Tooltip("y:Q", title=recorded(QUANTITIES[name]), format=".4~g")]
    base = alt.Chart(inline(rows))
    strokes = base.mark_line(strokeWidth=2.2 if is_single else 1.2, opacity=1 if is_single else 0.55, point=last == 1)
    layers: list[alt.Chart] = [strokes.encode(x=x, y=y, color=colour, detail="scenario:N", tooltip=tooltip)]
    if is_single:
        band = base.transform_filter("isValid(datum.low)").mark_area(opacity=0.2)
        layers.insert(0, band.encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=colour, detail="scenario:N"))
    return alt.layer(*layers, width=width, height=260 if is_single else 120)


def _thinned(points: Sequence[EpochPoint]) -> list[EpochPoint]:
    """At most about 15 epochs, the first and the last among them."""
    every = -(-len(points) // 15)
    return [*points[:-1:every], points[-1]]


def _time_line(facts: SweepFacts, table: Table) -> Drawing | Skipped:
    """Which scenario was measured when, and the temperature and the idle level meanwhile."""
    if not facts.record.marks:
        return Skipped(say(NO_FOLDER))
    grouping = group_rows(table, MAX_COLOURS)
    group_of = dict(zip(_keys(table), (grouping.labels[i] for i in grouping.of_row), strict=True))
    marks = [one for one in facts.record.marks if (one.run, one.group, one.repetition) in group_of]
    if not marks:
        return Skipped(say("no repetition of the table has a place in time"))
    scale = scale_for(np.array([max(one.start_s + one.duration_s for one in marks)]), "s")
    rows: list[dict[str, Cell]] = []
    for one in marks:
        key: _Key = (one.run, one.group, one.repetition)
        energy = (facts.energies or {}).get(key)
        rows.append(
            {
                "a": one.start_s / scale.divisor,
                "b": (one.start_s + one.duration_s) / scale.divisor,
                "group": group_of[key],
                "temperature": one.temperature_c,
                "baseline": None if energy is None else energy.baseline_w,
                "what": say(
                    "{run}/{group}, repetition {repetition}",
                    run=one.run,
                    group=one.group or "–",
                    repetition=one.repetition,
                ),
            }
        )
    chart, missing = _time_panels(rows, grouping, scale.unit)
    several = len({one.run for one in marks}) > 1
    is_thinned = len(rows) > _MAX_POINTS
    parts = [say("Above: when each repetition was measured.")]
    parts += [say("Each run has a time of its own.")] if several else []
    parts += (
        [say("Below: the mean temperature in its window, and the idle level that is subtracted.")]
        if not missing
        else []
    )
    parts += [say("Of many repetitions some are shown below, and neighbours above are joined.")] if is_thinned else []
    parts += [say("Not known: {missing}.", missing=", ".join(missing))] if missing else []
    said = say(
        "{n_marks} repetitions within {rows:.3g} {unit}",
        n_marks=len(marks),
        rows=max(float(str(row["b"])) for row in rows),
        unit=scale.unit,
    )
    return Drawing(chart, " ".join([*parts, grouping.note]).strip(), say("Time line. {said}.", said=said))


def _time_panels(rows: list[dict[str, Cell]], grouping: Grouping, unit: str) -> tuple[alt.VConcatChart, list[str]]:
    """Order, temperature, idle level, one below the other; and which of them have no values."""
    legend = group_legend(grouping, WIDTH_PX)
    colour, shape = group_colour(grouping, legend=legend), group_shape(grouping, legend=legend)
    title = say("Time since the first repetition began ({unit})", unit=unit)
    middle = {"calculate": "(datum.a + datum.b) / 2", "as": "t"}
    every = -(-len(rows) // _MAX_POINTS)
    few = alt.Chart(inline(rows[::every])).transform_calculate(t=middle["calculate"])
    order = (
        alt.Chart(inline(_joined(rows)))
        .mark_bar(height={"band": 0.7})
        .encode(
            x=alt.X("a:Q", title=title, scale=alt.Scale(nice=False)),
            x2="b:Q",
            y=alt.Y("group:N", title=None, sort=list(grouping.labels), axis=alt.Axis(labelLimit=200)),
            color=colour,
            tooltip=[tip("group:N")],
        )
    )
    panels: list[alt.Chart] = [order.properties(width=620, height=max(60, 24 * len(grouping.labels)))]
    missing = []
    for name, field, label in (
        (say("Temperature"), "temperature", say("Temperature (°C)")),
        (say("Idle level"), "baseline", say("Idle level (W)")),
    ):
        if all(row[field] is None for row in rows):
            missing.append(name)
            continue
        points = few.transform_filter(f"isValid(datum.{field})").mark_point(filled=True, size=24, opacity=0.7)
        panels.append(
            points.encode(
                x=alt.X("t:Q", title=title),
                y=alt.Y(f"{field}:Q", title=label, scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=4)),
                color=colour,
                shape=shape,
                tooltip=[tip("what:N"), tip("group:N"), alt.Tooltip(f"{field}:Q", title=label, format=".4~g")],
            ).properties(width=620, height=120)
        )
    return alt.vconcat(*panels, spacing=12).resolve_scale(x="shared"), missing


def _joined(rows: list[dict[str, Cell]]) -> list[dict[str, Cell]]:
    """The bars; of many, neighbours of one group that stand too near to be told apart as one."""
    ordered = sorted(rows, key=lambda row: float(str(row["a"])))
    gap = float(str(ordered[-1]["b"])) / 200 if len(rows) > _MAX_POINTS else 0.0
    bars: list[dict[str, Cell]] = []
    for row in ordered:
        if bars and bars[-1]["group"] == row["group"] and float(str(row["a"])) - float(str(bars[-1]["b"])) < gap:
            bars[-1]["b"] = row["b"]
        else:
            bars.append({"a": row["a"], "b": row["b"], "group": row["group"]})
    return bars


def _budget(facts: SweepFacts, table: Table) -> Drawing | Skipped:
    """The share of each component in the variance of a repetition's net energy, by scenario."""
    if not facts.energies:
        return Skipped(say("no repetition has a budget: there is no source, or no run's record was read"))
    grouping = group_rows(table, _MAX_GROUPS)
    squares: dict[str, list[dict[str, float]]] = {label: [] for label in grouping.labels}
    unknown = 0
    for key, group in zip(_keys(table), grouping.of_row, strict=True):
        budget = facts.energies[key].budget_j if key in facts.energies else {}
        known = {name: u**2 for name, u in budget.items() if u is not None and np.isfinite(u)}
        unknown += len(budget) > len(known)
        if known and sum(known.values()) > 0 and len(known) == len(budget):
            squares[grouping.labels[group]].append(known)
    rows = [row for label in grouping.labels for row in _shares(label, squares[label])]
    if not rows:
        return Skipped(say("of no repetition all components of the uncertainty are known"))
    colours = {say(name): PALETTE[i] for i, name in enumerate(_COMPONENTS)}
    names = list(dict.fromkeys([*colours, *(str(row["component"]) for row in rows)]))
    names = [name for name in names if any(row["component"] == name for row in rows)]
    colour = alt.Color("component:N", title=None, legend=alt.Legend(orient="top", columns=len(names))).scale(
        domain=names, range=[colours.get(name, GREY) for name in names]
    )
    ticks = alt.Axis(values=[0, 20, 40, 60, 80, 100])
    chart = (
        alt.Chart(inline(rows), width=600, height=max(50, 30 * len(grouping.labels)))
        .mark_bar(stroke="white", strokeWidth=0.5)
        .encode(
            x=alt.X(
                "share:Q",
                title=say("Share of the variance u² (%)"),
                stack="zero",
                scale=alt.Scale(domain=[0, 100]),
                axis=ticks,
            ),
            y=alt.Y("group:N", title=None, sort=list(grouping.labels), axis=alt.Axis(labelLimit=220)),
            color=colour,
            order=alt.Order("position:Q"),
            tooltip=[
                tip("group:N"),
                tip("component:N"),
                alt.Tooltip("share:Q", title=say("share"), format=".1f"),
                "n:Q",
            ],
        )
    )
    left_out = say("{unknown} repetitions with an unknown component are left out. ", unknown=unknown) if unknown else ""
    caption = say(
        "Components of the standard uncertainty u of a repetition's net energy by {source}: mean "
        "of their shares in u² over the repetitions. {left_out}{note}",
        source=facts.source,
        left_out=left_out,
        note=grouping.note,
    )
    largest = {label: max(part, key=lambda row: float(str(row["share"]))) for label in grouping.labels
               if (part := [row for row in rows if row["group"] == label])}  # fmt: skip
    said = "; ".join(
        f"{label}: {row['component']} {decimal(float(str(row['share'])), '.0f')} %" for label, row in largest.items()
    )
    return Drawing(chart, caption.strip(), say("Uncertainty budget. Largest component – {said}.", said=said))


def _shares(label: str, squares: list[dict[str, float]]) -> list[dict[str, Cell]]:
    if not squares:
        return []
    names = list(dict.fromkeys(name for one in squares for name in one))
    shares = {name: float(np.mean([100 * one.get(name, 0.0) / sum(one.values()) for one in squares])) for name in names}
    position = {name: i for i, name in enumerate(_COMPONENTS)}
    return [
        {"group": label, "component": say(name), "share": share, "n": len(squares), "position": position.get(name, 99)}
        for name, share in shares.items()
    ]


def _keys(table: Table) -> list[_Key]:
    """(run, group, repetition) of each row; None where the table has none."""

    def whole(name: str) -> list[int | None]:
        if name not in table.frame:
            return [None] * len(table.frame)
        cells = table.frame[name].astype(object)
        return [int(cell) if isinstance(cell, int | float | np.number) and cell == cell else None for cell in cells]

    return [
        (run, group, repetition or 0)
        for run, group, repetition in zip(whole("Run"), whole("Group"), whole("Repetition"), strict=True)
    ]
