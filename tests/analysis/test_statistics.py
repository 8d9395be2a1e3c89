import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from terrawatt.analysis.statistics import (
    LeftOut,
    chance_correlation,
    correlation_matrix,
    covariance_matrix,
    describe,
    left_out_by_reason,
    mean_with_uncertainty,
    numbers,
    quantities,
)
from terrawatt.analysis.table import Table, all_columns
from terrawatt.errors import AnalysisError

ENERGY, U_ENERGY = "Energy (plug)", "u Energy (plug)"
COLUMNS = all_columns(["model", "lr", "epochs", "seed"], ["plug"])
values_lists = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30)


def table(**columns: list[object]) -> Table:
    names = {"energy": ENERGY, "u": U_ENERGY, "gross": "Energy gross (plug)", "model": "Model", "lr": "Learning rate"}
    frame = pd.DataFrame({names.get(name, name): values for name, values in columns.items()})
    return Table(frame, COLUMNS)


def test_a_description_by_hand() -> None:
    found = describe([1.0, 2.0, 3.0, float("nan")])
    assert (found.n, found.missing, found.mean, found.median, found.sd) == (3, 1, 2.0, 2.0, 1.0)
    # t(0.975, 2) = 4.303; half-width 4.303 · 1 / √3 = 2.484
    assert found.low == pytest.approx(2.0 - 2.484, abs=1e-3)
    assert found.high == pytest.approx(2.0 + 2.484, abs=1e-3)
    assert found.reason == ""


@given(values_lists)
def test_a_description_agrees_with_scipy(values: list[float]) -> None:
    found = describe(values)
    low, high = stats.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=stats.sem(values) or 1e-300)
    assert found.low == pytest.approx(low, rel=1e-9, abs=1e-6)
    assert found.high == pytest.approx(high, rel=1e-9, abs=1e-6)
    assert found.median == pytest.approx(np.median(values))


def test_one_value_has_no_interval_and_says_so() -> None:
    found = describe([5.0, float("inf")])
    assert (found.n, found.missing, found.mean) == (1, 1, 5.0)
    assert found.sd is None
    assert found.low is None
    assert found.high is None
    assert "one value" in found.reason


def test_no_value_is_described_as_none() -> None:
    found = describe([float("nan")])
    assert (found.n, found.mean, found.reason) == (0, None, "no value")
    assert describe([]).mean is None


def test_the_uncertainty_of_a_mean_by_hand() -> None:
    found = mean_with_uncertainty([10.0, 12.0, float("nan")], [3.0, 5.0, 100.0])
    # s² / n = 2 / 2 = 1; ū = 4; u = √17; ν = 17² / (1² / 1) = 289; t(0.975, 289) = 1.968
    assert found.mean == 11.0
    assert found.u == pytest.approx(17**0.5)
    assert found.dof == pytest.approx(289)
    assert found.expanded == pytest.approx(1.968 * 17**0.5, rel=1e-3)


def test_what_is_each_repetitions_own_is_in_their_spread_and_not_counted_again() -> None:
    found = mean_with_uncertainty([10.0, 12.0], [5.0, 5.0], [3.0, 4.0])
    assert found.u == pytest.approx((1 + 3.5**2) ** 0.5)
    assert mean_with_uncertainty([10.0, 12.0], [5.0, 5.0], [0.0, 0.0]).expanded == pytest.approx(12.706, rel=1e-4)
    unknown = mean_with_uncertainty([10.0, 12.0], [5.0, 5.0], [float("nan")] * 2)  # a table without the column
    assert unknown.u == pytest.approx(26**0.5)


@given(st.floats(0.1, 100), st.integers(2, 1000))
def test_what_repetitions_share_does_not_shrink_with_their_number(u: float, n: int) -> None:
    found = mean_with_uncertainty([7.0] * n, [u] * n)
    assert found.u == pytest.approx(u)


def test_an_unknown_uncertainty_stays_unknown() -> None:
    found = mean_with_uncertainty([1.0, 2.0], [0.1, float("nan")])
    assert found.mean == 1.5
    assert found.u is None
    assert found.expanded is None
    assert "unknown" in found.reason
    assert mean_with_uncertainty([float("nan")], [1.0]).reason == "no value"


