import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import optimize, stats

from terrawatt.analysis.line import Line, ordinary_line, york_line
from terrawatt.errors import AnalysisError
from terrawatt.records import Float64Array

# Pearson's points with York's weights (York 1966): the case on which methods of this kind are compared.
X = np.array([0.0, 0.9, 1.8, 2.6, 3.3, 4.4, 5.2, 6.1, 6.5, 7.4])
Y = np.array([5.9, 5.4, 4.4, 4.6, 3.5, 3.7, 2.8, 2.8, 2.4, 1.5])
U_X = 1 / np.sqrt([1000.0, 1000, 500, 800, 200, 80, 60, 20, 1.8, 1])
U_Y = 1 / np.sqrt([1.0, 1.8, 4, 8, 20, 20, 70, 70, 100, 500])


def test_pearsons_points_with_yorks_weights() -> None:
    found = york_line(X, Y, U_X, U_Y)
    assert found.intercept == pytest.approx(5.479910, abs=1e-6)
    assert found.slope == pytest.approx(-0.480533, abs=1e-6)
    # York et al. (2004), table II: 0.2949 and 0.0580 before the misfit; χ²/(n - 2) = 1.483
    assert found.misfit**2 == pytest.approx(1.4833, abs=1e-4)
    assert found.u_intercept / found.misfit == pytest.approx(0.29497, abs=1e-5)
    assert found.u_slope / found.misfit == pytest.approx(0.057985, abs=1e-6)


def distance(line: tuple[float, float], x: Float64Array, y: Float64Array, *u: Float64Array) -> float:
    """χ² of a line, with the true points eliminated."""
    u_x, u_y, r = u
    intercept, slope = line
    return float(np.sum((y - intercept - slope * x) ** 2 / (u_y**2 + (slope * u_x) ** 2 - 2 * slope * r * u_x * u_y)))


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_least_distance_also_with_correlated_errors(seed: int) -> None:
    random = np.random.default_rng(seed)
    true = np.linspace(1, 10, 12)
    u_x, u_y, r = random.uniform(0.1, 0.6, 12), random.uniform(0.1, 0.9, 12), random.uniform(-0.9, 0.9, 12)
    x, y = true + random.normal(0, u_x), 2 + 1.5 * true + random.normal(0, u_y)
    found = york_line(x, y, u_x, u_y, r)
    best = optimize.minimize(distance, (found.intercept + 0.1, found.slope - 0.1), (x, y, u_x, u_y, r), tol=1e-12)
    assert_allclose((found.intercept, found.slope), best.x, rtol=1e-4)
    assert found.misfit**2 * 10 == pytest.approx(best.fun)


def test_without_uncertainty_in_x_it_is_weighted_least_squares() -> None:
    found = york_line(X, Y, np.zeros(10), U_Y)
    slope, intercept = np.polyfit(X, Y, 1, w=1 / U_Y)
    assert_allclose((found.intercept, found.slope), (intercept, slope))


def test_the_intervals_hold_the_truth_as_often_as_they_say() -> None:
    random = np.random.default_rng(0)
    true, hits = np.linspace(10, 50, 8), np.zeros(3)
    u_x, u_y = 0.02 * true, np.full(8, 0.7)
    for _ in range(2000):
        found = york_line(true + random.normal(0, u_x), 3 + 1.2 * true + random.normal(0, u_y), u_x, u_y)
        hits += _holds(found)
    assert (hits / 2000 > 0.945).all()  # the misfit only widens, so a little above 95 %
    assert (hits / 2000 < 0.995).all()


def _holds(found: Line) -> list[bool]:
    at = np.array([30.0])
    low, high = found.intercept_interval
    first, last = found.slope_interval
    return [low <= 3 <= high, first <= 1.2 <= last, bool(abs(found.at(at) - 39)[0] <= found.half_width(at)[0])]


@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6), st.floats(-100, 100))
def test_units_do_not_matter(unit_x: float, unit_y: float, shift: float) -> None:
    first = york_line(X, Y, U_X, U_Y)
    second = york_line(X * unit_x, (Y + shift) * unit_y, U_X * unit_x, U_Y * unit_y)
    assert_allclose(second.slope, first.slope * unit_y / unit_x, rtol=1e-6)
    assert_allclose(second.intercept, (first.intercept + shift) * unit_y, rtol=1e-6, atol=1e-6 * unit_y)
    assert_allclose(second.u_slope, first.u_slope * unit_y / unit_x, rtol=1e-6)


def test_exchanging_both_coordinates_gives_the_same_line() -> None:
    first, second = york_line(X, Y, U_X, U_Y), york_line(Y, X, U_Y, U_X)
    assert second.slope == pytest.approx(1 / first.slope)
    assert second.intercept == pytest.approx(-first.intercept / first.slope)


def test_the_ordinary_line_is_that_of_scipy() -> None:
    found, reference = ordinary_line(X, Y), stats.linregress(X, Y)
    assert_allclose((found.slope, found.intercept), (reference.slope, reference.intercept))
    assert found.r_squared == pytest.approx(reference.rvalue**2)


@pytest.mark.parametrize(
    ("x", "y", "reason"),
    [
        ([1.0, 2], [1.0, 2], "2 points"),
        ([1.0, 1, 1], [1.0, 2, 3], "all x are equal"),
        ([1.0, 2, 3], [1.0] * 3, "all y"),
    ],
)
def test_too_few_points_or_none_that_differ_give_no_line(x: list[float], y: list[float], reason: str) -> None:
    with pytest.raises(AnalysisError, match=reason):
        ordinary_line(np.array(x), np.array(y))


def test_a_point_without_any_uncertainty_is_refused() -> None:
    with pytest.raises(AnalysisError, match="without uncertainty"):
        york_line(X, Y, np.zeros(10), np.zeros(10))
