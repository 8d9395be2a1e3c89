import pandas as pd
import pytest

from terrawatt.analysis.scenarios import scenario_rows
from terrawatt.analysis.table import Table, all_columns

COLUMNS = all_columns(["model", "lr", "batch", "epochs", "seed", "hidden"], ["plug"])


def table(**columns: list[object]) -> Table:
    return Table(pd.DataFrame({name.replace("_", " "): values for name, values in columns.items()}), COLUMNS)


def labels(of: Table) -> list[str]:
    return [scenario.label for scenario in scenario_rows(of)]


def test_rows_of_equal_factors_are_one_scenario_whatever_their_seed_run_and_order() -> None:
    found = scenario_rows(table(Run=[1, 1, 2, 2], Model=["b", "a", "b", "a"], Seed=[1, 2, 3, 4]))
    assert [(scenario.label, list(scenario.rows)) for scenario in found] == [("b", [0, 2]), ("a", [1, 3])]
    assert dict(found[0].settings) == {"Model": "b"}


def test_a_label_names_only_what_differs() -> None:
    of = table(Model=["a", "a"], Learning_rate=[0.001, 0.01], Batch_size=[100, 100], Epochs=[10.0, 20.0])
    assert labels(of) == ["lr 0.001 · epochs 10", "lr 0.01 · epochs 20"]


def test_a_setting_that_a_scenario_does_not_have_is_a_dash() -> None:
    assert labels(table(Model=["a", "b"], hidden=[128, None])) == ["a · hidden 128", "b · hidden –"]


@pytest.mark.parametrize("value", [None, float("nan"), pd.NA])
def test_missing_values_of_all_kinds_are_the_same_setting(value: object) -> None:
    assert len(scenario_rows(table(Model=["a", "a"], hidden=pd.Series([None, value], dtype=object).tolist()))) == 1


def test_one_scenario_is_called_by_its_model() -> None:
    assert labels(table(Epochs=[5, 5], Model=["s-cnn-all"] * 2)) == ["s-cnn-all"]


def test_without_factors_each_run_and_group_is_a_scenario() -> None:
    of = table(Run=[3, 3, 3], Group=[1, 2, 2], Model=[None] * 3, Seed=[1, 2, 3])
    assert labels(of) == ["group 1", "group 2"]
    assert labels(table(Duration=[1.0, 2.0])) == ["all repetitions"]


def test_an_empty_table_has_no_scenario() -> None:
    assert scenario_rows(table(Model=[])) == ()
