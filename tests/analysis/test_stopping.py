import numpy as np
import pytest

from benchmark_modules import benchmark
from terrawatt.analysis.repetitions import relative_half_width
from terrawatt.analysis.stopping import CONFIRMING, QUANTILE, half_widths_so_far, may_stop


def test_half_widths_after_each_repetition():
    values = np.random.default_rng(0).normal(100, 3, (5, 8))
    widths = half_widths_so_far(values)
    assert np.isinf(widths[:, 0]).all()
    assert widths[2, 4] == pytest.approx(relative_half_width(values[2, :5], QUANTILE))
    assert half_widths_so_far(values[2]) == pytest.approx(widths[2])


def test_a_run_ends_at_a_narrow_interval_behind_some_that_confirm_the_first():
    widths = np.full(20, 0.05)
    widths[8] = 0.01  # the first narrow one
    widths[13] = 0.01
    assert np.flatnonzero(may_stop(widths, 0.02, 5)).tolist() == [13]
    widths[8 + CONFIRMING] = 0.01
    assert np.flatnonzero(may_stop(widths, 0.02, 5)).tolist() == [8 + CONFIRMING, 13]


def test_the_least_number_comes_first():
    narrow = np.zeros(20)
    assert np.flatnonzero(may_stop(narrow, 0.02, 7))[0] + 1 == 7 + CONFIRMING
    assert not may_stop(narrow[:7], 0.02, 7).any()
    assert narrow.tolist() == [0.0] * 20


@pytest.mark.parametrize("needed", [6, 15, 30])
@pytest.mark.parametrize("least", [5, 10])
def test_such_intervals_hold_the_truth_as_often_as_promised(needed, least):
    """4,000 runs: the share itself is known to ± 0.8 %; the whole table is printed by benchmarks/comparison.py."""
    comparison = benchmark("comparison")
    for draw in (comparison.normal, comparison.skewed):
        found = comparison.until_narrow(needed, least, draw, trials=4000, most=60)
        assert found.coverage >= 0.93
        assert found.plain < found.coverage
        assert found.mean_repetitions >= least + CONFIRMING
