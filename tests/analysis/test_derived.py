import numpy as np
import pytest
from scipy import stats

from small_tables import table_of
from terrawatt.analysis.derived import Derived, DerivedQuantity, derived
from terrawatt.analysis.table import Table
from terrawatt.errors import AnalysisError

WHOLE = {
    "Epochs": [10.0, 10.0, 10.0],
    "Energy (plug)": [1000.0, 1100.0, 1050.0],
    "u Energy (plug)": [30.0, 30.0, 30.0],
    "u common Energy (plug)": [20.0, 20.0, 20.0],
    "micro_recall": [0.5, 0.5, 0.5],
    "Energy train (plug)": [800.0, 900.0, 850.0],
    "Energy test (plug)": [90.0, 100.0, 110.0],
    "Train images": [500.0, 500.0, 500.0],
    "Test images": [100.0, 100.0, 100.0],
    "Test labels": [250.0, 250.0, 250.0],
}


def of(found: Derived, name: str) -> DerivedQuantity:
    return next(quantity for quantity in found.quantities if quantity.name == name)


def table(**changes: list[float]) -> Table:
    return table_of({"a": WHOLE | changes})


@pytest.mark.parametrize(
    ("name", "expected"),
    [("epoch", 85.0), ("1,000 images trained", 170.0), ("1,000 images tested", 1000.0), ("correct label", 8.4)],
)
def test_energies_are_divided_by_what_was_done(name: str, expected: float) -> None:
    value = of(derived(table()), name).values[0]
    assert value.value_j == pytest.approx(expected)
    assert value.n == 3


def test_after_an_early_stop_the_epochs_that_were_done_divide() -> None:
    stopped = derived(table(**{"Epochs done": [4.0, 4.5, np.nan]}))
    assert of(stopped, "epoch").values[0].value_j == pytest.approx((800 / 4 + 900 / 4.5 + 850 / 10) / 3)
    trained = 2 * (800 / 4 + 900 / 4.5 + 850 / 10) / 3
    assert of(stopped, "1,000 images trained").values[0].value_j == pytest.approx(trained)


def test_what_repetitions_share_does_not_shrink_with_their_number() -> None:
    value = of(derived(table()), "correct label").values[0]
    assert value.u_j == pytest.approx(np.hypot(50 / np.sqrt(3), 20) / 125)
    assert value.reason == ""


def test_of_a_phase_the_uncertainty_is_that_of_the_scatter() -> None:
    value = of(derived(table()), "epoch").values[0]
    assert value.u_j == pytest.approx(5 / np.sqrt(3))
    assert value.expanded_j == pytest.approx(stats.t.ppf(0.975, 2) * 5 / np.sqrt(3))
    assert value.reason == "from the scatter alone"


def test_one_repetition_has_no_uncertainty() -> None:
    one = table()
    value = of(derived(Table(one.frame.iloc[:1], one.columns)), "epoch").values[0]
    assert (value.value_j, value.u_j, value.expanded_j) == (pytest.approx(80.0), None, None)
    assert value.reason == "1 repetition, and 2 are needed"


def test_what_the_table_lacks_is_named_and_the_rest_is_computed() -> None:
    whole = table()
    found = derived(Table(whole.frame.drop(columns=["Test labels"]), whole.columns))
    assert of(found, "correct label").reason == "the table has no Test labels"
    assert of(found, "epoch").values
    nothing = Table(whole.frame[["Model", "Energy (plug)"]], whole.columns)
    with pytest.raises(AnalysisError, match=r"per epoch: the table has no Energy train \(plug\) and no Epochs"):
        derived(nothing)


def test_nothing_found_or_tested_has_no_energy_by_it() -> None:
    found = derived(table(micro_recall=[0.0, 0.0, 0.0]))
    assert of(found, "correct label").values == ()
    assert of(found, "correct label").reason == "no repetition has all that it takes"
