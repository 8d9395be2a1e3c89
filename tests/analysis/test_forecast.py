import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.analysis.detection import pooled_scatter, scatter
from terrawatt.analysis.forecast import Estimate, Execution, Origin, cost, sum_of


def executions(epochs: float | None, *durations_s: float, training: float = math.nan) -> list[Execution]:
    return [Execution(epochs, each, 90 * each, training * each) for each in durations_s]


def test_what_was_measured_is_expected_again() -> None:
    found = cost([*executions(10, 100, 102, 98), *executions(20, 300)], 10)
    assert (found.origin, found.n, found.epochs) == (Origin.MEASURED, 3, 10)
    assert found.duration_s is not None
    assert found.energy_j is not None
    assert found.duration_s.value == pytest.approx(100)
    half_s = 4.302653 * 2 * math.sqrt(1 + 1 / 3)
    assert found.duration_s.low == pytest.approx(100 - half_s)
    assert found.duration_s.high == pytest.approx(100 + half_s)
    assert found.energy_j.value == pytest.approx(9000)


def test_one_execution_tells_no_interval() -> None:
    found = cost(executions(10, 100), 10)
    assert found.duration_s == Estimate(100)


def test_nothing_is_made_of_nothing() -> None:
    assert cost([], 10).origin is Origin.UNKNOWN
    assert cost(executions(None, 100), 10).origin is Origin.UNKNOWN
    assert "does not scale" in cost(executions(None, 100), 10).reason


def test_the_epochs_that_were_measured_scale_and_the_rest_stays() -> None:
    found = cost(executions(10, 100, training=0.8), 30)
    assert (found.origin, found.epochs) == (Origin.SCALED, 10)
    assert found.duration_s == Estimate(pytest.approx(20 + 3 * 80), pytest.approx(260), pytest.approx(300))


def test_without_phases_a_training_lies_between_no_fixed_part_and_nothing_else() -> None:
    found = cost(executions(10, 100), 20)
    assert found.duration_s == Estimate(pytest.approx(200), pytest.approx(100), pytest.approx(200))


def test_the_nearest_number_of_epochs_is_scaled() -> None:
    found = cost([*executions(1, 30), *executions(10, 100), *executions(40, 400)], 20)
    assert found.epochs in (10, 40)
    assert cost([*executions(1, 30), *executions(10, 100)], 20).epochs == 10


@given(
    fixed_s=st.floats(0, 1000),
    epoch_s=st.floats(0.1, 100),
    measured=st.integers(1, 50),
    wanted=st.integers(1, 50),
    seen=st.floats(0, 1),
)
def test_a_fixed_part_and_equal_epochs_are_always_inside(
    fixed_s: float, epoch_s: float, measured: int, wanted: int, seen: float
) -> None:
    """Whatever the fixed part is, and whatever share of the epochs the workload reports."""
    one = Execution(measured, fixed_s + measured * epoch_s, training_s=seen * measured * epoch_s)
    found = cost([one], wanted).duration_s
    truth_s = fixed_s + wanted * epoch_s
    assert found is not None
    if measured != wanted:
        assert found.low is not None
        assert found.high is not None
        assert found.low * (1 - 1e-9) <= truth_s <= found.high * (1 + 1e-9)


def test_what_only_the_first_epoch_does_is_not_done_again() -> None:
    """50 s of features in the first of 3 epochs of 10 s each, and 20 s outside of them."""
    one = Execution(3, 100, energy_j=9000, training_s=80, first_s=60, epochs_done=3)
    found = cost([one], 30)
    assert found.duration_s == Estimate(pytest.approx(100 + 27 * 10), pytest.approx(370), pytest.approx(1000))
    fewer = cost([one], 1).duration_s
    assert fewer is not None
    assert fewer.value == pytest.approx(100 - 2 * 10)


def test_a_training_that_stopped_early_stops_there_again() -> None:
    one = Execution(30, 100, training_s=80, first_s=8, epochs_done=10)
    found = cost([one], 60).duration_s
    assert found == Estimate(pytest.approx(100), pytest.approx(100), pytest.approx(600))
    shorter = cost([one], 5).duration_s
    assert shorter is not None
    assert shorter.value == pytest.approx(100 - 5 * 8)


def test_sums_add_their_ends() -> None:
    assert sum_of([Estimate(1, 0, 2), Estimate(2, 1, 4)]) == Estimate(3, 1, 6)
    assert sum_of([Estimate(1, 0, 2), Estimate(2)]) == Estimate(3)


def test_the_scatter_of_one_scenario_is_its_own() -> None:
    values = np.array([10.0, 11.0, 9.5, 10.2])
    pooled, alone = pooled_scatter([values]), scatter(values)
    assert pooled is not None
    assert (pooled.sd, pooled.sd_upper, pooled.n) == (pytest.approx(alone.sd), pytest.approx(alone.sd_upper), 4)


def test_the_scatter_of_several_is_inside_each_and_not_between_them() -> None:
    values = np.exp([[0.0, 0.1, -0.1], [5.0, 5.1, 4.9]])
    pooled = pooled_scatter([*values, np.array([1.0, 2.0]), np.array([0.0, 1.0, 2.0])])
    assert pooled is not None
    assert pooled.sd == pytest.approx(0.1)
    assert pooled.n == 6
    assert pooled_scatter([np.array([1.0, 2.0])]) is None
