import math
from dataclasses import replace
from itertools import count

import pytest

from run_folders import PLUG
from terrawatt.records import Severity
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.status import State
from terrawatt.summary.collect import collect
from terrawatt.summary.rows import run_rows


@pytest.fixture
def rows_of(make_run):
    """Makes a run and computes its rows; each time another run."""
    numbers = count(1)
    return lambda **changes: run_rows(collect(RunFolder(make_run(next(numbers), **changes)))).rows


def test_the_known_truth(rows_of):
    first, second, third = rows_of()
    assert first.key == (1, None, 1)
    assert first.values["Energy (plug)"] == pytest.approx(50 * 60)
    assert first.values["Energy gross (plug)"] == pytest.approx(90 * 60)
    assert first.values["CPU"] == pytest.approx(70 * 60)
    assert first.values["Memory"] == pytest.approx(-20 * 60, rel=0.02)  # its cold level is read at moments
    assert first.values["Reads count"] == pytest.approx(120)
    assert first.values["Reads"] == pytest.approx(2 * 60**2 / 2)
    assert first.values["Duration"] == 60
    assert first.values["Energy train (plug)"] == pytest.approx(2 * 8 * 50)
    assert third.values["Emissions"] == pytest.approx(3e-5)
    assert second.values["Energy (CodeCarbon)"] == pytest.approx(0.004 * 3.6e6)
    assert first.values["Accuracy"] > 0.9
    assert first.values["Parameters"] == 7_429_139


def test_every_uncertainty_is_there_and_above_zero(rows_of):
    for row in rows_of():
        assert row.values["u Energy (plug)"] > row.values["u Energy gross (plug)"] > 0


def test_identity_and_parameters_and_the_seed_of_each_repetition(rows_of):
    rows = rows_of()
    assert [row.values["Seed"] for row in rows] == [7, 8, 9]
    assert [row.values["Repetition"] for row in rows] == [1, 2, 3]
    assert {row.values["Run"] for row in rows} == {1}
    assert {row.values["Block"] for row in rows} == {None}
    assert {(row.values["Model"], row.values["Learning rate"], row.values["Batch size"]) for row in rows} == {
        ("s-cnn-all", 0.001, 100)
    }


def test_every_empty_cell_has_its_reason_and_a_good_run_no_other(rows_of):
    (row, *_) = rows_of()
    assert row.values["Verdict"] == (
        "Energy test (plug): no readings in the window, 2 needed; Temperature: no sensor on this machine"
    )
    assert not row.is_unusable


def test_all_numbers_are_of_one_execution(rows_of):
    once, *_ = rows_of()
    four, *_ = rows_of(executions=4)
    columns = ("Energy (plug)", "u Energy (plug)", "Energy gross (plug)", "Emissions", "CPU", "Memory", "Reads",
               "Reads count", "Duration", "Energy train (plug)", "Energy (CodeCarbon)")  # fmt: skip
    for column in columns:
        assert four.values[column] == pytest.approx(once.values[column] / 4)
    assert four.values["Accuracy"] == once.values["Accuracy"]


def test_repetitions_that_failed_or_were_interrupted_have_a_row_without_numbers(rows_of):
    done, failed, interrupted = rows_of(states=(State.DONE, State.FAILED, State.INTERRUPTED))
    assert failed.values["Verdict"] == "unusable: failed: exit code 1"
    assert interrupted.values["Verdict"] == "unusable: interrupted"
    identity = {"Run", "Group", "Block", "Repetition", "Model", "Learning rate", "Batch size", "Seed", "Verdict"}
    assert set(failed.values) == set(interrupted.values) == identity
    assert failed.is_unusable
    assert interrupted.is_unusable
    assert not done.is_unusable


def test_what_has_not_ended_has_no_row(rows_of):
    assert len(rows_of(states=(State.DONE, State.RUNNING, State.PENDING))) == 1


def test_a_measured_command_has_one_short_reason_for_what_it_does_not_report(rows_of):
    (row, *_) = rows_of(is_trained=False)
    assert "Accuracy" not in row.values
    assert row.values["Verdict"] == (
        "Energy train (plug), Energy test (plug), performance, Parameters: the workload reports none; "
        "Temperature: no sensor on this machine"
    )


def test_without_a_store_every_energy_is_missing_with_the_reason(rows_of):
    for row in rows_of(has_store=False):
        assert not any(name.startswith(("Energy (plug)", "u Energy", "CPU")) for name in row.values)
        assert "telemetry.sqlite" in row.values["Verdict"]
        assert row.is_unusable
        assert row.values["Duration"] == 60


def test_a_source_without_readings_is_unusable_only_when_it_is_the_main_one(rows_of):
    rapl = replace(PLUG, name="rapl", series=replace(PLUG.series, tags=(("host", "lab"), ("source", "rapl"))))
    (row, *_) = rows_of(sources=(PLUG, rapl), silent=("rapl",))
    assert row.values["Energy (plug)"] == pytest.approx(3000)
    assert "Energy (rapl)" not in row.values
    assert "unusable: Energy (rapl): the store holds no reading of it" in row.values["Verdict"]
    assert not row.is_unusable
    (row, *_) = rows_of(sources=(PLUG, rapl), silent=("plug",))
    assert row.values["Energy (rapl)"] == pytest.approx(3000)
    assert row.is_unusable


def test_a_latency_as_long_as_the_cold_period_leaves_no_baseline(rows_of):
    (row, *_) = rows_of(latency_s=60.0)
    assert math.isnan(row.values["Energy (plug)"])
    assert row.values["Energy gross (plug)"] == pytest.approx(5400)
    assert "CPU" not in row.values
    assert [v.code for v in row.verdicts if v.severity is Severity.UNUSABLE] == ["no-baseline"]


def test_an_idle_period_on_one_side_is_a_remark(rows_of):
    two_sided, one_sided = rows_of()[0], rows_of(idle_after_s=0.0)[0]
    assert "single-baseline" not in [verdict.code for verdict in two_sided.verdicts]
    assert "single-baseline" in [verdict.code for verdict in one_sided.verdicts]
    assert one_sided.values["Verdict"] == two_sided.values["Verdict"]


def test_missing_emissions_are_explained(rows_of):
    (row, *_) = rows_of(has_emissions=False)
    assert "Emissions, Energy (CodeCarbon): CodeCarbon left no file" in row.values["Verdict"]


def test_without_a_declared_accuracy_there_is_an_energy_but_no_uncertainty(rows_of):
    (row, *_) = rows_of(sources=(replace(PLUG, accuracy=()),))
    assert row.values["Energy (plug)"] == pytest.approx(3000)
    assert math.isnan(row.values["u Energy (plug)"])
    assert "u Energy (plug): the source's accuracy is not declared" in row.values["Verdict"]
    assert not row.is_unusable
