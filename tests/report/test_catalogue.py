"""The catalogues hold every text of the report, translated whole, with the same places."""

import ast
import importlib.util
import re
import string
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from terrawatt.report.language import Language, pattern_of, recorded, speaking
from terrawatt.report.recorded import RECORDED

ROOT = Path(__file__).parents[2]
REPORT = ROOT / "src" / "terrawatt" / "report"
ANALYSIS = ROOT / "src" / "terrawatt" / "analysis"
# What never reaches a report: calibration, pilot and forecast are told by commands of their own.
NOT_IN_A_REPORT = {"latency", "signal", "detection", "forecast", "nodes", "ellipse", "scores"}
CALLED_SO = {"AnalysisError", "LeftOut", "Verdict", "Effects", "Estimate", "Column", "Skipped"}


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("catalogue", ROOT / "scripts" / "catalogue.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CATALOGUE = script()


def messages(path: Path) -> list[Message]:
    with path.open("rb") as file:
        return [message for message in read_po(file) if message.id]


def forms(text: str | tuple[str, ...] | list[str]) -> list[str]:
    return [text] if isinstance(text, str) else list(text)


def places(text: str) -> set[tuple[str, str]]:
    return {(place, form or "") for _, place, form, _ in string.Formatter().parse(text) if place is not None}


def test_there_is_a_catalogue_of_each_language_but_english() -> None:
    languages = {path.parts[-3] for path in CATALOGUE.catalogues()}
    assert languages == {language.value for language in Language} - {"en"}


@pytest.mark.parametrize("path", CATALOGUE.catalogues(), ids=lambda path: path.parts[-3])
def test_a_catalogue_has_every_text_of_the_report(path: Path) -> None:
    held = {message.id if isinstance(message.id, str) else tuple(message.id) for message in messages(path)}
    said = {message.id if isinstance(message.id, str) else tuple(message.id) for message in CATALOGUE.extracted()}
    assert said - {""} <= held, "run `python scripts/catalogue.py`, and translate what is new"


@pytest.mark.parametrize("path", CATALOGUE.catalogues(), ids=lambda path: path.parts[-3])
def test_every_text_is_translated_with_the_same_places_and_spaces_at_its_ends(path: Path) -> None:
    found = messages(path)
    assert len(found) > 500
    for message in found:
        for text in forms(message.string):
            original = forms(message.id)[-1]
            assert text, original
            assert places(text) == places(original), original
            assert (text[0].isspace(), text[-1].isspace()) == (original[0].isspace(), original[-1].isspace()), original


def test_no_text_is_said_where_the_script_cannot_see_it() -> None:
    hidden = []
    for path in (path for path in CATALOGUE.SOURCES if path.suffix == ".py"):
        for text in (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.JoinedStr)):
            for call in (node for node in ast.walk(text) if isinstance(node, ast.Call)):
                is_said = isinstance(call.func, ast.Name) and call.func.id in CATALOGUE.KEYWORDS
                if is_said and isinstance(call.args[0], ast.Constant):
                    hidden.append(f"{path.name}:{call.lineno}")
    assert hidden == []


def written(node: ast.expr) -> list[str]:
    """What a literal may come to: each choice between two words, and 7 in all other places."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.IfExp):
        return [*written(node.body), *written(node.orelse)]
    if isinstance(node, ast.FormattedValue):
        is_choice = isinstance(node.value, ast.IfExp | ast.Constant)
        return written(node.value) if is_choice else ["7"]
    if isinstance(node, ast.JoinedStr):
        texts = [""]
        for part in node.values:
            texts = [text + more for text in texts for more in written(part)]
        return texts
    return ["7"]


def said_by(path: Path) -> list[str]:
    """The sentences in the errors, verdicts, reasons and columns of a file."""
    found = []
    for call in (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)):
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        arguments = call.args if name in CALLED_SO else []
        keywords = [keyword.value for keyword in call.keywords if keyword.arg in ("reason", "message", "advice")]
        for argument in [*arguments, *keywords]:
            if isinstance(argument, ast.Constant | ast.JoinedStr):
                found += [
                    text for text in written(argument) if len(re.findall(r"[A-Za-z]{2,}", text)) >= 3 and " " in text
                ]
    return found


FILES = sorted(path for path in ANALYSIS.glob("*.py") if path.stem not in NOT_IN_A_REPORT)


def test_what_an_analysis_says_of_a_table_is_known_to_the_catalogue() -> None:
    said = [text for path in FILES for text in said_by(path)]
    assert len(said) > 60
    with speaking(Language.FRENCH):
        unknown = [text for text in said if recorded(text) == text and not re.match(r"(u |Energy|Emissions|kg )", text)]
    assert unknown == []


@pytest.mark.parametrize("template", [template for template in RECORDED if "{" in template])
def test_a_recorded_sentence_is_found_again(template: str) -> None:
    counts = {place: "12" for place, _ in places(template)}
    assert pattern_of(template).fullmatch(template.format(**counts))


@pytest.mark.parametrize(
    ("english", "french"),
    [
        ("too few complete repetitions to compare quantities: 2, and 3 are needed",
         "trop peu de répétitions complètes pour comparer des grandeurs\u00a0: 2, il en faut 3"),
        ("the idle level of plug changed by +1.5 W (u = 0.049 W): up to 1.7% of the net energy",
         ("le niveau de repos de plug a changé de +1,5\u00a0W (u = 0,049\u00a0W)\u00a0: "
          "jusqu’à 1,7\u00a0% de l’énergie nette")),
        ("doubtful: Energy (plug): no readings in the window, 2 needed",
         "douteuse\u00a0: Energy (plug)\u00a0: aucune lecture dans la fenêtre, il en faut 2"),
        ("a name of somebody's", "a name of somebody's"),
    ],
)  # fmt: skip
def test_a_recorded_sentence_is_said_in_french_with_its_numbers(english: str, french: str) -> None:
    assert recorded(english) == english
    with speaking(Language.FRENCH):
        assert recorded(english) == french
        assert recorded(recorded(english)) == french
