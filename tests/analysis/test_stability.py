import math

import numpy as np
import pytest

from terrawatt.analysis.baseline import baseline
from terrawatt.analysis.signal import prepare
from terrawatt.analysis.stability import stability
from terrawatt.records import Semantics, Series, SeriesKey, Window

KEY = SeriesKey.of("power", "power_w", source="plug")
S = 1_000_000_000
COLD, AFTER = Window(0, 300 * S), Window(600 * S, 900 * S)


def found(value, *, is_two_sided=False):
    t_ns = np.arange(1, 901, dtype=np.int64) * S
    power = prepare(Series(KEY, t_ns, np.asarray(value, np.float64)), Semantics.MEAN, 1.0)
    return stability(baseline(power, COLD, AFTER if is_two_sided else None))


def quiet(seed=1):
    return 40 + np.random.default_rng(seed).normal(0, 1, 900)


def test_mere_noise_is_stable():
    flagged = sum(bool(found(quiet(seed), is_two_sided=True).codes) for seed in range(60))
    assert flagged <= 12  # two slopes and a change at 2 u each: about 10 % of the runs


def test_a_slope_is_seen_with_its_size():
    result = found(quiet() + np.arange(900) * 0.02)
    assert "baseline-slope" in result.codes
    assert result.slope_per_h == pytest.approx(72, abs=3 * result.u_slope_per_h)
    assert math.isnan(result.change)


def test_a_change_between_the_idle_periods_is_seen():
    value = quiet()
    value[500:] += 3
    result = found(value, is_two_sided=True)
    assert result.codes == ("baseline-change",)
    assert result.change == pytest.approx(3, abs=3 * result.u_change)


def test_bursts_of_another_load_are_seen():
    value = quiet()
    value[[50, 51, 120, 200]] += 60
    result = found(value)
    assert "baseline-bursts" in result.codes
    assert result.burst_lift == pytest.approx(4 * 60 / 300, rel=0.1)


def test_wandering_is_not_called_a_slope():
    rng = np.random.default_rng(2)
    flagged = 0
    for _ in range(30):
        value, steps = np.empty(900), rng.normal(0, np.sqrt(1 - 0.98**2), 900)
        value[0] = rng.normal()
        for i in range(1, 900):
            value[i] = 0.98 * value[i - 1] + steps[i]
        flagged += "baseline-slope" in found(40 + value).codes
    assert flagged <= 5


@pytest.mark.parametrize("value", [np.full(900, 40.0), np.full(900, math.nan)])
def test_a_constant_or_missing_level_has_nothing_to_say(value):
    assert found(value, is_two_sided=True).codes == ()
