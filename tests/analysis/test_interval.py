import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from terrawatt.analysis.interval import half_widths


def half_width(variance=(0.0,), weight=(1.0,), dof=math.inf, normal_u=0.0, limits=()):
    (found,) = half_widths(
        np.array([variance]), np.array(weight), dof, np.array([normal_u]), np.array([limits]).reshape(1, -1)
    )
    return found


def test_normal_rectangular_and_nothing():
    assert half_width(normal_u=2.0) == pytest.approx(2 * 1.96, rel=1e-3)
    assert half_width(limits=(3.0,)) == pytest.approx(2.85, rel=1e-3)
    assert half_width() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("dof", "tolerance"), [(1, 0.04), (2, 0.02), (5, 0.01), (60, 0.005)])
def test_t_distributions(dof, tolerance):
    assert half_width((4.0,), dof=dof) == pytest.approx(2 * stats.t.ppf(0.975, dof), rel=tolerance)


@pytest.mark.parametrize(
    ("variance", "weight", "dof", "normal_u", "limits"),
    [
        ((1, 4, 100), (0.6, 0.3, 0.1), 5, 0.5, (3.0, 1.0)),
        ((0,), (1,), math.inf, 0.0, (3.0, 3.0)),
        ((0.01,), (1,), 10, 0.1, (3.0, 1.0)),
        ((1,), (1,), 3, 0.0, (1.5,)),
        ((1,), (1,), math.inf, 0.1, (0.5,)),
    ],
)
def test_sums_against_draws(variance, weight, dof, normal_u, limits):
    rng = np.random.default_rng(1)
    n = 400_000
    drawn = rng.standard_t(dof, n) if math.isfinite(dof) else rng.normal(size=n)
    drawn *= np.sqrt(np.array(variance))[rng.choice(len(weight), n, p=weight)]
    drawn += normal_u * rng.normal(size=n)
    for limit in limits:
        drawn += rng.uniform(-limit, limit, n)
    found = half_width(variance, weight, dof, normal_u, limits)
    assert found == pytest.approx(np.quantile(np.abs(drawn), 0.95), rel=0.015)


def test_a_fine_mixture_is_taken_in_groups():
    variance = np.geomspace(0.01, 100, 500)
    weight = np.full(500, 1 / 500)
    x = half_width(variance, weight, 8)
    assert (weight * (2 * stats.t.cdf(x / np.sqrt(variance), 8) - 1)).sum() == pytest.approx(0.95, abs=0.004)


@given(st.floats(1e-6, 1e6), st.floats(0, 10), st.floats(0, 10), st.integers(1, 50))
def test_it_scales(factor, normal_u, limit, dof):
    one = half_width((1.0,), dof=dof, normal_u=normal_u, limits=(limit,))
    many = half_width((factor**2,), dof=dof, normal_u=normal_u * factor, limits=(limit * factor,))
    assert many == pytest.approx(one * factor, rel=1e-5)


def test_windows_do_not_depend_on_each_other():
    variance, normal_u, limits = np.array([[1.0, 9.0], [2.0, 0.5]]), np.array([0.1, 3.0]), np.array([[1.0], [0.0]])
    both = half_widths(variance, np.array([0.4, 0.6]), 7, normal_u, limits)
    alone = [
        half_widths(variance[i : i + 1], np.array([0.4, 0.6]), 7, normal_u[i : i + 1], limits[i : i + 1])[0]
        for i in range(2)
    ]
    assert both == pytest.approx(alone, rel=1e-4)
