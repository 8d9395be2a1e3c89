"""The figure of t-SNE: drawn when it is asked for, with what it does not mean."""

import re
from collections.abc import Callable
from pathlib import Path

import vl_convert

from terrawatt.analysis.table import Table
from terrawatt.report.content import ReportContent
from terrawatt.report.figures import FIGURES, Drawing, Skipped
from terrawatt.report.language import Language, speaking
from terrawatt.report.look import Look, parse_look
from terrawatt.report.page import write_report
from terrawatt.report.theme import specification


def test_it_is_not_drawn_unless_it_is_asked_for() -> None:
    assert not Look().shows("tsne")
    assert Look().shows("pca_scores")
    assert parse_look(["tsne"], None, None).shows("tsne")


def test_the_caption_states_perplexity_and_what_means_nothing(make_table: Callable[..., Table]) -> None:
    drawn = FIGURES["tsne"].draw(make_table(n=10))
    assert isinstance(drawn, Drawing)
    assert "perplexity 6.33, n = 20" in drawn.caption
    assert "Distances between groups, and their sizes, mean nothing" in drawn.caption
    svg = vl_convert.vegalite_to_svg(specification(drawn.chart))
    assert "t-SNE 1 (no unit)" in svg
    assert "t-SNE 2 (no unit)" in svg


def test_too_few_repetitions_are_a_line_instead(make_table: Callable[..., Table]) -> None:
    drawn = FIGURES["tsne"].draw(make_table(n=3))
    assert drawn == Skipped("too few complete repetitions for t-SNE: 6, and 16 are needed")
    with speaking(Language.FRENCH):
        said = FIGURES["tsne"].draw(make_table(n=3))
    assert isinstance(said, Skipped)
    assert re.match("trop peu de répétitions complètes pour t-SNE.*6, il en faut 16", said.reason)


def test_the_page_shows_it_alone(
    make_content: Callable[..., ReportContent], make_table: Callable[..., Table], tmp_path: Path
) -> None:
    report = write_report(
        make_content(make_table(n=10), verdicts={}), tmp_path, look=Look(names=("tsne",), formats=("svg",))
    )
    assert [path.name for path in (tmp_path / "figures").iterdir()] == ["tsne.svg"]
    assert "Repetitions by likeness (t-SNE)" in report.read_text("utf-8")
