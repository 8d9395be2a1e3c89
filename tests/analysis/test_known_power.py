"""Shortened versions of `benchmarks/integration.py` and `speed.py`."""

import numpy as np
import pytest

from benchmark_modules import benchmark
from terrawatt.records import Window

integration = benchmark("integration")
original = benchmark("known_power.original")
speed = benchmark("speed")
training = benchmark("known_power.training")

S = 1_000_000_000
AIMS = [case for case in integration.CASES if case.aim is not None]


def trapezoid(series, windows):
    return original.clipped_trapezoid_j(series, windows, None)


@pytest.mark.parametrize("case", AIMS, ids=str)
def test_known_powers_come_out_right_and_ahead_of_the_trapezoid(case):
    found = integration.errors(case, {"trapezoid": trapezoid}, power_s=4 * 3600.0, n=400)
    ours = found["terrawatt"]
    assert abs(ours.bias) <= integration.BIAS_AIM
    assert ours.p95 <= case.aim
    assert ours.p95 < found["trapezoid"].p95
    assert "reached" in integration.judged(case, found)


def test_the_energy_of_a_known_power_is_exact():
    power = training.Power(np.array([0.0, 2, 5]), np.array([10.0, 40]), drift_w=3.0, drift_period_s=20.0)
    fine_s = np.linspace(0.5, 4.5, 400_001)
    window = Window(*training.to_ns(np.array([0.5, 4.5])).tolist())
    assert power.energy_j(window) == pytest.approx(np.trapezoid(power.at_w(fine_s), fine_s), rel=1e-5)


def test_row_by_row_is_the_same_as_at_once():
    run = speed.Recorded(700, repetitions=5)
    series = run.series["plug"]
    series.value[np.isnan(series.value)] = 40.0
    by_rows = original.original_by_rows_j(original.text_rows(series), run.windows, run.cold)
    assert by_rows == pytest.approx(original.original_j(series, run.windows, run.cold).tolist(), rel=1e-3)


def test_the_analysis_that_is_timed_gives_all_its_numbers():
    assert speed.analyse(speed.Recorded(3_000, repetitions=10)) == 10 * (2 + len(speed.HOST))


def test_growth_is_the_power_of_the_number_of_readings():
    assert speed.growth([10, 100, 1000], [2.0, 20.0, 200.0]) == pytest.approx(1)
    assert speed.growth([10, 100], [1.0, 100.0]) == pytest.approx(2)
