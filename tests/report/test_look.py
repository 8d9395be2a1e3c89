"""Which figures, in which formats, for what."""

from collections.abc import Callable
from pathlib import Path

import pytest

from terrawatt.analysis.table import Table
from terrawatt.errors import UsageError
from terrawatt.report.content import ReportContent
from terrawatt.report.figures import FIGURES, Drawing
from terrawatt.report.look import FIGURE_NAMES, Look, parse_look
from terrawatt.report.page import write_report
from terrawatt.report.theme import Theme, specification


def test_words_become_a_look() -> None:
    assert parse_look(None, None, None) == Look()
    found = parse_look(["frugality,PCA_scores", "frugality"], ["svg,png"], "Paper")
    assert found == Look(("frugality", "pca_scores"), ("svg", "png"), Theme.PAPER)
    assert Look().shows("anything")
    assert found.shows("frugality")
    assert not found.shows("pca_circle")


@pytest.mark.parametrize(
    ("names", "formats", "theme", "message"),
    [
        (["frugalty"], None, None, "figure 'frugalty' is unknown. Did you mean frugality"),
        (None, ["gif"], None, "format 'gif' is unknown"),
        (None, None, "dark", "theme 'dark' is unknown. Known: screen, paper"),
    ],
)
def test_unknown_words_are_refused(
    names: list[str] | None, formats: list[str] | None, theme: str | None, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        parse_look(names, formats, theme)


def test_every_figure_has_one_name() -> None:
    assert len(set(FIGURE_NAMES)) == len(FIGURE_NAMES)
    assert set(FIGURES) < set(FIGURE_NAMES)


def test_only_what_is_asked_for_is_drawn(make_content: Callable[..., ReportContent], tmp_path: Path) -> None:
    page = write_report(make_content(), tmp_path, look=Look(("pca_scree", "frugality"), ("svg", "pdf")))
    files = sorted(path.name for path in (tmp_path / "figures").iterdir())
    assert files == ["frugality.pdf", "frugality.svg", "pca_scree.pdf", "pca_scree.svg"]
    text = page.read_text(encoding="utf-8")
    assert 'id="pca_scree"' in text
    assert 'id="correlation_matrix"' not in text


def test_figures_for_paper_are_larger_in_words_and_without_a_grid(make_table: Callable[..., Table]) -> None:
    drawn = FIGURES["pca_scree"].draw(make_table())
    assert isinstance(drawn, Drawing)
    screen, paper = (specification(drawn.chart, theme)["config"] for theme in (Theme.SCREEN, Theme.PAPER))
    assert paper["axis"]["labelFontSize"] > screen["axis"]["labelFontSize"]
    assert paper["axis"]["grid"] is False
    assert paper["font"] == screen["font"]


def test_a_page_without_figures_needs_no_library_to_draw_them(
    make_content: Callable[..., ReportContent], tmp_path: Path
) -> None:
    page = write_report(make_content(), tmp_path, look=parse_look(["none"], None, None)).read_text(encoding="utf-8")
    assert "All repetitions" in page
    assert "window.vegaEmbed" not in page
    assert not list((tmp_path / "figures").iterdir())
