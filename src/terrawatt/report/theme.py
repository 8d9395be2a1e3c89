"""How figures look: one palette, one set of sizes, for every figure and format."""

from enum import StrEnum
from typing import Any

import altair as alt
from altair.utils import schemapi

from terrawatt.report.language import vega_locale

# Okabe & Ito's colours, told apart with every common colour blindness; without the yellow, too pale on white.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
# A shape beside each colour, so that a figure also works in grey.
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right")
MAX_COLOURS = len(PALETTE)

DIVERGING = ("#B24A00", "#F2B27F", "#FFFFFF", "#85BBDB", "#005A8C")  # vermillion for -1, blue for +1
INK, GREY, PALE = "#222222", "#6B6B6B", "#E3E3E3"

FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
LABEL_PX, TITLE_PX = 13, 14
WIDTH_PX = 860  # of a whole figure, labels included: readable at a page's width

CONFIG: dict[str, Any] = {
    "font": FONT,
    "background": "white",
    "padding": 8,
    "aria": False,  # the page gives the whole figure one alternative text instead of one a mark
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": LABEL_PX,
        "titleFontSize": TITLE_PX,
        "titleFontWeight": "normal",
        "labelColor": INK,
        "titleColor": INK,
        "titlePadding": 10,
        "gridColor": PALE,
        "domainColor": GREY,
        "tickColor": GREY,
        "labelLimit": 260,
        "titleLimit": 0,
    },
    "legend": {
        "labelFontSize": LABEL_PX,
        "titleFontSize": LABEL_PX,
        "labelColor": INK,
        "titleColor": INK,
        "labelLimit": 0,
        "symbolLimit": 0,
        "symbolSize": 110,
    },
    "title": {"fontSize": TITLE_PX, "fontWeight": "bold", "anchor": "start", "color": INK},
    "header": {"labelFontSize": LABEL_PX, "titleFontSize": TITLE_PX},
    "concat": {"spacing": 24},
}


# For print: words in black and larger, since a figure is made narrower on paper; no grid.
_PAPER: dict[str, Any] = {
    "axis": {
        "labelFontSize": LABEL_PX + 2,
        "titleFontSize": TITLE_PX + 2,
        "labelColor": "#000000",
        "titleColor": "#000000",
        "domainColor": "#000000",
        "tickColor": "#000000",
        "grid": False,
    },
    "legend": {
        "labelFontSize": LABEL_PX + 2,
        "titleFontSize": LABEL_PX + 2,
        "labelColor": "#000000",
        "titleColor": "#000000",
    },
}


class Theme(StrEnum):
    """What a figure is made for."""

    SCREEN = "screen"  # the page, slides
    PAPER = "paper"


def specification(chart: alt.TopLevelMixin, theme: Theme = Theme.SCREEN) -> dict[str, Any]:
    """The Vega-Lite specification of a chart in a theme, in the current language; every format is made from it."""
    specified: dict[str, Any] = chart.to_dict(validate=schemapi.DEBUG_MODE)
    specified |= {"datasets": {name: list(rows) for name, rows in specified.get("datasets", {}).items()}}
    config = CONFIG | vega_locale()
    if theme is Theme.SCREEN:
        return specified | {"config": config}
    return specified | {"config": config | {part: CONFIG[part] | changes for part, changes in _PAPER.items()}}
