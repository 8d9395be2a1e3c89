import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.analysis.signal import prepare
from terrawatt.analysis.stuck import FEWEST, Standstill, standstills, stuck_verdicts
from terrawatt.records import AccuracyBand, Semantics, Series, SeriesKey, Severity, SourceDescription, Window

S = 1_000_000_000
KEY = SeriesKey.of("power", "power_w", source="plug")
WINDOWS = [Window(100 * S, 160 * S), Window(200 * S, 260 * S)]


def powers(resolution_w=0.1, load_w=110.0, stuck_s=None, seed=0, noise_w=0.4):
    """A reading a second: 40 W while idle, more in the windows; from some second on always the same."""
    t_s = np.arange(1, 361)
    is_on = np.any([(t_s * S > w.start_ns) & (t_s * S <= w.end_ns) for w in WINDOWS], axis=0)
    value_w = np.where(is_on, 40 + load_w, 40) + np.random.default_rng(seed).normal(0, noise_w, len(t_s))
    value_w = np.round(value_w / resolution_w) * resolution_w
    if stuck_s is not None:
        value_w[stuck_s:] = value_w[stuck_s]
    return prepare(Series(KEY, t_s * S, value_w), Semantics.MEAN, 1.0)


@pytest.mark.parametrize("resolution_w", [0.1, 1.0, 5.0])
@pytest.mark.parametrize(
    ("stuck_s", "told"), [(50, [True, True]), (130, [True, True]), (180, [False, True]), (230, [False, True])]
)
def test_a_meter_that_hangs_is_told_in_each_repetition_that_it_spoils(resolution_w, stuck_s, told):
    signal = powers(resolution_w, stuck_s=stuck_s)
    assert [one is not None for one in standstills(signal, WINDOWS, 1.0)] == told


@given(st.integers(0, 1000), st.sampled_from([0.1, 1.0, 5.0, 50.0]), st.floats(3, 300), st.floats(0, 3))
def test_a_meter_that_sees_the_load_is_never_told_however_coarse_and_quiet(seed, resolution_w, load_w, noise_w):
    signal = powers(resolution_w, load_w, seed=seed, noise_w=noise_w)
    steps = np.unique(signal.value)
    if len(steps) > 1 and load_w > 2 * resolution_w and load_w > 4 * noise_w:
        assert standstills(signal, WINDOWS, 1.0) == (None, None)


def test_of_a_load_that_is_not_seen_only_rows_that_are_much_longer_than_others_are_told():
    coarse = powers(1.0, load_w=0.0)
    assert standstills(coarse, WINDOWS, 1.0) == (None, None)
    constant = powers(50.0, load_w=0.0)
    assert standstills(constant, WINDOWS, 1.0) == (Standstill(50.0, 360, 359.0),) * 2


def test_equal_loads_back_to_back_are_no_standstill():
    windows = [Window(100 * S, 130 * S), Window(130 * S, 160 * S), Window(200 * S, 260 * S)]
    assert standstills(powers(5.0), windows, 1.0) == (None, None, None)


def test_the_load_of_a_warm_up_before_the_window_is_no_standstill():
    windows = [Window(130 * S, 160 * S)]
    assert standstills(powers(5.0), windows, 1.0, [Window(100 * S, 130 * S)]) == (None,)
    assert standstills(powers(5.0), windows, 1.0) != (None,)


def test_few_readings_say_nothing():
    few = prepare(Series(KEY, np.arange(FEWEST - 1) * S, np.full(FEWEST - 1, 40.0)), Semantics.MEAN, 1.0)
    assert standstills(few, [Window(3 * S, 6 * S)], 1.0) == (None,)


def test_the_verdict_says_how_long_and_an_estimate_has_none():
    source = SourceDescription("plug", "x", Semantics.MEAN, (AccuracyBand(),), KEY)
    first, second = stuck_verdicts(source, powers(1.0, stuck_s=230), WINDOWS, 1.0)
    assert first == ()
    assert second[0].severity is Severity.DOUBTFUL
    assert second[0].column == "Energy (plug)"
    assert " readings in a row are 150 (for 2 min " in second[0].message
    estimate = SourceDescription("estimate", "x", Semantics.MEAN, (AccuracyBand(),), KEY, is_estimate=True)
    assert stuck_verdicts(estimate, powers(1.0, stuck_s=230), WINDOWS, 1.0) == ((), ())
