from collections.abc import Callable

import pandas as pd

from terrawatt.analysis.table import Table, all_columns
from terrawatt.records import Severity, Verdict
from terrawatt.report.content import ReportContent, RunFacts
from terrawatt.report.verdicts import Standing, estimates, standing, trial_reasons, verdict_lines, without_unusable

MakeTable = Callable[..., Table]
MakeContent = Callable[..., ReportContent]
MakeRun = Callable[..., RunFacts]


def verdict(severity: Severity, message: str, column: str | None = None) -> Verdict:
    return Verdict("code", severity, message, "advice", column)


def test_a_repetition_stands_by_its_gravest_verdict(make_content: MakeContent) -> None:
    content = make_content()
    assert standing(content.table, content.verdicts) == Standing(total=6, doubtful=1, unusable=1)
    assert standing(content.table, content.verdicts).good == 4


def test_a_repetition_without_a_row_counts_too(make_table: MakeTable) -> None:
    verdicts = {(1, 1, 9): (verdict(Severity.UNUSABLE, "never ran"),)}
    assert standing(make_table(), verdicts) == Standing(7, 0, 1)


def test_equal_verdicts_are_one_line_the_gravest_first(make_content: MakeContent) -> None:
    content = make_content()
    lines = verdict_lines(content.table, content.verdicts)
    assert [line.severity for line in lines] == [Severity.UNUSABLE, Severity.DOUBTFUL, Severity.NOTE]
    assert lines[0].repetitions == "run 1, group 2, repetition 3"
    assert lines[1].columns == ("Energy (plug)",)
    assert lines[2].repetitions == "run 1, group 1, repetition 1, 2; run 1, group 2, repetition 3"


def test_verdicts_that_differ_in_numbers_or_columns_only_are_one_line(make_table: MakeTable) -> None:
    verdicts = {
        (1, 1, 1): (verdict(Severity.DOUBTFUL, "only 3 readings", "a"),),
        (1, 1, 2): (verdict(Severity.DOUBTFUL, "only 4.5 readings", "b"),),
    }
    (line,) = verdict_lines(make_table(("m",), n=2), verdicts)
    assert line.message == "only 3 readings (the numbers vary)"
    assert line.columns == ("a", "b")
    assert line.repetitions == "all repetitions"


def test_many_places_are_cut(make_table: MakeTable) -> None:
    table = make_table(("m",), lrs=[0.1 * k for k in range(1, 8)], n=20)
    doubtful = (verdict(Severity.DOUBTFUL, "x"),)
    verdicts = {(1, group, repetition): doubtful for group in range(1, 8) for repetition in range(1, 13)}
    (line,) = verdict_lines(table, verdicts)
    assert line.repetitions.startswith("run 1, group 1, repetition 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, …; ")
    assert line.repetitions.endswith("; and in 3 more")


def test_an_unusable_repetition_loses_all_that_was_measured_and_nothing_else(make_content: MakeContent) -> None:
    content = make_content()
    usable = without_unusable(content.table, content.verdicts)
    row, before = usable.frame.iloc[5], content.table.frame.iloc[5]
    assert row[["Energy (plug)", "u Energy (plug)", "Duration", "Accuracy", "CPU", "Emissions"]].isna().all()
    assert row["Model"] == before["Model"]
    assert row["Repetition"] == before["Repetition"]
    pd.testing.assert_frame_equal(usable.frame.iloc[:5], content.table.frame.iloc[:5])
    assert content.table.frame["Energy (plug)"].notna().all()


def test_an_unusable_column_loses_its_cell_and_its_uncertainty(make_table: MakeTable) -> None:
    verdicts = {(1, 1, 1): (verdict(Severity.UNUSABLE, "no baseline", "Energy (plug)"),)}
    row = without_unusable(make_table(), verdicts).frame.iloc[0]
    assert row[["Energy (plug)", "u Energy (plug)"]].isna().all()
    assert row[["Duration", "Energy gross (plug)"]].notna().all()


def test_runs_and_groups_without_a_number_have_none_as_key() -> None:
    frame = pd.DataFrame(
        {"Run": [None, None], "Group": [float("nan")] * 2, "Repetition": [1, 2], "Duration": [1.0, 2.0]}
    )
    table = Table(frame, all_columns([], []))
    usable = without_unusable(table, {(None, None, 2): (verdict(Severity.UNUSABLE, "x"),)})
    assert usable.frame["Duration"].isna().tolist() == [False, True]
    assert standing(Table(frame[["Duration"]], table.columns), {}).total == 2


def test_short_protocols_are_trials(make_run: MakeRun) -> None:
    assert trial_reasons(make_run()) == (
        "idle before 20 s (≥ 120 s asked)",
        "idle after 0 s (≥ 120 s asked)",
        "3 repetitions (≥ 10 asked)",
    )
    assert trial_reasons(make_run(protocol={"cold_s": 180, "idle_after_s": 120.0, "repetitions": 10})) == ()
    assert trial_reasons(make_run(protocol={"cold_s": None})) == ()
    until_narrow = {"until_ci_percent": 2.0, "min_repetitions": 5, "repetitions": 10}
    assert trial_reasons(make_run(protocol=until_narrow)) == ("at least 5 repetitions (≥ 10 asked)",)


def test_sources_that_are_estimates_are_named_once(make_run: MakeRun) -> None:
    assert estimates([make_run("run_1"), make_run("run_2")]) == ("model",)
