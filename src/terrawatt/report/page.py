"""`report.html`: one file that opens anywhere, without a network, and the figures beside it."""

import base64
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from itertools import repeat
from pathlib import Path
from typing import Any

from altair.utils.schemapi import debug_mode

from terrawatt.analysis.table import Table
from terrawatt.report import facts
from terrawatt.report.budget import BudgetRow, budget_rows
from terrawatt.report.content import CurveEnergy, PowerCurve, ReportContent
from terrawatt.report.effects import effects_of, effects_section
from terrawatt.report.figures import FIGURES, Figure, Skipped
from terrawatt.report.figures.power_curve import PREFIX, curve_figures
from terrawatt.report.figures.sweep import sweep_figures
from terrawatt.report.language import say, speaking
from terrawatt.report.look import Look
from terrawatt.report.numbers import mean_and_half_width, plain
from terrawatt.report.relations import statements
from terrawatt.report.render import (
    FORMATS,
    check_formats,
    html_page,
    rendered,
    small_png,
    small_svg,
    svg_size,
    vega_bundle,
)
from terrawatt.report.repetitions import repetitions
from terrawatt.report.tables import scenario_table
from terrawatt.report.templating import environment, packed
from terrawatt.report.theme import specification
from terrawatt.report.verdicts import estimates, standing, verdict_lines, without_unusable
from terrawatt.report.workers import MANY_ROWS, Here
from terrawatt.runs.atomic import write_bytes, write_text

_LARGEST_PAGE = 4_900_000  # bytes; of a larger page the last power curves are left out, which are files too
_LARGEST_SVG = 100_000  # bytes; with more points in it, a figure's fallback picture may be smaller as PNG


@dataclass(frozen=True, eq=False)
class PageFigure:
    """A figure as the page shows it: a picture at once, which a script replaces by the interactive figure.

    Attributes:
        figure: its name and title.
        reason: why it is not drawn; empty when it is.
        caption: beside it.
        details: to look up.
        alternative: instead of it, for listeners.
        specification: Vega-Lite.
        picture: a `data:` address.
        width: of the picture, px.
        height: of the picture, px.
        files: format -> content.
    """

    figure: Figure
    reason: str = ""
    caption: str = ""
    details: str = ""
    alternative: str = ""
    specification: Mapping[str, Any] = field(default_factory=dict)
    picture: str = ""
    width: int = 0
    height: int = 0
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class PageCurve:
    """A power curve as the page shows it: the figure, the net energy in words, and its budget."""

    drawn: PageFigure
    energy: CurveEnergy
    net: str
    budget: tuple[BudgetRow, ...]


def write_report(
    content: ReportContent,
    folder: Path,
    *,
    formats: Sequence[str] | None = None,
    look: Look | None = None,
    executor: Executor | None = None,
) -> Path:
    """Write `report.html` and `figures/<name>.<format>` into a folder.

    All is drawn before the first file is written. Figures of an earlier report that this one cannot draw are removed.

    Args:
        content: what the page says.
        folder: where to.
        formats: of the figures' files; None: those of the look.
        look: which figures, in which formats, for what; None: all.
        executor: that draws the figures; None: this process does.

    Returns:
        The page.

    Raises:
        ReportError: a format is unknown, or a figure cannot be drawn.
    """
    look = look or Look()
    look = replace(look, formats=tuple(look.formats if formats is None else formats))
    check_formats(look.formats)
    with speaking(look.language):
        return _write(content, folder, look, executor or Here())


def _write(content: ReportContent, folder: Path, look: Look, executor: Executor) -> Path:
    """Write a report in the current language."""
    usable = without_unusable(content.table, content.verdicts)
    shown = [figure for figure in [*FIGURES.values(), *sweep_figures(content.sweep)] if look.shows(figure.name)]
    titled = curve_figures(content.curves if look.shows(PREFIX) else ())
    no_page = replace(look, formats=tuple(form for form in look.formats if form != "html"))  # each would be a megabyte
    looks = [look] * len(shown) + [no_page] * len(titled)
    executor = executor if len(usable.frame) >= MANY_ROWS else Here()
    drawing = executor.map(_draw, [*shown, *(figure for _, figure in titled)], repeat(usable), looks)
    drawn = [_with_html(figure, one) for figure, one in zip(drawing, looks, strict=True)]
    figures = drawn[: len(shown)]
    curves = [_curve(curve, figure) for (curve, _), figure in zip(titled, drawn[len(shown) :], strict=True)]
    page = _page(content, usable, figures, curves)
    fitting = _fitting(curves, len(page.encode("utf-8")) - _LARGEST_PAGE)
    if fitting < len(curves):
        content = replace(content, curves_left_out=content.curves_left_out + len(curves) - fitting)
        page = _page(content, usable, figures, curves[:fitting])
    _write_figures([*figures, *(curve.drawn for curve in curves)], folder / "figures")
    write_text(folder / "report.html", page)
    return folder / "report.html"


