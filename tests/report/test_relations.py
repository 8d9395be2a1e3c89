"""What the page says of relations is what `output_all.json` holds."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from terrawatt.analysis.relations import Relations, relations
from terrawatt.analysis.table import Table
from terrawatt.report.content import ReportContent
from terrawatt.report.look import NO_FIGURE, Look
from terrawatt.report.numbers import plain
from terrawatt.report.page import write_report
from terrawatt.report.relations import Statement, statements
from terrawatt.units import with_si_prefix

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
    bare = Look((NO_FIGURE,))
    text = write_report(make_content(table, relations=found), tmp_path / "a", look=bare).read_text(encoding="utf-8")
    for statement in statements(found):
        assert f'id="statement-{statement.name}"' in text
        assert statement.title in text
    without = write_report(make_content(table), tmp_path / "b", look=bare).read_text(encoding="utf-8")
    assert "None were computed." in without


def test_there_is_nothing_to_say_without_results() -> None:
    assert statements(None) == ()


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_tables_with_few_rows_give_reasons_and_no_failure(rows: int, make_table: MakeTable) -> None:
    table = make_table(n=1)
    for statement in statements(relations(Table(table.frame.iloc[:rows], table.columns))):
        assert statement.reason or statement.sentences


def test_the_front_is_said_with_its_certainty_and_the_cost_of_a_point(make_table: MakeTable) -> None:
    found, statement = said(make_table(n=8), "pareto")
    assert found.pareto is not None
    step = found.pareto.steps[0].ratio
    assert step is not None
    assert step.low is not None
    text = " ".join(statement.sentences)
    assert "2 of 2 scenarios are so: S-CNN-RGB" in text
    assert with_si_prefix(step.value, "J") in text
    assert with_si_prefix(step.low, "J") in text
    few = " ".join(said(make_table(n=3), "pareto")[1].sentences)
    assert "How sure that is cannot be said: no scenario has 5 repetitions." in few


def test_the_best_scenario_is_said_by_weight(make_table: MakeTable) -> None:
    found, statement = said(make_table(n=6), "frugality")
    assert found.frugality is not None
    ranges = found.frugality.ranges[0]
    assert [one.label for one in ranges.best] == ["S-CNN-RGB", "S-CNN-All"]
    assert f"S-CNN-RGB for ε from 0 to {plain(ranges.best[0].end or 0, 3)}" in statement.sentences[0]
    assert "far below 1 kWh" in statement.sentences[-1]
    assert statement.table is not None
    assert len(statement.table.rows) == sum(len(one.best) for one in found.frugality.ranges)


def test_correlations_are_said_with_intervals_or_the_reason(make_table: MakeTable) -> None:
    found, statement = said(make_table(("a", "b"), (0.1, 0.01, 0.001, 1e-4), 4), "correlations")
    assert found.correlations is not None
    pair = found.correlations.pairs[0]
    assert f"{pair.first} and {pair.second}: r = {pair.pearson:.2f} (" in statement.sentences[0]
    few = said(make_table(n=3), "correlations")[1]
    assert any(sentence.startswith("No intervals: 2 scenarios") for sentence in few.sentences)
    assert "constant: Learning rate, Epochs" in few.assumptions


def test_components_are_said_with_bands_contributions_and_what_is_left_out(make_table: MakeTable) -> None:
    found, statement = said(make_table(("a", "b"), (0.1, 0.01, 0.001, 1e-4), 4), "components")
    assert found.components is not None
    first = found.components.components[0]
    assert f"PC1 holds {100 * first.explained:.1f} % of the variance (" in statement.sentences[0]
    assert "no value: Temperature" in statement.assumptions
    assert any("No bands" in sentence for sentence in said(make_table(), "components")[1].sentences)


def test_energies_by_what_was_done_are_said_or_what_is_lacking(make_table: MakeTable) -> None:
    table = make_table(n=4)
    lacking = said(table, "derived")[1]
    assert "per epoch: the table has no Energy train (plug)" in lacking.reason
    frame = table.frame.assign(**{"Energy train (plug)": 0.9 * table.frame["Energy (plug)"]})
    found, statement = said(Table(frame, table.columns), "derived")
    assert found.derived is not None
    least = min(found.derived.quantities[0].values, key=lambda value: value.value_j)
    assert f"Per epoch: from {with_si_prefix(least.value_j, 'J')} ± " in statement.sentences[0]
    assert "No energy per 1,000 images tested: the table has no Energy test (plug)" in " ".join(statement.sentences)
