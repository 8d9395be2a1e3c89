import numpy as np
import pytest
from scipy import stats

from terrawatt.analysis.training_curves import epoch_points


def test_each_epoch_has_the_mean_and_the_t_interval_of_its_repetitions() -> None:
    values = np.random.default_rng(0).normal(size=(5, 3))
    points = epoch_points(values.tolist())
    assert [point.epoch for point in points] == [1, 2, 3]
    for point, column in zip(points, values.T, strict=True):
        expected = stats.t.interval(0.95, 4, column.mean(), stats.sem(column))
        assert (point.low, point.high) == pytest.approx(expected)
        assert point.n == 5


def test_epochs_without_a_value_are_left_out_and_one_repetition_has_no_interval() -> None:
    points = epoch_points([[1.0, None, 3.0], [2.0, None]])
    assert [(point.epoch, point.n) for point in points] == [(1, 2), (3, 1)]
    assert points[1].low is None
    assert epoch_points([]) == ()
