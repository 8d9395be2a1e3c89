"""Simulated meters of known delay and time constant, of all semantics."""

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrawatt.analysis.baseline import Baseline, baseline
from terrawatt.analysis.energy import energies
from terrawatt.analysis.latency import Latency, LoadStep, latency
from terrawatt.analysis.signal import Signal, prepare, source_signal
from terrawatt.errors import AnalysisError
from terrawatt.records import AccuracyBand, Semantics, Series, SeriesKey, SourceDescription, Window

S = 1_000_000_000
T0 = 1_790_000_000 * S
KEY = SeriesKey.of("power", "power_w")
DT_S = 0.01
POLLED = [Semantics.INSTANTANEOUS, Semantics.MEAN, Semantics.COUNTER]


@dataclass(frozen=True)
class Meter:
    semantics: Semantics
    delay_s: float
    tau_s: float
    interval_s: float = 1.0
    noise_w: float = 0.5
    step_w: float = 50.0
    resolution_w: float = 0.1


def step_times_s(n=6, hold_s=20.0, interval_s=1.0):
    """Each step at another phase of the readings."""
    return np.cumsum([hold_s] + [hold_s + interval_s * ((i * 0.618) % 1) for i in range(n - 1)])


def readings(meter: Meter, steps_s, seed=0, late_s=None) -> Signal:
    """What a meter shows of steps; `late_s`: a further delay of each."""
    rng = np.random.default_rng(seed)
    end_s = steps_s[-1] + 20
    t = (np.arange(round(end_s / DT_S)) + 0.5) * DT_S
    power = np.full(len(t), 40.0)
    for i, step_s in enumerate(steps_s):
        since = t - step_s - meter.delay_s - (0.0 if late_s is None else late_s[i])
        risen = (since > 0) * (1 - np.exp(-np.maximum(since, 0) / meter.tau_s) if meter.tau_s else 1.0)
        power += (-1) ** i * meter.step_w * risen
    at = np.arange(rng.uniform(0, meter.interval_s), end_s - 1, meter.interval_s)
    ends, energy = np.concatenate(([0], t + DT_S / 2)), np.concatenate(([0], np.cumsum(power) * DT_S))
    match meter.semantics:
        case Semantics.INSTANTANEOUS:
            value = np.interp(at, t, power)
        case Semantics.COUNTER:
            value = np.interp(at, ends, energy)
        case Semantics.MEAN:
            value = np.diff(np.interp(at, ends, energy)) / meter.interval_s
            at = at[1:]
        case _:
            at, value = reports(t, power)
    value = value + rng.normal(0, meter.noise_w, len(value))
    value = np.round(value / meter.resolution_w) * meter.resolution_w
    return prepare(Series(KEY, T0 + np.round(at * S).astype(np.int64), value), meter.semantics)


def reports(t, power, threshold_w=2.0):
    """Looked at ten times a second; told when it changed."""
    kept = [0]
    for i in range(0, len(t), 10):
        if abs(power[i] - power[kept[-1]]) > threshold_w:
            kept.append(i)
    return t[kept], power[kept]


def load_steps(steps_s):
    return [LoadStep(T0 + round(float(step_s) * S), i % 2 == 0) for i, step_s in enumerate(steps_s)]


def found(meter: Meter, steps_s=None, seed=0, late_s=None) -> Latency:
    steps_s = step_times_s(interval_s=meter.interval_s) if steps_s is None else steps_s
    return latency(readings(meter, steps_s, seed, late_s), load_steps(steps_s), meter.resolution_w)


@pytest.mark.parametrize("semantics", Semantics)
@pytest.mark.parametrize(("delay_s", "tau_s"), [(0.0, 0.0), (1.3, 0.0), (1.3, 2.0), (0.4, 1.0)])
def test_delay_and_time_constant_are_found_within_their_uncertainty(semantics, delay_s, tau_s):
    result = found(Meter(semantics, delay_s, tau_s))
    assert result.reason == ""
    for estimate, truth in ((result.delay_s, delay_s), (result.tau_s, tau_s), (result.lag_s, delay_s + tau_s)):
        assert abs(estimate.value - truth) < 4 * estimate.u + 0.005
        assert 0 < estimate.u < 0.6
    assert result.step_w.value == pytest.approx(50, abs=5 if semantics is Semantics.ON_CHANGE else 1.5)


@pytest.mark.parametrize("semantics", [Semantics.INSTANTANEOUS, Semantics.MEAN])
def test_a_slow_source_is_less_well_known(semantics):
    fast, slow = (found(Meter(semantics, 1.0, 0.0, interval_s=interval_s)) for interval_s in (0.5, 5.0))
    assert slow.lag_s.u > fast.lag_s.u
    assert slow.lag_s.value == pytest.approx(1.0, abs=4 * slow.lag_s.u)


def test_what_instantaneous_readings_leave_open_is_a_rectangle():
    """Each step lies at the same phase of the readings: the delay may be anywhere between two of them."""
    steps_s = np.array([20.0, 40.0, 60.0, 80.0])
    u_s = found(Meter(Semantics.INSTANTANEOUS, 1.0, 0.0, interval_s=4.0, noise_w=0.01), steps_s).lag_s.u
    assert u_s > 4.0 / math.sqrt(12) / 2


