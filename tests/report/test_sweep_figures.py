"""The figures that need more than the table: trainings, the sweep in time, the budget of the uncertainty."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import vl_convert

from terrawatt.analysis.table import Table
from terrawatt.analysis.training_curves import QUANTITIES, EpochPoint
from terrawatt.report.content import ReportContent
from terrawatt.report.figures import Drawing, Skipped
from terrawatt.report.figures.sweep import SWEEP_FIGURES, sweep_figures
from terrawatt.report.language import Language, speaking
from terrawatt.report.look import Look
from terrawatt.report.page import write_report
from terrawatt.report.sweep import MainEnergy, RepetitionMark, SweepFacts, SweepRecord, TrainingCurve
from terrawatt.report.theme import PALETTE, specification

MakeTable = Callable[..., Table]
LRS = tuple(10.0**-k for k in range(1, 6))


def facts_of(table: Table) -> SweepFacts:
    """Made-up facts: repetitions of 60 s, one each 100 s; three epochs; the meter as the largest component."""
    keys = [
        (int(run), int(group), int(repetition))
        for run, group, repetition in table.frame[["Run", "Group", "Repetition"]].itertuples(index=False)
    ]
    marks = tuple(RepetitionMark(*key, 100.0 * i, 60.0, 50.0 + i) for i, key in enumerate(keys))
    points = tuple(EpochPoint(epoch, 3, 1 / epoch, 0.9 / epoch, 1.1 / epoch) for epoch in (1, 2, 3))
    first = table.frame.groupby("Group").head(1).index
    curves = tuple(TrainingCurve(f"scenario {row}", int(row), name, points) for row in first for name in QUANTITIES)
    energy = MainEnergy(40.0, {"meter": 3.0, "sampling": 1.0, "resolution": 0.0})
    return SweepFacts(SweepRecord(marks, curves), dict.fromkeys(keys, energy), "plug")


def drawn(name: str, table: Table, facts: SweepFacts | None) -> Drawing | Skipped:
    return next(figure for figure in sweep_figures(facts) if figure.name == name).draw(table)


def rows_of(figure: Drawing, field: str) -> list[dict[str, Any]]:
    sets = specification(figure.chart)["datasets"].values()
    return [row for rows in sets for row in rows if field in row]


@pytest.mark.parametrize("name", SWEEP_FIGURES)
@pytest.mark.parametrize("lrs", [(0.1,), LRS])
def test_a_figure_compiles_with_few_and_many_scenarios(
    name: str, lrs: tuple[float, ...], make_table: MakeTable
) -> None:
    table = make_table(lrs=lrs)
    found = drawn(name, table, facts_of(table))
    assert isinstance(found, Drawing)
    svg = vl_convert.vegalite_to_svg(specification(found.chart))
    assert "(s)" in svg or "(number)" in svg or "(%)" in svg or "(min)" in svg
    assert found.caption.endswith(".")
    assert found.alternative.endswith(".")
    assert ("pooled by Model" in found.caption) is (len(lrs) > 1 and name != "uncertainty_budget")


@pytest.mark.parametrize("name", SWEEP_FIGURES)
@pytest.mark.parametrize("facts", [None, SweepFacts()])
def test_without_facts_it_says_why(name: str, facts: SweepFacts | None, make_table: MakeTable) -> None:
    found = drawn(name, make_table(), facts)
    assert isinstance(found, Skipped)
    assert found.reason


def test_shares_of_the_budget_are_those_of_the_variance(make_table: MakeTable) -> None:
    table = make_table()
    found = drawn("uncertainty_budget", table, facts_of(table))
    assert isinstance(found, Drawing)
    shares = {row["component"]: row["share"] for row in rows_of(found, "share")}
    assert shares == pytest.approx({"meter": 90.0, "sampling": 10.0, "resolution": 0.0})


def test_a_repetition_with_an_unknown_component_is_left_out_and_counted(make_table: MakeTable) -> None:
    table = make_table()
    facts = facts_of(table)
    key = next(iter(facts.energies or {}))
    energies = dict(facts.energies or {}) | {key: MainEnergy(40.0, {"meter": None, "sampling": 1.0})}
    found = drawn("uncertainty_budget", table, replace(facts, energies=energies))
    assert isinstance(found, Drawing)
    assert "1 repetitions with an unknown component are left out" in found.caption
    assert {row["n"] for row in rows_of(found, "share")} == {2, 3}


def test_the_time_line_says_what_is_not_known(make_table: MakeTable) -> None:
    table = make_table()
    facts = facts_of(table)
    cold = tuple(replace(mark, temperature_c=None) for mark in facts.record.marks)
    found = drawn("time_line", table, SweepFacts(SweepRecord(cold), {}, ""))
    assert isinstance(found, Drawing)
    assert "Not known: Temperature, Idle level." in found.caption


def test_bands_of_trainings_are_drawn_while_scenarios_are_few(make_table: MakeTable) -> None:
    few, many = make_table(), make_table(lrs=LRS)
    of_few, of_many = (drawn("training_curves", table, facts_of(table)) for table in (few, many))
    assert isinstance(of_few, Drawing)
    assert isinstance(of_many, Drawing)
    assert "Bands: 95 %" in of_few.caption
    assert '"type": "area"' in json.dumps(specification(of_few.chart))
    assert '"type": "area"' not in json.dumps(specification(of_many.chart))


def test_the_page_shows_them(make_content: Callable[..., ReportContent], tmp_path: Path, make_table: MakeTable) -> None:
    table, look = make_table(), Look(tuple(SWEEP_FIGURES), ("svg",))
    text = write_report(make_content(table, sweep=facts_of(table)), tmp_path, look=look).read_text("utf-8")
    for name, title in SWEEP_FIGURES.items():
        assert title in text
        assert (tmp_path / "figures" / f"{name}.svg").exists()


def test_a_component_has_its_colour_in_every_language(make_table: MakeTable) -> None:
    table = make_table()
    used = []
    for language in Language:
        with speaking(language):
            found = drawn("uncertainty_budget", table, facts_of(table))
            assert isinstance(found, Drawing)
            used.append(specification(found.chart)["encoding"]["color"]["scale"])
    english, french = used
    assert english["range"] == french["range"]
    assert set(english["range"]) <= set(PALETTE)
    assert english["domain"] != french["domain"]