def _fitting(curves: Sequence[PageCurve], excess: int) -> int:
    """How many of the power curves, from the first on, stay on a page that is too large by some bytes."""
    fitting = len(curves)
    while fitting and excess > 0:
        fitting -= 1
        drawn = curves[fitting].drawn
        excess -= len(drawn.picture) + len(packed(drawn.specification))
    return fitting


def _draw(figure: Figure, table: Table, look: Look) -> PageFigure:
    """One figure in all formats but HTML, and the picture that the page shows of it; also in a worker process.

    Altair's check of each part against the schema of Vega-Lite is for tests: it takes as long as all the rest.
    """
    with speaking(look.language), debug_mode(False):
        return _drawn(figure, table, look)


def _drawn(figure: Figure, table: Table, look: Look) -> PageFigure:
    figure = figure.in_words()
    drawn = figure.draw(table)
    if isinstance(drawn, Skipped):
        return PageFigure(figure, drawn.reason)
    specified = specification(drawn.chart, look.theme)
    svg, files = rendered(figure, specified, drawn.alternative, [form for form in look.formats if form != "html"])
    width, height = svg_size(svg)
    picture = _picture(svg)
    return PageFigure(
        figure,
        caption=drawn.caption,
        details=drawn.details,
        alternative=drawn.alternative,
        specification=specified,
        picture=f"data:{picture[0]};base64,{base64.b64encode(picture[1]).decode('ascii')}",
        width=width,
        height=height,
        files=files,
    )


def _with_html(drawn: PageFigure, look: Look) -> PageFigure:
    """A figure that was drawn, also as a page of its own where that is asked for: all share the bundle made here."""
    if "html" not in look.formats or not drawn.picture:
        return drawn
    page = html_page(drawn.figure, drawn.specification, drawn.alternative)
    return replace(drawn, files={**drawn.files, "html": page})


def _picture(svg: bytes) -> tuple[str, bytes]:
    """The fallback picture with its type: SVG, or PNG where that is smaller."""
    drawn = small_svg(svg)
    if len(drawn) > _LARGEST_SVG and len(png := small_png(svg)) < len(drawn):
        return "image/png", png
    return "image/svg+xml", drawn


def _curve(curve: PowerCurve, drawn: PageFigure) -> PageCurve:
    """One power curve with its energy in words."""
    energy = curve.energy
    interval = (
        say("; 95 % interval: ± {half} J", half=plain(energy.half_width_j, 2))
        if math.isfinite(energy.half_width_j)
        else ""
    )
    net = say(
        "{energy} J (± U, k = 2{interval})",
        energy=mean_and_half_width(energy.energy_j, 2 * energy.u_j),
        interval=interval,
    )
    if math.isnan(energy.u_j):
        net = say("{energy} J, its uncertainty unknown", energy=plain(energy.energy_j))
    return PageCurve(drawn, energy, net, budget_rows(energy))


def _page(content: ReportContent, usable: Table, figures: Sequence[PageFigure], curves: Sequence[PageCurve]) -> str:
    """The whole page as text."""
    estimated = estimates(content.runs)
    all_drawn = [*figures, *(curve.drawn for curve in curves)]
    return (
        environment()
        .get_template("report.html")
        .render(
            content=content,
            standing=standing(content.table, content.verdicts),
            verdicts=verdict_lines(content.table, content.verdicts),
            trials=facts.trials(content.runs),
            estimates=estimated,
            settings=facts.settings(content.runs),
            protocols=facts.protocols(content.runs),
            meters=facts.meters(content.runs),
            machines=facts.machines(content.runs),
            notes=facts.notes(content.runs),
            versions=facts.versions(content.runs),
            scenarios=scenario_table(usable, estimated),
            repetitions=repetitions(content.table),
            figures=figures,
            curves=curves,
            statements=statements(content.relations),
            effects=effects_section(content.effects or effects_of(usable), usable),
            bundle=vega_bundle() if any(drawn.picture for drawn in all_drawn) else "",
        )
    )


def _write_figures(figures: Sequence[PageFigure], folder: Path) -> None:
    """Write the figures' files; remove those of an earlier report that no longer belong to this one."""
    folder.mkdir(parents=True, exist_ok=True)
    names = {drawn.figure.name for drawn in figures}
    for path in folder.glob(f"{PREFIX}_*.*"):
        if path.stem not in names:
            path.unlink()
    for drawn in figures:
        for form in FORMATS:
            path = folder / f"{drawn.figure.name}.{form}"
            if form in drawn.files:
                write_bytes(path, drawn.files[form])
            else:
                path.unlink(missing_ok=True)
