from collections.abc import Callable

from terrawatt.analysis.table import Table
from terrawatt.report.grouping import group_rows

MakeTable = Callable[..., Table]


def test_few_scenarios_are_groups_of_their_own(make_table: MakeTable) -> None:
    found = group_rows(make_table(("a", "b"), lrs=(0.1, 0.01), n=2), at_most=4)
    assert found.labels == ("a · lr 0.1", "a · lr 0.01", "b · lr 0.1", "b · lr 0.01")
    assert list(found.of_row) == [0, 0, 1, 1, 2, 2, 3, 3]
    assert (found.title, found.note) == ("Scenario", "")


def test_many_scenarios_are_pooled_by_model_and_the_note_says_so(make_table: MakeTable) -> None:
    found = group_rows(make_table(("a", "b"), lrs=(0.1, 0.01, 0.001), n=1), at_most=4)
    assert found.labels == ("a", "b")
    assert list(found.of_row) == [0, 0, 0, 1, 1, 1]
    assert found.note == "6 scenarios, pooled by Model."


def test_without_a_useful_model_another_factor_pools_sorted_by_size(make_table: MakeTable) -> None:
    table = make_table([f"m{i}" for i in range(5)], lrs=(0.1, 0.01), n=1)
    found = group_rows(table, at_most=4)
    assert (found.title, found.labels) == ("Learning rate", ("lr 0.01", "lr 0.1"))
    assert list(found.of_row[:2]) == [1, 0]


def test_when_no_factor_has_few_levels_all_rows_are_one_group(make_table: MakeTable) -> None:
    found = group_rows(make_table([f"m{i}" for i in range(5)], n=1), at_most=4)
    assert found.labels == ("all repetitions",)
    assert set(found.of_row) == {0}
    assert "5 scenarios" in found.note
