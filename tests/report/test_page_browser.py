"""The page in a real browser: no error, no warning, no request; it sorts, searches and draws."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra [test])")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")


@dataclass
class Opened:
    """A page that was opened, with everything that it complained about or asked for."""

    page: "playwright.Page"
    messages: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator["playwright.Browser"]:
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield browser
        browser.close()


def open_page(browser: "playwright.Browser", path: Path, width: int = 1200, *, script: bool = True) -> Opened:
    page = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=script).new_page()
    opened = Opened(page)
    page.on("console", lambda message: opened.messages.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: opened.messages.append(f"error: {error}"))
    page.on("request", lambda request: opened.requests.append(request.url))
    page.goto(path.as_uri())
    return opened


def draw_all(page: "playwright.Page") -> int:
    charts = page.locator(".chart")
    for i in range(charts.count()):
        charts.nth(i).scroll_into_view_if_needed()
        charts.nth(i).locator("svg.marks").wait_for(timeout=30_000)
    return int(charts.count())


def test_every_figure_is_drawn_without_a_complaint_or_a_request(browser: "playwright.Browser", report: Path) -> None:
    opened = open_page(browser, report)
    assert draw_all(opened.page) == 14
    assert opened.messages == []
    assert [url for url in opened.requests if not url.startswith("data:")] == [report.as_uri()]


def test_a_drawn_figure_keeps_its_alternative_text(browser: "playwright.Browser", report: Path) -> None:
    page = open_page(browser, report, script=False).page
    alternatives = [picture.get_attribute("alt") for picture in page.locator(".chart img").all()]
    page = open_page(browser, report).page
    draw_all(page)
    drawn = page.locator(".chart svg[role=img]").all()
    assert [svg.get_attribute("aria-label") for svg in drawn] == alternatives


def test_hostile_names_do_nothing(browser: "playwright.Browser", hostile_report: Path, hostile: str) -> None:
    opened = open_page(browser, hostile_report)
    draw_all(opened.page)
    assert opened.page.title() == hostile
    assert opened.messages == []


def test_a_figure_alone_is_drawn_too(browser: "playwright.Browser", report: Path) -> None:
    opened = open_page(browser, report.parent / "figures" / "pca_circle.html")
    svg = opened.page.locator("svg.marks[role=img]")
    svg.wait_for(timeout=30_000)
    assert str(svg.get_attribute("aria-label")).startswith("Correlation circle.")
    assert opened.messages == []


def column(page: "playwright.Page", table: str, number: int) -> list[str]:
    return list(page.locator(f"{table} tbody tr:not([hidden]) > :nth-child({number})").all_inner_texts())


def test_a_click_or_a_key_on_a_head_sorts(browser: "playwright.Browser", report: Path) -> None:
    page = open_page(browser, report).page
    head = page.locator("#repetition-table thead th", has_text="Energy (plug) (J)").first
    number = 1 + page.locator("#repetition-table thead th").all_inner_texts().index(head.inner_text())
    head.locator("button").click()
    ascending = [float(text) for text in column(page, "#repetition-table", number)]
    assert ascending == sorted(ascending)
    assert head.get_attribute("aria-sort") == "ascending"
    head.locator("button").press("Enter")
    assert [float(text) for text in column(page, "#repetition-table", number)] == ascending[::-1]
    assert head.get_attribute("aria-sort") == "descending"


def test_scenarios_sort_by_their_mean_not_by_its_text(browser: "playwright.Browser", report: Path) -> None:
    page = open_page(browser, report).page
    button = page.locator("#scenario-table thead button", has_text="Net energy")
    button.click()
    assert column(page, "#scenario-table", 1) == ["S-CNN-RGB", "S-CNN-All"]
    button.click()
    assert column(page, "#scenario-table", 1) == ["S-CNN-All", "S-CNN-RGB"]


def test_search_keeps_the_rows_that_hold_every_word(browser: "playwright.Browser", report: Path) -> None:
    page = open_page(browser, report).page
    page.get_by_label("Search the rows").fill("rgb s-cnn")
    assert page.locator("#found").inner_text() == "3 of 6 rows"
    assert len(column(page, "#repetition-table", 1)) == 3
    page.get_by_label("Search the rows").fill("")
    assert len(column(page, "#repetition-table", 1)) == 6


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits_its_screen(browser: "playwright.Browser", report: Path, width: int) -> None:
    page = open_page(browser, report, width).page
    draw_all(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_without_scripts_the_pictures_and_tables_are_there(browser: "playwright.Browser", report: Path) -> None:
    page = open_page(browser, report, script=False).page
    pictures = page.locator(".chart img")
    assert pictures.count() == 14
    assert all(box is not None and box["height"] > 200 for box in (pictures.nth(i).bounding_box() for i in range(7)))
    assert page.locator("#search").is_hidden()
    assert len(column(page, "#repetition-table", 1)) == 6