@settings(max_examples=15, deadline=None)
@given(
    semantics=st.sampled_from(POLLED),
    delay_s=st.floats(-1, 4),
    tau_s=st.one_of(st.just(0.0), st.floats(0.3, 3)),
    seed=st.integers(0, 1000),
)
def test_the_lag_is_found(semantics, delay_s, tau_s, seed):
    result = found(Meter(semantics, delay_s, tau_s), step_times_s(4), seed)
    assert result.reason == ""
    assert abs(result.lag_s.value - delay_s - tau_s) < 5 * result.lag_s.u + 0.005


def test_coverage_of_the_interval():
    """2 u of the lag holds the truth in about 95 %: in 30 of 40 at the very least."""
    meter = Meter(Semantics.MEAN, 0.7, 1.1, interval_s=2.0, noise_w=1.0)
    results = [found(meter, step_times_s(4, interval_s=2.0), seed) for seed in range(40)]
    assert sum(abs(result.lag_s.value - 1.8) < 2 * result.lag_s.u for result in results) >= 34


def test_a_meter_that_is_late_by_another_time_at_each_step_is_uncertain():
    steps_s = step_times_s(8)
    late_s = np.random.default_rng(3).uniform(0, 3, len(steps_s))
    steady, unsteady = (
        found(Meter(Semantics.MEAN, 1.0, 0.0), steps_s),
        found(Meter(Semantics.MEAN, 1.0, 0.0), steps_s, late_s=late_s),
    )
    assert unsteady.lag_s.u > 5 * steady.lag_s.u
    assert unsteady.lag_s.value == pytest.approx(1.0 + late_s.mean(), abs=4 * unsteady.lag_s.u)


def test_a_spike_of_something_else_does_not_matter():
    meter = Meter(Semantics.INSTANTANEOUS, 1.0, 1.0)
    steps_s = step_times_s()
    signal = readings(meter, steps_s)
    value = np.where(np.arange(len(signal)) == 50, 900.0, signal.value)
    spiked = latency(replace(signal, value=value), load_steps(steps_s), 0.1)
    assert spiked.lag_s.value == pytest.approx(2.0, abs=4 * spiked.lag_s.u)


@pytest.mark.parametrize("semantics", POLLED)
@pytest.mark.parametrize("step_w", [0.0, 0.1, -30.0])
def test_a_step_that_is_too_small_says_so(semantics, step_w):
    result = found(Meter(semantics, 1.0, 1.0, noise_w=2.0, step_w=step_w))
    assert "too small" in result.reason
    assert math.isnan(result.lag_s.value)
    assert math.isnan(result.delay_s.u)


def test_a_step_of_a_few_units_of_the_resolution_says_so():
    result = found(Meter(Semantics.INSTANTANEOUS, 1.0, 1.0, noise_w=0.0, step_w=4.0, resolution_w=2.0))
    assert "too small" in result.reason


def test_too_few_readings_say_so():
    result = found(Meter(Semantics.MEAN, 0.0, 0.0, interval_s=15.0), step_times_s(4))
    assert "readings of 4 steps" in result.reason
    nothing = prepare(Series(KEY, np.empty(0, np.int64), np.empty(0)), Semantics.ON_CHANGE)
    assert "only 0 readings" in latency(nothing, load_steps(step_times_s())).reason


def test_a_latency_beyond_half_the_hold_says_so():
    result = found(Meter(Semantics.MEAN, 12.0, 0.0))
    assert "hold longer" in result.reason


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([], "2 load steps"),
        ([LoadStep(0, True)], "2 load steps"),
        ([LoadStep(5, True), LoadStep(5, False)], "order of time"),
        ([LoadStep(5, True), LoadStep(9, True)], "in turn"),
    ],
)
def test_impossible_steps_are_refused(steps, message):
    with pytest.raises(AnalysisError, match=message):
        latency(readings(Meter(Semantics.MEAN, 0, 0), step_times_s()), steps)


def test_a_calibration_corrects_the_energy_and_its_uncertainty():
    """90 W for 100 s over 40 W, read 3 s late: uncorrected, 3 s · 50 W slip out of the window."""
    t = np.arange(1, 301)
    power = np.where((t > 103) & (t <= 203), 90.0, 40.0)
    plug = SourceDescription("plug", "replay", Semantics.MEAN, (AccuracyBand(plus_minus_w=1.0),), KEY, interval_s=1.0)
    series, window = Series(KEY, T0 + t * S, power), Window(T0 + 100 * S, T0 + 200 * S)

    def net(source):
        signal = source_signal(series, source)
        idle: Baseline = baseline(signal, Window(T0, T0 + 90 * S))
        return energies(signal, source, [window], idle)[0].net

    late, corrected = net(plug), net(replace(plug, latency_s=3.0, u_latency_s=0.02))
    assert late.energy_j < 4900
    assert corrected.energy_j == pytest.approx(5000, abs=0.01)
    timing = next(part for part in corrected.budget if part.name == "timing")
    assert timing.u_j == pytest.approx(0.02 * 50)
    assert timing.shared_u_j == timing.u_j
