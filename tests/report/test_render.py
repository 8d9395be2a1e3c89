import pytest
import vl_convert

from terrawatt.errors import ReportError
from terrawatt.report.figures import FIGURES
from terrawatt.report.render import FORMATS, render, rendered, small_png, small_svg, svg_size, vega_bundle

FIGURE = FIGURES["pca_scree"]
SPECIFICATION = {
    "data": {"values": [{"a": 1}]},
    "mark": "point",
    "encoding": {"x": {"field": "a", "type": "quantitative", "title": "a (J)"}},
    "width": 120,
    "height": 40,
}


@pytest.mark.parametrize(
    ("form", "beginning"), [("svg", b"<svg"), ("png", b"\x89PNG"), ("pdf", b"%PDF"), ("html", b"<!doctype html>")]
)
def test_one_specification_gives_every_format(form: str, beginning: bytes) -> None:
    assert render(FIGURE, SPECIFICATION, "words", form).startswith(beginning)
    assert form in FORMATS


def test_an_unknown_format_is_refused_with_the_near_ones() -> None:
    with pytest.raises(ReportError, match=r"'pngg' is unknown\. Did you mean png\?"):
        render(FIGURE, SPECIFICATION, "words", "pngg")


def test_what_vega_refuses_is_an_error_that_names_the_figure() -> None:
    with pytest.raises(ReportError, match="figure pca_scree cannot be drawn as svg"):
        render(FIGURE, {"mark": "nonsense", "data": 3}, "words", "svg")


def test_the_html_of_a_figure_is_whole_and_escaped() -> None:
    page = render(FIGURE, SPECIFICATION | {"description": "</script>"}, '"><b>', "html").decode()
    assert 'data-alternative="&#34;&gt;&lt;b&gt;"' in page
    assert page.count("</script>") == 3
    assert "src=" not in page.split("<script", 1)[0]


def test_the_size_of_a_picture_is_that_of_its_svg() -> None:
    svg = render(FIGURE, SPECIFICATION, "words", "svg")
    width, height = svg_size(svg)
    assert int.from_bytes(small_png(svg)[16:20], "big") == width
    assert width > 120
    assert height > 40


def test_a_png_from_the_svg_is_the_one_that_vega_lite_gives() -> None:
    svg, files = rendered(FIGURE, SPECIFICATION, "words", ["png"])
    assert files == {"png": vl_convert.vegalite_to_png(SPECIFICATION, scale=2)}
    assert svg.decode() == vl_convert.vegalite_to_svg(SPECIFICATION)


def test_the_bundle_can_stand_in_a_page() -> None:
    assert "</script" not in vega_bundle()
    assert "window.vegaEmbed=" in vega_bundle()


def test_a_small_svg_has_shorter_numbers_in_outlines_only() -> None:
    svg = b'<svg width="9"><path d="M220.39999,1.5h1.234" transform="translate(0.12345,2)"/><text>0.12345</text></svg>'
    assert small_svg(svg) == (
        b'<svg width="9"><path d="M220.39,1.5h1.23" transform="translate(0.12,2)"/><text>0.12345</text></svg>'
    )