def test_the_uncertainty_of_one_repetition_leaves_out_its_spread() -> None:
    found = mean_with_uncertainty([3.0], [0.5])
    assert (found.mean, found.u) == (3.0, 0.5)
    assert "spread" in found.reason


def test_numbers_of_a_column_of_mixed_cells() -> None:
    found = numbers(table(energy=[1, "2.5", None, "?", float("inf")]), ENERGY)
    np.testing.assert_array_equal(found, [1.0, 2.5, np.nan, np.nan, np.nan])


def full_table() -> Table:
    return table(
        Run=[1, 1, 1, 1, 1],
        Repetition=[1, 2, 3, 4, 5],
        model=["a", "a", "b", "b", "b"],
        lr=[0.1, 0.1, 0.2, 0.2, 0.2],
        Epochs=[2, 2, 2, 2, 2],
        Seed=[1, 2, 3, 4, 5],
        energy=[1.0, 2.0, 3.0, 4.5, None],
        u=[0.1, 0.2, 0.3, 0.4, 0.5],
        gross=[2.0, 3.0, 4.0, 5.5, 6.0],
        Temperature=[None, None, None, 4.0, 5.0],
        Memory=[None] * 5,
        Duration=[10.0, 11.0, 12.5, 13.0, 14.0],
        Verdict=["", "", "", "", "note: x"],
        strange=[1, 2, 3, 4, 5],
    )


def test_quantities_are_the_numeric_columns_that_vary_and_the_rest_is_named() -> None:
    found = quantities(full_table())
    assert found.names == ("Learning rate", ENERGY, "Duration")
    np.testing.assert_array_equal(found.rows, [0, 1, 2, 3])
    reasons = {column.name: column.reason for column in found.left_out}
    assert reasons == {
        "Run": "a label, not a quantity",
        "Repetition": "a label, not a quantity",
        "Seed": "a label, not a quantity",
        "Model": "not numbers",
        "Epochs": "constant",
        U_ENERGY: "an uncertainty",
        "Energy gross (plug)": "gross: its net energy is used",
        "Temperature": "missing in 3 of 5 repetitions",
        "Memory": "no value",
        "Verdict": "words, not a quantity",
        "strange": "not a known column",
    }


def test_matrices_agree_with_pandas() -> None:
    found = quantities(full_table())
    frame = full_table().frame.iloc[:4][list(found.names)].astype(float)
    np.testing.assert_allclose(covariance_matrix(found).values, frame.cov().to_numpy())
    np.testing.assert_allclose(correlation_matrix(found).values, frame.corr().to_numpy())
    assert correlation_matrix(found).n == 4


@pytest.mark.parametrize(("n", "r"), [(3, 0.997), (5, 0.878), (10, 0.632), (100, 0.197)])
def test_correlations_by_chance_agree_with_published_tables(n: int, r: float) -> None:
    assert chance_correlation(n) == pytest.approx(r, abs=5e-4)


def test_truth_values_are_not_quantities() -> None:
    found = quantities(table(lr=[True, False, True], energy=[1.0, 2.0, 4.0], Duration=[1.0, 2.0, 3.0]))
    assert found.names == (ENERGY, "Duration")


def test_too_few_repetitions_or_columns_is_an_error_with_the_numbers() -> None:
    with pytest.raises(AnalysisError, match=r"too few complete repetitions.*: 2, and 3"):
        quantities(table(energy=[1.0, 2.0], Duration=[1.0, 2.0]))
    with pytest.raises(AnalysisError, match=r"too few quantities that vary.*: 1, and 2"):
        quantities(table(energy=[1.0, 2.0, 3.0], Duration=[1.0, 1.0, 1.0]))
    with pytest.raises(AnalysisError, match=r"too few quantities that vary.*: 0, and 2"):
        quantities(table(model=["a", "b", "c"]))


def test_columns_left_out_by_reason_have_surprises_first() -> None:
    left_out = [LeftOut("u", "an uncertainty"), LeftOut("Loss", "constant"), LeftOut("Optimizer", "constant")]
    assert left_out_by_reason(left_out) == [("constant", ["Loss", "Optimizer"]), ("an uncertainty", ["u"])]
    assert left_out_by_reason([]) == []
