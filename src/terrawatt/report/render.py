"""A figure's one specification as SVG, PNG, PDF and HTML, without a browser or network."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import vl_convert

from terrawatt.errors import ReportError, did_you_mean
from terrawatt.report.figures import Figure
from terrawatt.report.templating import environment

_PNG_SCALE = 2  # pixels a unit: sharp on dense screens and in print


@cache
def vega_bundle() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script; sets `window.vegaEmbed`."""
    bundle: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return bundle.replace("</script", r"<\/script")  # nothing may end the element that holds it


def render(figure: Figure, specification: Mapping[str, Any], alternative: str, form: str) -> bytes:
    """A figure in one format; see `rendered`."""
    return rendered(figure, specification, alternative, [form])[1][form]


def check_formats(forms: Sequence[str]) -> None:
    """Refuse formats of which a figure has none.

    Raises:
        ReportError: one is unknown.
    """
    for form in forms:
        if form not in FORMATS:
            raise ReportError(f"figure format {form!r} is unknown.{did_you_mean(form, FORMATS)}")


def rendered(
    figure: Figure, specification: Mapping[str, Any], alternative: str, forms: Sequence[str]
) -> tuple[bytes, dict[str, bytes]]:
    """A figure as SVG, and in some formats; Vega draws once, PNG and PDF are made from the SVG.

    Args:
        figure: for its title.
        specification: Vega-Lite, complete.
        alternative: what a listener hears instead.
        forms: of `FORMATS`.

    Raises:
        ReportError: a format is unknown, or the figure cannot be drawn.
    """
    check_formats(forms)
    form = "svg"
    try:
        svg = str(vl_convert.vegalite_to_svg(dict(specification)))
        files = {}
        for form in forms:
            files[form] = html_page(figure, specification, alternative) if form == "html" else _FROM_SVG[form](svg)
    except ValueError as error:  # what vl-convert raises for all that Vega refuses
        raise ReportError(f"figure {figure.name} cannot be drawn as {form}: {error}") from error
    return svg.encode("utf-8"), files


def small_png(svg: bytes) -> bytes:
    """A figure as PNG with one pixel a unit."""
    return bytes(vl_convert.svg_to_png(svg.decode("utf-8"), scale=1))


def small_svg(svg: bytes) -> bytes:
    """An SVG whose outlines and places are given to 0.01 px, instead of to the last digit of a float."""
    return re.sub(rb' (?:d|transform)="[^"]*"', lambda found: re.sub(rb"(\.\d\d)\d+", rb"\1", found[0]), svg)


def svg_size(svg: bytes) -> tuple[int, int]:
    """Width and height of an SVG, in px, from its root element."""
    root = svg[: svg.index(b">")].decode("utf-8")
    sides = dict(re.findall(r'\b(width|height)="([0-9.]+)"', root))
    return round(float(sides["width"])), round(float(sides["height"]))


def _png(svg: str) -> bytes:
    return bytes(vl_convert.svg_to_png(svg, scale=_PNG_SCALE))


def _pdf(svg: str) -> bytes:
    return bytes(vl_convert.svg_to_pdf(svg))


def html_page(figure: Figure, specification: Mapping[str, Any], alternative: str) -> bytes:
    """A figure as a page of its own; it holds the bundle, which takes a process more than a second to make."""
    page = environment().get_template("figure.html")
    return page.render(
        title=figure.title, specification=specification, alternative=alternative, bundle=vega_bundle()
    ).encode("utf-8")


_FROM_SVG: Mapping[str, Callable[[str], bytes]] = {"svg": str.encode, "png": _png, "pdf": _pdf}
FORMATS = (*_FROM_SVG, "html")
