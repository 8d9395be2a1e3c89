"""The power of a machine around one repetition: the whole run, and the repetition large."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Literal

import altair as alt

from terrawatt.analysis.table import Table
from terrawatt.records import Semantics
from terrawatt.report.content import CurveWindow, PowerCurve
from terrawatt.report.figures.figure import Drawing, Figure
from terrawatt.report.figures.marks import Cell, inline
from terrawatt.report.language import mark, recorded, say, say_n
from terrawatt.report.numbers import mean_and_half_width, plain
from terrawatt.report.theme import GREY, INK, PALETTE
from terrawatt.report.thinning import thinned

PREFIX = "power_curve"
_WIDTH_PX = 760
_BINS = 150  # of a panel; each has the lowest and the highest point
_MARGIN = 0.08  # of the repetition, shown before and after it
_FEW_READINGS = 60  # each is marked
_MAX_PHASES = 5  # told apart by colour
_NO_READINGS = mark("no readings")
_WINDOWS = {
    mark("idle"): "#E3E3E3",
    mark("warm-up"): "#F6DFC0",
    mark("repetition"): "#DCEBF5",
    mark("this repetition"): "#8FBFE0",
}
_PHASES = (mark("setup"), mark("train"), mark("validate"), mark("test"), mark("other"))
_GAP = "#F0A58A"
_Held = Literal["linear", "step-before", "step-after"]
_HELD: Mapping[Semantics, _Held] = {
    Semantics.INSTANTANEOUS: "linear",
    Semantics.MEAN: "step-before",
    Semantics.COUNTER: "step-before",
    Semantics.ON_CHANGE: "step-after",
}


def curve_figures(curves: Iterable[PowerCurve]) -> list[tuple[PowerCurve, Figure]]:
    """A figure of each curve, named by its run, group and repetition."""
    return [(curve, Figure(_name(curve), _title(curve), partial(_draw, curve))) for curve in curves]


def _name(curve: PowerCurve) -> str:
    return "_".join([PREFIX, *("x" if number is None else str(number) for number in curve.key)])


def _title(curve: PowerCurve) -> str:
    return f"{curve.name}: {curve.scenario}" if curve.scenario else curve.name


def _draw(curve: PowerCurve, _table: Table) -> Drawing:
    """The whole run above, the repetition with its phases below."""
    length_s = curve.this.end_s - curve.this.start_s
    whole = (min(w.start_s for w in curve.windows), max(w.end_s for w in curve.windows))
    near = (curve.this.start_s - _MARGIN * length_s, curve.this.end_s + _MARGIN * length_s)
    run = [*(window for window in curve.windows if window.start_s != curve.this.start_s), curve.this]
    phases = _phases(curve, near)
    chart = alt.vconcat(
        _panel(curve, whole, run, 110, say("Power (W)")),
        _panel(curve, near, phases or [curve.this], 250, say("Power (W)")),
        spacing=22,
    ).resolve_scale(color="independent")
    return Drawing(chart, _caption(curve), _alternative(curve))


def _panel(
    curve: PowerCurve, domain: tuple[float, float], windows: Sequence[CurveWindow], height: int, title: str
) -> alt.LayerChart | alt.FacetChart:
    """Windows behind, gaps over them, the idle level dashed, the readings on top."""
    scale, unit = _time_unit(domain[1] - domain[0])
    start, end = domain[0] / scale, domain[1] / scale
    x = alt.X(
        "t:Q",
        title=say("Time since the repetition began ({unit})", unit=unit),
        scale=alt.Scale(domain=[start, end], nice=False),
        axis=alt.Axis(tickCount=10, grid=False),
    )
    y = alt.Y("p:Q", title=title, scale=alt.Scale(zero=False, nice=True, padding=6), axis=alt.Axis(tickCount=5))
    layers: list[alt.Chart] = [_bands(curve, domain, windows, scale)]
    ends = [{"t": t_s / scale} for t_s in (curve.this.start_s, curve.this.end_s)]
    layers.append(alt.Chart(inline(ends)).mark_rule(color=GREY, strokeWidth=1).encode(x=x))
    if curve.baseline:
        level = alt.Chart(inline(_level(curve, domain, scale)))
        layers.append(level.mark_line(color=PALETTE[1], strokeDash=[6, 4], strokeWidth=1.8).encode(x=x, y=y))
    rows = _readings(curve, domain, scale)
    held = _HELD[curve.source.semantics]
    tooltip = [alt.Tooltip("t:Q", title=unit, format=".5~g"), alt.Tooltip("p:Q", title="W", format=".5~g")]
    points = {"size": 22, "color": INK} if len(rows) <= _FEW_READINGS else False
    line = alt.Chart(inline(rows)).mark_line(
        color=INK, strokeWidth=1.2, interpolate=held, clip=True, strokeJoin="round", point=points
    )
    layers.append(line.encode(x=x, y=y, tooltip=tooltip))
    return alt.layer(*layers, width=_WIDTH_PX, height=height)


def _bands(curve: PowerCurve, domain: tuple[float, float], windows: Sequence[CurveWindow], scale: float) -> alt.Chart:
    """The windows and gaps that are to be seen, one colour a name."""
    gaps = [CurveWindow(_NO_READINGS, *gap) for gap in curve.gaps]
    shown = [*_joined(windows, domain), *_joined(gaps, domain)]
    rows: list[dict[str, Cell]] = [
        {"name": say(window.name), "a": window.start_s / scale, "b": window.end_s / scale} for window in shown
    ]
    known = list(dict.fromkeys(window.name for window in shown))
    names = [say(name) for name in known]
    colours = [_WINDOWS.get(name, _GAP if name == _NO_READINGS else "") for name in known]
    free = iter(_PHASE_COLOURS)
    colours = [colour or next(free) for colour in colours]
    legend = alt.Legend(orient="top", title=None, symbolOpacity=1, symbolType="square", columns=len(names))
    colour = alt.Color("name:N", legend=legend, scale=alt.Scale(domain=names, range=colours))
    bands = alt.Chart(inline(rows)).mark_rect(clip=True)
    encoded: alt.Chart = bands.encode(x=alt.X("a:Q"), x2="b:Q", color=colour)
    return encoded


# Pale versions of the palette: a line in ink is read on all of them.
_PHASE_COLOURS = ("#CFE3F1", "#C6E8DC", "#F5E3C0", "#EFD7E4", "#D9D9D9", "#D5EDFA", "#E8E4D8")


def _phases(curve: PowerCurve, domain: tuple[float, float]) -> list[CurveWindow]:
    """The phases of the repetition; those beyond a few names are called other."""
    names = list(dict.fromkeys(phase.name for phase in curve.phases))
    shown = names if len(names) <= _MAX_PHASES else names[: _MAX_PHASES - 1]
    return _joined(
        [CurveWindow(w.name if w.name in shown else "other", w.start_s, w.end_s) for w in curve.phases], domain
    )


def _joined(windows: Sequence[CurveWindow], domain: tuple[float, float]) -> list[CurveWindow]:
    """Those that reach into the panel; neighbours of one name that are closer than a pixel become one."""
    pixel_s = (domain[1] - domain[0]) / _WIDTH_PX
    joined: list[CurveWindow] = []
    for window in windows:
        if window.end_s <= domain[0] or window.start_s >= domain[1]:
            continue
        last = joined[-1] if joined else None
        if last is not None and last.name == window.name and 0 <= window.start_s - last.end_s < pixel_s:
            joined[-1] = CurveWindow(last.name, last.start_s, window.end_s)
        else:
            joined.append(window)
    return joined


def _readings(curve: PowerCurve, domain: tuple[float, float], scale: float) -> list[dict[str, Cell]]:
    kept = thinned(curve.t_s, curve.power_w, *domain, _BINS)
    return [
        {"t": t_s / scale, "p": power_w}
        for t_s, power_w in zip(curve.t_s[kept].tolist(), curve.power_w[kept].tolist(), strict=True)
    ]


def _level(curve: PowerCurve, domain: tuple[float, float], scale: float) -> list[dict[str, Cell]]:
    """The idle level from one edge of the panel to the other."""
    inner = [corner for corner in curve.baseline if domain[0] < corner[0] < domain[1]]
    corners = [(domain[0], _level_at(curve, domain[0])), *inner, (domain[1], _level_at(curve, domain[1]))]
    return [{"t": t_s / scale, "p": level_w} for t_s, level_w in corners]


def _level_at(curve: PowerCurve, t_s: float) -> float:
    (before_s, before_w), (after_s, after_w) = curve.baseline[0], curve.baseline[-1]
    share = min(max((t_s - before_s) / (after_s - before_s), 0.0), 1.0) if after_s > before_s else 0.0
    return before_w + share * (after_w - before_w)


def _time_unit(length_s: float) -> tuple[float, str]:
    if length_s > 3 * 3600:
        return 3600.0, "h"
    return (60.0, "min") if length_s > 600 else (1.0, "s")


def _caption(curve: PowerCurve) -> str:
    shown = {
        "linear": say("a line joins the readings, each the power at its moment"),
        "step-before": say("each step is the mean power since the reading before"),
        "step-after": say("each report holds until the next one"),
    }[_HELD[curve.source.semantics]]
    parts = [
        say("Shown as {why}.", why=curve.why)
        if curve.why[:3] == "the"
        else say("Shown because it is {why}.", why=curve.why),
        say(
            "Above the whole run, below the repetition between its two grey lines; {name}: {shown}.",
            name=curve.source.name,
            shown=shown,
        ),
    ]
    if curve.baseline:
        parts.append(say("Dashed: the idle level that is subtracted."))
    if curve.gaps:
        parts.append(say("Where there are no readings, the power is bridged from their neighbours."))
    if len(curve.t_s) > 2 * _BINS:
        parts.append(say("Of many readings the lowest and the highest of every few pixels are drawn."))
    return " ".join(parts)


def _alternative(curve: PowerCurve) -> str:
    inside = (curve.t_s >= curve.this.start_s) & (curve.t_s <= curve.this.end_s)
    power = curve.power_w[inside]
    parts = [say("Power of {name} over time, {name_2}.", name=curve.source.name, name_2=curve.name)]
    if len(power):
        parts.append(say("In the repetition {min} W to {max} W", min=plain(power.min(), 3), max=plain(power.max(), 3)))
        idle = (
            say(", over an idle level of {level} W.", level=plain(_level_at(curve, 0.0), 3)) if curve.baseline else "."
        )
        parts[-1] += idle
    energy = curve.energy
    net = recorded(energy.reason) or say(
        "net energy {energy_j} J", energy_j=mean_and_half_width(energy.energy_j, 2 * energy.u_j)
    )
    gaps = len(_joined([CurveWindow("", *gap) for gap in curve.gaps], (curve.this.start_s, curve.this.end_s)))
    in_gaps = say_n("{n} gap", "{n} gaps", gaps, n=gaps) if gaps else say("no gaps")
    return " ".join(
        [
            *parts,
            f"{net[0].upper()}{net[1:]}; {in_gaps}.",
        ]
    )
