"""A figure's one specification as SVG, PNG, PDF and HTML, without a browser or network."""

import re
from collections.abc import Callable, Mapping
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
    """A figure in one format.

    Args:
        figure: for its title.
        specification: Vega-Lite, complete.
        alternative: what a listener hears instead.
        form: one of `FORMATS`.

    Raises:
        ReportError: the format is unknown, or the figure cannot be drawn.
    """
    if form not in FORMATS:
        raise ReportError(f"figure format {form!r} is unknown.{did_you_mean(form, FORMATS)}")
    try:
        return _RENDERERS[form](figure, dict(specification), alternative)
    except ValueError as error:  # what vl-convert raises for all that Vega refuses
        raise ReportError(f"figure {figure.name} cannot be drawn as {form}: {error}") from error


def small_png(specification: Mapping[str, Any]) -> bytes:
    """A figure as PNG with one pixel a unit."""
    return bytes(vl_convert.vegalite_to_png(dict(specification), scale=1))


def small_svg(svg: bytes) -> bytes:
    """An SVG whose outlines and places are given to 0.01 px, instead of to the last digit of a float."""
    return re.sub(rb' (?:d|transform)="[^"]*"', lambda found: re.sub(rb"(\.\d\d)\d+", rb"\1", found[0]), svg)


def svg_size(svg: bytes) -> tuple[int, int]:
    """Width and height of an SVG, in px, from its root element."""
    root = svg[: svg.index(b">")].decode("utf-8")
    sides = dict(re.findall(r'\b(width|height)="([0-9.]+)"', root))
    return round(float(sides["width"])), round(float(sides["height"]))


def _svg(_figure: Figure, specification: dict[str, Any], _alternative: str) -> bytes:
    return str(vl_convert.vegalite_to_svg(specification)).encode("utf-8")


def _png(_figure: Figure, specification: dict[str, Any], _alternative: str) -> bytes:
    return bytes(vl_convert.vegalite_to_png(specification, scale=_PNG_SCALE))


def _pdf(_figure: Figure, specification: dict[str, Any], _alternative: str) -> bytes:
    return bytes(vl_convert.vegalite_to_pdf(specification))


def _html(figure: Figure, specification: dict[str, Any], alternative: str) -> bytes:
    page = environment().get_template("figure.html")
    return page.render(
        title=figure.title, specification=specification, alternative=alternative, bundle=vega_bundle()
    ).encode("utf-8")


_RENDERERS: Mapping[str, Callable[[Figure, dict[str, Any], str], bytes]] = {
    "svg": _svg,
    "png": _png,
    "pdf": _pdf,
    "html": _html,
}
FORMATS = tuple(_RENDERERS)
