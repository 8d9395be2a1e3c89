"""The numbers of `report.html` are those of the table and of `output_all.json`."""

import csv
import io
import json
from html.parser import HTMLParser
from typing import Any

import pytest

from sweep_folders import Sweep, make_sweep
from terrawatt.report.look import Look
from terrawatt.summary.summarise import SummaryResult, summarise


class Page(HTMLParser):
    """The tables by their id or caption, as rows of texts, and the data that scripts read."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.data: dict[str, Any] = {}
        self._cell: list[str] | None = None
        self._script = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag in ("td", "th") and self.tables:
            self._cell = []
        elif tag == "script" and given.get("type") == "application/json":
            self._script = str(given.get("id"))

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th") and self._cell is not None:
            self.tables[-1][-1].append("".join(self._cell).strip())
            self._cell = None
        elif tag == "script":
            self._script = ""

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)
        if self._script:
            self.data[self._script] = json.loads(data)

    def table_with(self, header: str) -> list[dict[str, str]]:
        """The rows of the first table that has a column of this name."""
        for head, *rows in self.tables:
            if header in head:
                return [dict(zip(head, row, strict=True)) for row in rows]
        raise AssertionError(f"no table has the column {header}")


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> SummaryResult:
    folder = tmp_path_factory.mktemp("numbers")
    run = make_sweep(folder, 1, Sweep(blocks=3, net_w={"a": 50.0, "b": 81.7}, idle_w=(40.0, 40.4, 39.9)))
    return summarise([run], folder / "out", look=Look(formats=()))


@pytest.fixture(scope="module")
def page(result: SummaryResult) -> Page:
    assert result.report is not None
    return Page(result.report.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def rows(result: SummaryResult) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(result.files.csv.read_text(encoding="utf-8-sig"))))


def test_the_page_holds_the_tables_file(page: Page, rows: list[dict[str, str]]) -> None:
    assert list(csv.DictReader(io.StringIO(page.data["repetition-data"]["csv"]))) == rows


def test_every_number_of_a_repetition_is_that_of_the_file(page: Page, rows: list[dict[str, str]]) -> None:
    shown = page.table_with("Repetition")
    assert len(shown) == len(rows) == 6
    compared = 0
    for on_page, in_file in zip(shown, rows, strict=True):
        for header, text in on_page.items():
            name = header if header in in_file else header.rpartition(" (")[0]
            if text and in_file[name] and _is_number(in_file[name]):
                assert float(text) == pytest.approx(float(in_file[name]), rel=1e-4), header
                compared += 1
    assert compared > 60


def test_the_mean_of_a_scenario_is_that_of_its_repetitions(page: Page, rows: list[dict[str, str]]) -> None:
    column = next(header for header in page.table_with("Scenario")[0] if header.startswith("Net energy, plug"))
    for scenario in page.table_with("Scenario"):
        energies = [float(row["Energy (plug)"]) for row in rows if row["Model"] == scenario["Scenario"]]
        mean = float(scenario[column].split(" ± ")[0])
        scale = 1_000 if "(kJ)" in column else 1
        assert mean * scale == pytest.approx(sum(energies) / len(energies), rel=0.02)


def test_the_record_of_a_repetition_is_that_of_the_file(result: SummaryResult, rows: list[dict[str, str]]) -> None:
    record = json.loads(result.files.csv.with_suffix(".json").read_text(encoding="utf-8"))
    assert len(record["repetitions"]) == len(rows)
    for entry, row in zip(record["repetitions"], rows, strict=True):
        assert (entry["run"], entry["group"], entry["repetition"]) == tuple(
            int(row[name]) for name in ("Run", "Group", "Repetition")
        )
        variance = sum(u**2 for u in entry["energies"]["plug"]["net_budget_j"].values())
        assert variance**0.5 == pytest.approx(float(row["u Energy (plug)"]), rel=1e-6)
    for quantity in record["relations"]["derived"]["quantities"]:
        if quantity["name"] == "epoch":
            for value in quantity["values"]:
                energies = [float(r["Energy train (plug)"]) for r in rows if r["Model"] == value["label"]]
                assert value["value_j"] == pytest.approx(sum(energies) / len(energies) / float(rows[0]["Epochs"]))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
