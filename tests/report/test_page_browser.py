"""The page in a real browser: no error, no warning, no request; it sorts, searches and draws."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from terrawatt.analysis.table import Table
from terrawatt.report.repetitions import csv_text

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


def select_points(page: "playwright.Page", left: float, right: float) -> None:
    """Drags over a part of the figure of energy and performance, from top to bottom."""
    chart = page.locator(".chart[data-specification=energy_performance-specification]")
    chart.scroll_into_view_if_needed()
    chart.locator("svg.marks").wait_for(timeout=30_000)
    box = chart.locator("svg.marks").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + left * box["width"], box["y"] + 0.14 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + right * box["width"], box["y"] + 0.85 * box["height"], steps=4)
    page.mouse.up()
    chart.page.locator("#picked").wait_for(state="attached")


def head_number(page: "playwright.Page", label: str) -> int:
    """The position of a column of the table of repetitions, from 1."""
    labels = list(page.locator("#repetition-table thead th").all_inner_texts())
    return 1 + labels.index(label)


def test_points_that_are_selected_filter_and_mark_their_rows(browser: "playwright.Browser", report: Path) -> None:
    opened = open_page(browser, report)
    page = opened.page
    select_points(page, 0.6, 0.95)
    page.wait_for_function("document.getElementById('found').textContent === '2 of 6 rows'")
    assert set(column(page, "#repetition-table", head_number(page, "Model"))) == {"S-CNN-All"}
    assert page.locator("#repetition-table tr.marked").count() == 2
    page.get_by_label("show only these").uncheck()
    assert page.locator("#repetition-table tbody tr").count() == 6
    assert page.locator("#repetition-table tr.marked").count() == 2
    page.locator("#clear-picked").click()
    assert page.locator("#picked").is_hidden()
    assert page.locator("#repetition-table tr.marked").count() == 0
    assert page.locator("figcaption .picked:not([hidden])").count() == 0
    assert opened.messages == []


def test_a_selection_is_cleared_under_its_figure_too(browser: "playwright.Browser", report: Path) -> None:
    page = open_page(browser, report).page
    select_points(page, 0.1, 0.3)
    line = page.locator("figcaption .picked", has_text="3 repetitions selected.")
    line.wait_for()
    line.get_by_role("button").click()
    line.wait_for(state="detached")
    assert page.locator("#found").inner_text() == "6 rows"


def test_a_scenario_is_chosen_with_the_keyboard_and_the_figure_fades_the_others(
    browser: "playwright.Browser", report: Path
) -> None:
    page = open_page(browser, report).page
    draw_all(page)
    choice = page.get_by_label("Scenario", exact=True)
    choice.focus()
    choice.press("ArrowDown")
    assert page.locator("#found").inner_text() == "3 of 6 rows"
    assert set(column(page, "#repetition-table", head_number(page, "Model"))) == {"S-CNN-RGB"}
    page.wait_for_function(
        """[...document.querySelectorAll('[data-specification=energy_performance-specification] svg path')]
           .filter((path) => path.getAttribute('opacity') === '0.04').length > 0"""
    )


def test_columns_are_chosen_and_all_can_be_reached(browser: "playwright.Browser", report: Path) -> None:
    page = open_page(browser, report).page
    heads = page.locator("#repetition-table thead th")
    at_first = list(heads.all_inner_texts())
    assert "Energy (plug) (J)" in at_first
    assert "Emissions (kg CO₂eq)" not in at_first
    page.locator("#columns summary").click()
    page.get_by_label("Emissions (kg CO₂eq)").check()
    assert "Emissions (kg CO₂eq)" in heads.all_inner_texts()
    page.get_by_role("button", name="All with values").click()
    assert len(heads.all_inner_texts()) > len(at_first)
    page.get_by_label("Temperature (°C·s) (empty)").check()
    page.get_by_label("Verdict (empty)").check()
    boxes = page.locator("#columns input").count()
    assert heads.count() == boxes
    assert page.locator("#columns-shown").inner_text() == f"({boxes} of {boxes})"
    page.get_by_role("button", name="As at first").click()
    assert heads.all_inner_texts() == at_first


@pytest.mark.parametrize("name", ["report", "hostile_report"])
def test_the_download_is_the_table_to_the_byte(
    browser: "playwright.Browser", name: str, request: pytest.FixtureRequest, tables: dict[str, Table]
) -> None:
    opened = open_page(browser, request.getfixturevalue(name))
    with opened.page.expect_download() as started:
        opened.page.get_by_role("button", name="Download the table (CSV)").click()
    assert started.value.suggested_filename == "output_all.csv"
    downloaded = Path(started.value.path()).read_bytes()
    assert downloaded == csv_text(tables[name]).encode("utf-8")
    assert opened.messages == []
    assert [url for url in opened.requests if not url.startswith(("data:", "file:", "blob:"))] == []


@pytest.mark.parametrize("name", ["report", "hostile_report"])
def test_the_script_shows_the_cells_that_the_page_shows_without_it(
    browser: "playwright.Browser", name: str, request: pytest.FixtureRequest
) -> None:
    def cells(page: "playwright.Page") -> list[list[str]]:
        found = page.evaluate(
            """[...document.querySelectorAll('#repetition-table tbody tr')]
               .map((row) => [...row.cells].map((cell) => cell.textContent))"""
        )
        return list(found)

    path = request.getfixturevalue(name)
    with_script = open_page(browser, path).page
    with_script.locator("#columns summary").click()
    with_script.get_by_role("button", name="All with values").click()
    assert cells(with_script) == cells(open_page(browser, path, script=False).page)


@pytest.mark.parametrize("width", [390, 1280])
def test_no_serious_fault_of_accessibility_is_found(browser: "playwright.Browser", many_rows: Path, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed (extra [test])")
    page = open_page(browser, many_rows, width).page
    draw_all(page)
    select_points(page, 0.3, 0.95)
    page.locator("#columns summary").click()
    violations = axe.Axe().run(page).response["violations"]
    faults = [(fault["id"], [node["target"] for node in fault["nodes"]]) for fault in violations
              if fault["impact"] in ("serious", "critical")]  # fmt: skip
    assert faults == []


def test_many_rows_are_paged(browser: "playwright.Browser", many_rows: Path) -> None:
    opened = open_page(browser, many_rows)
    page = opened.page
    rows = page.locator("#repetition-table tbody tr")
    assert rows.count() == 50
    assert page.locator("#found").inner_text() == "120 rows; shown: rows 1 to 50"
    following = page.get_by_role("button", name="Next rows")
    following.click()
    following.press("Enter")
    assert rows.count() == 20
    assert following.get_attribute("aria-disabled") == "true"
    following.press("Enter")
    assert page.locator("#pager span").inner_text() == "Page 3 of 3"
    page.get_by_label("Search the rows").fill("S-CNN-All 0.001")
    assert page.locator("#found").inner_text() == "30 of 120 rows"
    assert page.locator("#pager").is_hidden()
    assert opened.messages == []


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


A4_PX = 184 / 25.4 * 96  # between the margins


@pytest.mark.parametrize("made", ["report", "many_rows"])
def test_the_printed_page_is_whole_and_without_controls(
    browser: "playwright.Browser", made: str, request: pytest.FixtureRequest
) -> None:
    page = open_page(browser, request.getfixturevalue(made), round(A4_PX)).page
    page.locator(".chart").first.scroll_into_view_if_needed()
    page.locator(".chart svg.marks").first.wait_for(timeout=30_000)
    closed = page.locator("main details:not([open], .vega-embed *)")
    folded = closed.count()
    assert folded > 0
    page.emulate_media(media="print")
    playwright.expect(closed).to_have_count(0)
    for hidden in ("#controls", "#pager", "nav", ".files", ".skip", ".screen", ".vega-embed details"):
        assert not any(part.is_visible() for part in page.locator(hidden).all()), hidden
    details = page.locator("main details:not(#columns, .vega-embed *)")
    assert details.count() > 0
    assert all(
        part.evaluate("(part) => part.open && part.lastElementChild.checkVisibility()") for part in details.all()
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= A4_PX + 1
    too_wide = f"(parts) => parts.filter((part) => part.getBoundingClientRect().right > {A4_PX + 1}).length"
    assert page.locator("main :is(table, figure, img, svg, pre)").evaluate_all(too_wide) == 0
    page.emulate_media(media="screen")
    playwright.expect(closed).to_have_count(folded)


def test_paper_tells_which_rows_it_leaves_out(browser: "playwright.Browser", many_rows: Path, report: Path) -> None:
    page = open_page(browser, many_rows).page
    assert page.locator("#printed").is_hidden()
    page.emulate_media(media="print")
    assert (
        page.locator("#printed").inner_text() == "120 rows; shown: rows 1 to 50. The file output_all.csv has them all."
    )
    whole = open_page(browser, report).page
    whole.emulate_media(media="print")
    assert whole.locator("#printed").is_hidden()


def test_a_printed_figure_is_on_one_sheet(browser: "playwright.Browser", report: Path) -> None:
    page = open_page(browser, report, round(A4_PX)).page
    page.emulate_media(media="print")
    heights = page.locator(".chart img").evaluate_all(
        "(parts) => parts.map((part) => part.getBoundingClientRect().height)"
    )
    assert len(heights) == 14
    assert 100 < max(heights) <= 190 / 25.4 * 96 + 1
    styles = page.locator("figure").evaluate_all("(parts) => parts.map((part) => getComputedStyle(part).breakInside)")
    assert set(styles) == {"avoid"}
