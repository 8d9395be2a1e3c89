import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.analysis.integrate import integrate
from terrawatt.analysis.sampling import sampling
from terrawatt.analysis.signal import prepare
from terrawatt.analysis.window_ends import best_division
from terrawatt.records import Semantics, Series, SeriesKey, Window

S = 1_000_000_000
VARIANCES = st.floats(0.01, 100)


@given(
    st.floats(0.05, 0.95), VARIANCES, VARIANCES, VARIANCES, VARIANCES, VARIANCES, st.floats(-50, 50), st.floats(-50, 50)
)
def test_it_is_the_best_linear_estimate(f, a, b, of_outer, of_inner, step2, y_outer, y_inner):
    """By the covariances of (d, e_o, e_i, z_o, z_i) and the rows of x, y_o, y_i, as matrices."""
    g = 1 - f
    errors = np.diag([step2, of_outer, of_inner, a, b])
    x = np.array([f, f, -f, 0, 0])
    y = np.array([[f, -g, -f, 1, 0], [-g, -g, -f, 0, 1]])
    gain = np.linalg.solve(y @ errors @ y.T, y @ errors @ x)
    arrays = [np.array([number]) for number in (f, g, a, b, g * of_outer, f * of_inner, step2, y_outer, y_inner)]
    f_, g_, a_, b_, ga, fb, step2_, outer, inner = arrays
    estimate, variance = best_division(f_, g_, (a_, b_), (ga, fb), step2_, (outer, inner))
    assert estimate[0] == pytest.approx(gain @ [y_outer, y_inner], rel=1e-6, abs=1e-9)
    assert variance[0] == pytest.approx(x @ errors @ x - gain @ y @ errors @ x, rel=1e-6, abs=1e-9)


def simulated(rng, idle_w, load_w, noise_w):
    """Errors of repetitions of 60 s back to back, read as means of 10 s; before and after them the machine idles."""
    power_w = np.full(1000, idle_w)
    power_w[200:800] = load_w
    power_w = power_w + rng.normal(0, noise_w, 1000) * np.where(power_w == load_w, 1, 0.1)
    first = int(rng.integers(1, 10))
    edges = np.arange(first, 1000, 10)
    mean_w = [power_w[edge - 10 : edge].mean() for edge in edges[1:]]
    key = SeriesKey.of("power", "power_w", source="plug")
    signal = prepare(Series(key, edges[1:] * S, np.array(mean_w)), Semantics.MEAN, 10.0)
    windows = [Window(at * S, (at + 60) * S) for at in range(200, 800, 60)]
    raw_j = np.array([found.value for found in integrate(signal, windows)])
    true_j = np.array([power_w[at : at + 60].sum() for at in range(200, 800, 60)])
    found = sampling(signal, windows)
    return raw_j - true_j, raw_j + found.correction - true_j, found.u


def rms(values):
    return float(np.sqrt(np.mean(np.square(values))))


def test_between_repetitions_without_a_step_nothing_is_moved_and_at_the_first_and_last_it_is():
    rng = np.random.default_rng(6)
    raw, corrected, u = (
        np.array(part) for part in zip(*(simulated(rng, 40, 150, 10) for _ in range(150)), strict=True)
    )
    assert rms(corrected[:, 1:-1]) < 1.1 * rms(raw[:, 1:-1])
    assert rms(corrected[:, [0, -1]]) < 0.1 * rms(raw[:, [0, -1]])
    assert rms(u[:, 1:-1]) == pytest.approx(rms(corrected[:, 1:-1]), rel=0.15)
    assert rms(u[:, [0, -1]]) == pytest.approx(rms(corrected[:, [0, -1]]), rel=0.25)
