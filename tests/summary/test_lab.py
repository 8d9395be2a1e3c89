"""Real measurements of a lab, where there are some: what the table carries is found, and nothing else.

The folder is named by TERRAWATT_REAL_LAB, or lies beside the repository.
"""

import os
from pathlib import Path

import pytest

from terrawatt.analysis.meters import meter_line
from terrawatt.analysis.pareto import pareto_front
from terrawatt.analysis.scenarios import scenario_rows
from terrawatt.report.relations import statements
from terrawatt.report.verdicts import without_unusable
from terrawatt.summary.measurements import Measurements, Roles, read_measurements
from terrawatt.summary.record import read_record
from terrawatt.summary.summarise_table import summarise_table

VARIABLE = "TERRAWATT_REAL_LAB"
FACTORS = ("Method", "Number images", "Window size", "Threads")


@pytest.fixture(scope="module")
def lab() -> Path:
    beside = Path(__file__).parents[3] / "shared" / "data" / "lab"
    folder = Path(os.environ.get(VARIABLE) or beside)
    if not folder.is_dir():
        pytest.skip(f"no real measurements: {VARIABLE} names no folder, and there is none beside the repository")
    return folder


@pytest.fixture(scope="module")
def both(lab: Path) -> Measurements:
    return read_measurements([lab / "change.csv", lab / "clustering.csv"], Roles(FACTORS, ("AUC", "Calinski-Harabasz")))


def test_energies_of_zero_are_missing_and_said(both: Measurements) -> None:
    assert len(both.table.frame) == 2210
    assert both.table.frame["Energy (plug)"].isna().sum() == 1249
    assert len(both.unusable) == 1249
    assert both.notes[0].startswith("Energy (plug): 1249 of 2210 are 0 J")


def test_each_setting_of_each_table_is_a_scenario(both: Measurements, lab: Path) -> None:
    assert len(scenario_rows(both.table)) == 25 + 24
    alone = read_measurements([lab / "change.csv"], Roles(FACTORS, ("AUC",)))
    assert len(scenario_rows(alone.table)) == 25


def test_the_meter_explains_codecarbon_as_well_as_all_rows_say(both: Measurements) -> None:
    found = meter_line(without_unusable(both.table, both.verdicts))
    assert found.r_squared_zeros == pytest.approx(0.955, abs=5e-4)  # over all 2,210 rows, energies of 0 J as they are
    assert found.n_below_reach == 1249
    assert found.rows is not None
    assert found.rows.n == 961


def test_the_robust_method_is_beaten_in_both_energy_and_score(lab: Path) -> None:
    alone = read_measurements([lab / "change.csv"], Roles(FACTORS, ("AUC",)))
    found = pareto_front(without_unusable(alone.table, alone.verdicts))
    assert found.front
    assert all(point.label.startswith("Method 0") for point in found.front)
    robust = [point for point in found.points if point.label.startswith("Method 1")]
    assert robust
    assert {point.membership for point in robust} == {0.0}


def test_the_summary_says_how_many_times_the_robust_method_costs_and_what_it_brings(lab: Path, tmp_path: Path) -> None:
    result = summarise_table([lab / "change.csv"], Roles(FACTORS, ("AUC",)), tmp_path, figures=False)
    record = read_record(result.files.json)
    assert record is not None
    assert record.relations is not None
    found = record.relations.matched
    assert found is not None
    robust = [pair for pair in found.pairs if pair.factor == "Method"]
    assert len(robust) == 6  # window size × threads, at 2 images
    for pair in robust:
        assert (pair.first, pair.second) == ("1", "0")
        assert pair.energy == "Energy (CodeCarbon)"  # the meter saw the other method at 0 J
        ratio = pair.ratio
        assert ratio.is_shown
        assert ratio.low is not None
        assert ratio.high is not None
        assert 3 < ratio.low < ratio.high < 75
        assert ratio.high / ratio.low < 1.05
        assert pair.difference is not None
        assert 0 < pair.difference < 0.03  # of the AUC
    (said,) = (statement for statement in statements(record.relations) if statement.name == "matched")
    words = next(sentence for sentence in said.sentences if sentence.startswith("Method 1 takes 3.31 (95 % interval"))
    assert "times the Energy (CodeCarbon) of 0, in 6 of 6 settings; AUC differs by +0.021 to +0.029." in words


def test_columns_that_are_the_same_in_all_rows_are_named(lab: Path, tmp_path: Path) -> None:
    header, *rows = (lab / "change.csv").read_text(encoding="utf-8").splitlines()
    path = tmp_path / "one.csv"
    path.write_text("\n".join([f"{header},Room", *(f"{row},B12" for row in rows)]), encoding="utf-8")
    found = read_measurements([path], Roles((*FACTORS, "Room"), ("AUC",)))
    assert any("Room" in note and "same" in note for note in found.notes), found.notes
