import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.analysis.sittings import common_share


def test_one_sitting_shares_all_and_sittings_of_one_repetition_nothing() -> None:
    assert common_share([1, 1, 1, 1]) == 1.0
    assert common_share([1, 2, 3, 4]) == 0.0
    assert common_share([1]) == 1.0
    assert common_share([3], alone=0.0) == 0.0


def test_neighbours_in_time_share_half_of_their_idle_level() -> None:
    assert common_share([1, 2], [(1, 2)]) == 0.5
    assert common_share([1, 2, 3], [(2, 3)]) == pytest.approx(0.5 / 3)
    assert common_share([1, 2], [(1, 3)]) == 0.0


@given(st.lists(st.integers(1, 4), min_size=2, max_size=12))
def test_scatter_and_common_part_together_are_the_variance_of_the_mean(sittings: list[int]) -> None:
    """The mean's variance is the expectation of s²/n, which holds some of it, and the share of the idle level's."""
    own, idle, n = 0.3, 2.0, len(sittings)
    same = np.equal.outer(sittings, sittings)
    covariance = own * np.eye(n) + idle * same
    of_mean = float(covariance.mean())
    centred = np.eye(n) - 1 / n
    scatter = float(np.trace(centred @ covariance)) / (n - 1)
    assert math.isclose(of_mean, scatter / n + common_share(sittings) * idle, rel_tol=1e-9)
