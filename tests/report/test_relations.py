"""What the page says of relations is what `output_all.json` holds."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from terrawatt.analysis.relations import Relations, relations
from terrawatt.analysis.table import Table
from terrawatt.report.content import ReportContent
from terrawatt.report.numbers import plain
from terrawatt.report.page import write_report
from terrawatt.report.relations import Statement, statements

MakeTable = Callable[..., Table]
MakeContent = Callable[..., ReportContent]


def said(table: Table, name: str) -> tuple[Relations, Statement]:
    found = relations(table)
    return found, next(one for one in statements(found) if one.name == name)


def test_the_line_of_the_meter_is_said_with_its_intervals_and_its_n(make_table: MakeTable) -> None:
    found, statement = said(make_table(("a", "b"), (0.1, 0.01, 0.001), 6), "meters")
    assert found.meters is not None
    line = found.meters.line
    assert line is not None
    text = " ".join(statement.sentences)
    for number in (line.slope, *line.slope_interval, line.intercept, *line.intercept_interval):
        assert plain(number) in text
    assert f"over the means of {line.n} scenarios" in text
    assert re.search(r"R² = 0\.\d{3} over 36 repetitions", text)
    assert "York" in statement.assumptions


def test_below_the_n_that_is_needed_it_says_so(make_table: MakeTable) -> None:
    _, statement = said(make_table(n=3), "meters")
    assert statement.sentences[0].startswith("No line with uncertainty in both: 0 scenarios")


def test_what_a_table_does_not_allow_is_said_with_the_reason(make_table: MakeTable) -> None:
    table = make_table()
    found, statement = said(Table(table.frame.assign(**{"Energy (plug)": np.nan}), table.columns), "meters")
    assert found.meters is None
    assert statement.reason == found.missing["meters"] == "no meter's energy has a value"


def test_the_page_has_a_section_for_each_and_stays_whole_without_any(
    make_content: MakeContent, make_table: MakeTable, tmp_path: Path
) -> None:
    table = make_table(n=5)
    found = relations(table)
    text = write_report(make_content(table, relations=found), tmp_path / "a", formats=()).read_text(encoding="utf-8")
    for statement in statements(found):
        assert f'id="statement-{statement.name}"' in text
        assert statement.title in text
    without = write_report(make_content(table), tmp_path / "b", formats=()).read_text(encoding="utf-8")
    assert "None were computed." in without


def test_there_is_nothing_to_say_without_results() -> None:
    assert statements(None) == ()


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_tables_with_few_rows_give_reasons_and_no_failure(rows: int, make_table: MakeTable) -> None:
    table = make_table(n=1)
    for statement in statements(relations(Table(table.frame.iloc[:rows], table.columns))):
        assert statement.reason or statement.sentences
