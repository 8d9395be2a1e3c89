import base64
import gzip
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from terrawatt.analysis.table import Table
from terrawatt.errors import ReportError
from terrawatt.report.content import ReportContent, RunFacts
from terrawatt.report.figures import FIGURES
from terrawatt.report.look import NO_FIGURE, Look
from terrawatt.report.page import write_report
from terrawatt.report.render import vega_bundle

MakeTable = Callable[..., Table]
MakeContent = Callable[..., ReportContent]
MakeRun = Callable[..., RunFacts]

LARGEST_PAGE = 2_000_000  # bytes


class Reader(HTMLParser):
    """What a page holds: tags with attributes, text by tag, ids."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self.tags[-1][0], data.strip()))

    def all(self, *names: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag in names]

    @property
    def text(self) -> str:
        return " ".join(re.sub(r"\s+", " ", text) for tag, text in self.texts if tag not in ("script", "style"))


def unpacked(text: str) -> dict[str, Any]:
    return dict(json.loads(gzip.decompress(base64.b64decode(text))))


@pytest.fixture(scope="module")
def page(report: Path) -> Reader:
    return Reader(report.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def hostile_page(hostile_report: Path) -> Reader:
    return Reader(hostile_report.read_text(encoding="utf-8"))


def test_it_writes_the_page_and_each_figure_in_each_format(report: Path) -> None:
    assert report.name == "report.html"
    names = {path.name for path in (report.parent / "figures").iterdir()}
    drawn = set(FIGURES) - {
        "main_effects",
        "interactions",
        "tsne",
    }  # one learning rate, and five repetitions that are usable
    assert names == {f"{name}.{form}" for name in drawn for form in ("svg", "png", "pdf", "html")}
    assert {path.name for path in report.parent.iterdir()} == {"report.html", "figures"}


def test_the_page_of_a_small_run_stays_small(report: Path) -> None:
    assert report.stat().st_size < LARGEST_PAGE


def test_it_is_one_file_that_asks_nothing_of_a_network(page: Reader) -> None:
    assert not page.all("link", "iframe", "object", "embed", "audio", "video", "source", "base", "form")
    assert all("src" not in script for script in page.all("script"))
    assert all(str(image["src"]).startswith("data:image/") for image in page.all("img"))
    links = [str(link["href"]) for link in page.all("a")]
    assert all(link.startswith(("#", "figures/")) for link in links)
    (policy,) = [meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert str(policy).startswith("default-src 'none';")
    assert "http" not in str(policy)


def test_links_lead_somewhere(page: Reader, report: Path) -> None:
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for link in page.all("a"):
        target = str(link["href"])
        assert target[1:] in ids if target.startswith("#") else (report.parent / target).is_file()
    for _, attributes in page.tags:
        for name in ("aria-labelledby", "aria-controls", "for", "data-specification"):
            assert attributes.get(name) is None or attributes[name] in ids


def test_it_can_be_heard(page: Reader) -> None:
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(head.get("scope") in ("col", "row") for head in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(len(str(image["alt"])) > 20 for image in page.all("img"))
    assert page.all("html")[0]["lang"] == "en"


def test_verdicts_stand_before_any_number(page: Reader) -> None:
    headings = [text for tag, text in page.texts if tag == "h2"]
    assert headings[0] == "Verdicts"
    text = page.text
    assert "4 of 6 repetitions are good." in text
    assert "1 with values that must not be used" in text
    assert "failed: exit code 137" in text
    assert "1 note: why cells are empty" in text
    assert "A trial, not publishable work: idle before 20 s (≥ 120 s asked)" in text
    assert "The energy by model is an estimate, not a measurement." in text


def test_it_says_what_was_measured_on_what_with_what(page: Reader) -> None:
    for words in (
        "Meter: plug",
        "mean: each reading is the mean power of the interval before it",
        "± 3 W below 300 W; ± 1 % of the reading above",
        "Estimate: model",
        "cpu · model Xeon",
        "Idle before (s) 20",
        "temp: no sensor",
        "terrawatt summary run_1",
        "terrawatt 0.1.0",
    ):
        assert words in page.text, words


def test_the_unusable_repetition_is_shown_but_not_in_the_means(page: Reader) -> None:
    assert "2 of 3" in page.text
    heads, scenarios, verdicts, repetitions = 4, 2, 3, 6
    assert len(page.all("tr")) == heads + scenarios + verdicts + repetitions


def test_a_good_run_says_so(make_content: MakeContent, make_run: MakeRun, tmp_path: Path) -> None:
    protocol = {"cold_s": 300.0, "idle_after_s": 120.0, "repetitions": 10}
    run = make_run(protocol=protocol, sources=make_run().sources[:1])
    page = Reader(write_report(make_content(runs=(run,), verdicts={}), tmp_path, look=Look((NO_FIGURE,))).read_text())
    assert "No repetition is unusable or doubtful." in page.text
    assert "not publishable" not in page.text
    assert "an estimate" not in page.text
    assert list((tmp_path / "figures").iterdir()) == []


def test_machines_that_differ_are_pointed_out(make_content: MakeContent, make_run: MakeRun, tmp_path: Path) -> None:
    runs = (make_run("run_1"), make_run("run_2", machine={"host": "other"}))
    page = Reader(write_report(make_content(runs=runs), tmp_path, look=Look((NO_FIGURE,))).read_text())
    assert "2 different machines: their energies do not compare" in page.text


def test_figures_that_cannot_be_drawn_are_told_and_old_files_of_them_removed(
    make_content: MakeContent, make_table: MakeTable, tmp_path: Path
) -> None:
    old = tmp_path / "figures" / "pca_circle.svg"
    old.parent.mkdir()
    old.write_text("of an earlier report")
    foreign = tmp_path / "figures" / "mine.svg"
    foreign.write_text("not ours")
    page = Reader(write_report(make_content(make_table(("a",), n=1)), tmp_path, formats=("svg",)).read_text())
    assert "Not drawn: too few complete repetitions to compare quantities: 1, and 3 are needed." in page.text
    assert not old.exists()
    assert foreign.exists()
    assert (tmp_path / "figures" / "distributions.svg").exists()


def test_a_wrong_format_leaves_nothing_behind(make_content: MakeContent, tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="format 'jpg' is unknown"):
        write_report(make_content(), tmp_path / "new", formats=("svg", "jpg"))
    assert not (tmp_path / "new").exists()


def test_hostile_texts_stay_text(hostile_page: Reader, page: Reader, hostile: str) -> None:
    for each in (hostile_page, page):
        data = [
            script for script in each.all("script") if script.get("type") in ("application/json", "application/gzip")
        ]
        assert {str(script["id"]).removesuffix("-specification") for script in data} <= {*FIGURES, "repetition-data"}
        assert len(each.all("script")) == len(data) + 3
    assert all(str(image["src"]).startswith("data:") for image in hostile_page.all("img"))
    assert not any("onerror" in attributes for _, attributes in hostile_page.tags)
    assert hostile_page.texts.count(("title", hostile)) == 1
    assert ("h1", hostile) in hostile_page.texts
    assert hostile_page.text.count(hostile) > 10


def test_specifications_are_whole_json(hostile_report: Path) -> None:
    page = hostile_report.read_text(encoding="utf-8").replace(vega_bundle(), "")
    found = re.findall(r'<script type="application/gzip" id="(\w+)-specification">(.*?)</script>', page, re.DOTALL)
    assert [name for name, _ in found] == [name for name in FIGURES if name not in ("interactions", "tsne")]
    assert all(unpacked(specification)["config"]["font"] for _, specification in found)
