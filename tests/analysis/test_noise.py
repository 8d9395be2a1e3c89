import numpy as np
import pytest
from scipy.signal import lfilter

from terrawatt.analysis.noise import (
    TAU_S,
    WHITE,
    Part,
    Readings,
    idle_noise,
    mean_covariance,
    mean_variance,
    prior,
)


def correlated(rng, n, tau_s):
    """An Ornstein-Uhlenbeck process of variance 1, looked at once a second."""
    phi = np.exp(-1 / tau_s)
    steps = rng.normal(0, np.sqrt(1 - phi**2), n)
    steps[0] = rng.normal()
    return lfilter([1], [1, -phi], steps)


def looks(value, step_s=1.0):
    return Readings(np.asarray(value, np.float64), step_s, is_mean=False)


def by_lags(early_s, late_s):
    lag_s = np.abs(np.subtract.outer(early_s, late_s))
    return [np.mean(np.exp(-lag_s / tau)) for tau in TAU_S]


@pytest.mark.parametrize("n", [1, 2, 5, 40])
def test_variance_of_a_mean_of_looks_against_the_sum_over_the_covariance(n):
    t_s = np.arange(n) * 3.0
    assert mean_variance(3.0 * n, 3.0, is_mean=False) == pytest.approx(by_lags(t_s, t_s))


def test_covariance_of_two_means_of_looks_against_the_sum_over_the_covariance():
    early_s, late_s = np.arange(7) * 3.0, 21 + 9 + np.arange(5) * 3.0
    assert mean_covariance(21, 15, 9, 3.0, is_mean=False) == pytest.approx(by_lags(early_s, late_s))


def test_means_against_fine_looks():
    """Means are the limit of many looks; both by the variance of one reading, here the mean over 10 s."""
    fine = np.arange(0.005, 40, 0.01)
    one = np.array(by_lags(fine[fine < 10], fine[fine < 10]))
    assert mean_variance(20, 10, is_mean=True) == pytest.approx(
        by_lags(fine[fine < 20], fine[fine < 20]) / one, rel=1e-3
    )
    expected = by_lags(fine[fine < 10], fine[fine >= 20]) / one
    assert mean_covariance(10, 20, 10, 10, is_mean=True) == pytest.approx(expected, rel=1e-3)


def test_a_step_that_is_short_beside_the_correlation_loses_no_digits():
    assert mean_variance(2e-3, 1e-3, is_mean=True) == pytest.approx(np.ones(len(TAU_S)), abs=1e-3)


def test_the_prior_is_one_and_gives_short_steps_short_correlations():
    for step_s in (0.1, 1, 30, 300):
        assert prior(step_s).sum() == pytest.approx(1)
    mean_tau = [prior(step_s).sum(axis=1) @ np.log(TAU_S) for step_s in (1, 10, 100)]
    assert mean_tau == sorted(mean_tau)


def test_residual_likelihood_against_the_full_covariance():
    rng = np.random.default_rng(3)
    periods = [40 + correlated(rng, 30, 5), 41 + correlated(rng, 20, 5) + rng.normal(0, 0.3, 20)]

    def by_matrices(tau, white):
        log_likelihood = squares = 0.0
        for y in periods:
            lags = np.abs(np.subtract.outer(np.arange(len(y)), np.arange(len(y))))
            covariance = (1 - white) * np.exp(-lags / tau) + white * np.eye(len(y))
            inverse, ones = np.linalg.inv(covariance), np.ones(len(y))
            mean = ones @ inverse @ y / (ones @ inverse @ ones)
            squares += (y - mean) @ inverse @ (y - mean)
            log_likelihood -= (np.linalg.slogdet(covariance)[1] + np.log(ones @ inverse @ ones)) / 2
        return log_likelihood - 24 * np.log(squares), squares / 48

    expected = np.array([[by_matrices(tau, white) for white in WHITE] for tau in TAU_S])
    weight = prior(1.0) * np.exp(expected[..., 0] - expected[..., 0].max())
    noise = idle_noise([looks(period) for period in periods])
    assert noise.dof == 48
    assert noise.weight == pytest.approx(weight / weight.sum(), abs=1e-8)
    assert noise.variance == pytest.approx(expected[..., 1], rel=1e-6)


@pytest.mark.parametrize("is_mean", [False, True])
def test_the_variance_of_a_contrast_against_simulated_noise(is_mean):
    """A mean over 100 s less the mean of the 40 s before it, where the correlation time is known."""
    rng = np.random.default_rng(4)
    tau = TAU_S[4]
    noise = idle_noise([looks(correlated(rng, 400, tau))])
    noise = type(noise)(noise.weight, np.ones_like(noise.variance), noise.dof, 1.0, is_mean, 1.0)
    stated = noise.contrast([Part(0, 40, -1.0), Part(40, 140, 1.0)])[4, 0]
    drawn = lfilter([1], [1, -np.exp(-1 / tau)], rng.normal(0, np.sqrt(1 - np.exp(-2 / tau)), (4000, 300)), axis=1)
    difference = drawn[:, 200:].mean(axis=1) - drawn[:, 160:200].mean(axis=1)
    assert np.var(difference) == pytest.approx(stated, rel=0.1)


def test_long_periods_are_averaged_in_blocks_and_tell_the_same():
    """Under one prior: readings every second, and the means of four of them."""
    period = correlated(np.random.default_rng(5), 960, 30)  # 60 blocks of 16 s, however they are read
    parts = [Part(0, 300, -1.0), Part(300, 900, 1.0)]

    def expected(readings):
        noise = idle_noise([readings])
        weight = noise.weight / prior(readings.step_s) * prior(1.0)
        return float((weight / weight.sum() * noise.contrast(parts)).sum())

    by_fours = looks(period.reshape(-1, 4).mean(axis=1), 4.0)
    assert expected(looks(period)) == pytest.approx(expected(by_fours), rel=0.05)


def test_the_kind_of_noise_is_found_when_there_is_enough_to_see():
    rng = np.random.default_rng(6)
    white = idle_noise([looks(rng.normal(0, 1, 3000))])
    assert white.weight[TAU_S > 20][:, WHITE < 1].sum() < 0.05  # shorter ones are white in blocks of 50 s
    slow = idle_noise([looks(correlated(rng, 3000, 50)) for _ in range(3)])
    assert (slow.weight.sum(axis=0) @ WHITE) < 0.1
    assert slow.weight.sum(axis=1) @ np.log(TAU_S) == pytest.approx(np.log(50), abs=0.4)


def test_a_constant_level_has_no_noise_and_one_reading_tells_nothing():
    assert not idle_noise([looks(np.full(60, 40.0))]).variance.any()
    assert idle_noise([looks([1.0])]) is None
    assert idle_noise([]) is None
    assert idle_noise([looks([1.0, 2.0])]).dof == 1


def test_the_slope_of_a_period_and_its_variance():
    noise = idle_noise([looks(np.random.default_rng(7).normal(0, 1, 60))])
    slope, variance = noise.slope_variance(looks(3.0 * np.arange(60)))
    assert slope == pytest.approx(3)
    t = np.arange(60) - 29.5
    assert variance[0, -1] == pytest.approx(noise.variance[0, -1] / (t @ t))  # white noise: as in any textbook
