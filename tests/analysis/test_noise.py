import numpy as np
import pytest

from terrawatt.analysis.noise import PHI, idle_noise, mean_covariance, mean_variance


def ar1(rng, n, phi, sd=1.0):
    noise = np.empty(n)
    noise[0] = rng.normal(0, sd)
    for i, step in enumerate(rng.normal(0, sd * np.sqrt(1 - phi**2), n - 1), start=1):
        noise[i] = phi * noise[i - 1] + step
    return noise


@pytest.mark.parametrize("n", [1, 2, 5, 40])
def test_variance_of_a_mean_against_the_sum_over_the_covariance(n):
    lags = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    expected = [np.mean(phi**lags) for phi in PHI]
    assert mean_variance(n) == pytest.approx(expected)


def test_covariance_of_two_means_against_the_sum_over_the_covariance():
    early, late = np.arange(7), np.arange(7 + 3, 7 + 3 + 5)  # three readings between
    lags = np.abs(np.subtract.outer(early, late))
    assert mean_covariance(7, 5, 3) == pytest.approx([np.mean(phi**lags) for phi in PHI])
    assert mean_covariance(7, 5, -2) == pytest.approx(mean_covariance(7, 5, 0))


def test_residual_likelihood_against_the_full_covariance():
    rng = np.random.default_rng(3)
    periods = [40 + ar1(rng, 30, 0.7), 41 + ar1(rng, 20, 0.7)]
    n_free = 48

    def by_matrices(phi):
        log_determinants = squares = 0.0
        for y in periods:
            lags = np.abs(np.subtract.outer(np.arange(len(y)), np.arange(len(y))))
            inverse = np.linalg.inv(phi**lags / (1 - phi**2))  # innovations of variance 1
            ones = np.ones(len(y))
            mean = ones @ inverse @ y / (ones @ inverse @ ones)
            squares += (y - mean) @ inverse @ (y - mean)
            log_determinants += np.linalg.slogdet(inverse)[1] / 2 - np.log(ones @ inverse @ ones) / 2
        return log_determinants - n_free / 2 * np.log(squares), squares / (n_free - 2) / (1 - phi**2)

    expected = np.array([by_matrices(phi) for phi in PHI])
    weight = np.exp(expected[:, 0] - expected[:, 0].max())
    noise = idle_noise(periods)
    assert noise.weight == pytest.approx(weight / weight.sum(), abs=1e-9)
    assert noise.variance == pytest.approx(expected[:, 1], rel=1e-6)


def test_the_correlation_is_found_when_there_is_enough_to_see():
    rng = np.random.default_rng(5)
    for phi in (0.0, 0.9):
        noise = idle_noise([ar1(rng, 5000, phi)])
        assert noise.expect(PHI) == pytest.approx(phi, abs=0.05)
        assert noise.expect(noise.variance) == pytest.approx(1, rel=0.2)


def test_a_constant_level_has_no_noise_and_few_readings_tell_nothing():
    noise = idle_noise([np.full(60, 40.0)])
    assert noise.expect(noise.variance) == 0
    assert idle_noise([np.array([1.0, 2.0, 3.0])]) is None
    assert idle_noise([]) is None
    assert idle_noise([np.array([1.0, 2.0, 4.0]), np.array([1.0, 3.0])]) is not None
