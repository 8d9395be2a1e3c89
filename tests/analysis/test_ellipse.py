import numpy as np
import pytest
from scipy import stats

from terrawatt.analysis.ellipse import prediction_ellipse
from terrawatt.errors import AnalysisError
from terrawatt.records import Float64Array


def is_inside(corners: Float64Array, point: Float64Array, values: Float64Array) -> bool:
    """Whether a point is nearer to the middle, by the covariance, than the corners."""
    inverse = np.linalg.inv(np.cov(values, rowvar=False))
    middle = values.mean(axis=0)
    radius = (corners[0] - middle) @ inverse @ (corners[0] - middle)
    return bool((point - middle) @ inverse @ (point - middle) <= radius)


def test_a_further_repetition_is_inside_in_95_percent() -> None:
    random = np.random.default_rng(0)
    mix = np.array([[100.0, 0.02], [0.0, 0.01]])
    held = []
    for _ in range(2000):
        values = random.normal(size=(8, 2)) @ mix + [5e3, 0.6]
        further = random.normal(size=2) @ mix + [5e3, 0.6]
        held.append(is_inside(prediction_ellipse(values), further, values))
    assert np.mean(held) == pytest.approx(0.95, abs=0.015)


def test_all_corners_are_equally_far_and_of_many_values_at_the_quantile_of_chi_square() -> None:
    values = np.random.default_rng(1).multivariate_normal([1.0, 2.0], [[4.0, 1.5], [1.5, 1.0]], 20_000)
    corners = prediction_ellipse(values) - values.mean(axis=0)
    distance2 = np.einsum("ij,jk,ik->i", corners, np.linalg.inv(np.cov(values, rowvar=False)), corners)
    assert distance2 == pytest.approx(stats.chi2.ppf(0.95, 2), rel=2e-3)
    assert corners[0] == pytest.approx(corners[-1], abs=1e-12)


def test_there_is_none_of_few_values_or_without_spread() -> None:
    with pytest.raises(AnalysisError, match="4 values, and 5 are needed"):
        prediction_ellipse(np.random.default_rng(0).normal(size=(4, 2)))
    with pytest.raises(AnalysisError, match="does not vary"):
        prediction_ellipse(np.column_stack([np.arange(6.0), np.full(6, 0.5)]))
