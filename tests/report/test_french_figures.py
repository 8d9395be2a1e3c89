"""Figures in French: their axes have French titles, and their numbers decimal commas."""

import re
from collections.abc import Callable

import pytest
import vl_convert

from terrawatt.analysis.table import Table
from terrawatt.report.figures import FIGURES, Drawing
from terrawatt.report.language import Language, speaking
from terrawatt.report.theme import specification

MODELS = ("S-CNN-RGB", "S-CNN-All")
_TEXT = re.compile(r"<text[^>]*>([^<]+)</text>")
_ENGLISH = re.compile(r"\b(no unit|energy|net|variance explained|of the variance|weight|learning|number|share)\b", re.I)
NAMES_OF_COLUMNS = re.compile(r"(Energy|Learning rate)\b")  # names of columns stay as they are in the table


def texts(table: Table, name: str, language: Language) -> list[str]:
    """What stands in the picture of a figure."""
    with speaking(language):
        drawn = FIGURES[name].draw(table)
        assert isinstance(drawn, Drawing), drawn
        svg = vl_convert.vegalite_to_svg(specification(drawn.chart))
    return _TEXT.findall(svg)


@pytest.mark.parametrize("name", FIGURES)
def test_a_french_figure_has_french_titles_and_decimal_commas(name: str, make_table: Callable[..., Table]) -> None:
    table = make_table(MODELS, (10, 20), n=10)
    english, french = texts(table, name, Language.ENGLISH), texts(table, name, Language.FRENCH)
    points = [text for text in french if re.search(r"\d\.\d", text)]
    assert points == []
    left = [text for text in french if _ENGLISH.search(text) and not NAMES_OF_COLUMNS.match(text)]
    assert left == []
    if any(re.fullmatch(r"[−-]?\d+\.\d+", text) for text in english):
        assert any(re.fullmatch(r"[−-]?\d+,\d+", text) for text in french)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("energy_performance", "Énergie nette, plug (kJ)"),
        ("duration_performance", "Durée (s)"),
        ("pca_scree", "Variance expliquée (%)"),
        ("frugality", "ε (poids de la performance)"),
        ("tsne", "t-SNE 1 (sans unité)"),
    ],
)
def test_titles_that_a_reader_looks_for(name: str, title: str, make_table: Callable[..., Table]) -> None:
    assert title in [text.replace("\N{NO-BREAK SPACE}", " ") for text in texts(make_table(n=10), name, Language.FRENCH)]
