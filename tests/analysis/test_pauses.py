import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.analysis.baseline import baseline
from terrawatt.analysis.energy import energies
from terrawatt.analysis.pauses import IdleAround, Pauses, Stretches
from terrawatt.analysis.signal import prepare, source_signal
from terrawatt.records import AccuracyBand, Semantics, Series, SeriesKey, SourceDescription, Window

S = 1_000_000_000
IDLE_W, LOAD_W, NOISE_W = 40.0, 130.0, 0.5
KEYS = {
    Semantics.MEAN: SeriesKey.of("power", "power_w", source="plug"),
    Semantics.COUNTER: SeriesKey.of("power", "energy_j", source="plug"),
}


def windows(*spans_s: tuple[float, float]) -> list[Window]:
    return [Window(round(start_s * S), round(end_s * S)) for start_s, end_s in spans_s]


def every_second(end_s: int) -> np.ndarray:
    return np.arange(end_s + 1) * S


def measured(semantics, pause_s, rng, delay_s=0.0, timing_s=None, length_s=20.0):
    """True net energies of three repetitions with short pauses, and what comes out of readings of 1 s."""
    step_s = 0.01
    runs = windows(*((30 + i * (length_s + pause_s), 30 + i * (length_s + pause_s) + length_s) for i in range(3)))
    grid_s = np.arange(0, runs[-1].end_ns / S + 40, step_s)
    is_on = np.any([(grid_s >= run.start_ns / S) & (grid_s < run.end_ns / S) for run in runs], axis=0)
    noise_w = np.repeat(rng.normal(0, NOISE_W, len(grid_s) // 10 + 1), 10)[: len(grid_s)]
    power_w = np.where(is_on, LOAD_W, IDLE_W) + noise_w
    drawn_j = np.concatenate(([0.0], np.cumsum(power_w * step_s)))
    t_s = np.arange(rng.uniform(0, 1), grid_s[-1], 1.0)
    counted_j = np.interp(t_s, np.append(grid_s, grid_s[-1] + step_s), drawn_j)
    t_s, value = (t_s, counted_j) if semantics is Semantics.COUNTER else (t_s[1:], np.diff(counted_j))
    source = SourceDescription("plug", "x", semantics, (AccuracyBand(),), KEYS[semantics], timing_s=timing_s)
    signal = source_signal(Series(source.series, np.round((t_s + delay_s) * S).astype(np.int64), value), source)
    idle = baseline(signal, *windows((0, 30)), *windows((runs[-1].end_ns / S, grid_s[-1])), late_s=timing_s or 0.0)
    true_j = [run.duration_s * (LOAD_W - IDLE_W) for run in runs]
    return np.array(true_j), energies(signal, source, runs, idle)


@pytest.mark.parametrize("semantics", KEYS)
@pytest.mark.parametrize("pause_s", [0.3, 0.5, 0.9, 1.4])
def test_a_pause_that_no_reading_shows_is_not_taken_for_load(semantics, pause_s):
    rng = np.random.default_rng(5)
    held, off_j = 0, []
    for _ in range(40):
        true_j, found = measured(semantics, pause_s, rng, timing_s=0.05)
        off_j += [energy.net.energy_j - true for true, energy in zip(true_j, found, strict=True)]
        held += sum(abs(off) <= energy.net.half_width_j for off, energy in zip(off_j[-3:], found, strict=True))
    assert held >= 0.9 * len(off_j)
    assert float(np.sqrt(np.mean(np.square(off_j)))) < 0.002 * 20 * (LOAD_W - IDLE_W)


@pytest.mark.parametrize("semantics", KEYS)
@pytest.mark.parametrize("delay_s", [0.0, 0.4, 0.8])
def test_the_intervals_hold_what_an_unknown_delay_moves_across_such_a_pause(semantics, delay_s):
    rng = np.random.default_rng(6)
    for _ in range(10):
        true_j, found = measured(semantics, 0.5, rng, delay_s, timing_s=1.0)
        for true, energy in zip(true_j, found, strict=True):
            low_j, high_j = energy.net.interval_95_j
            assert low_j <= true <= high_j


@pytest.mark.parametrize(("delay_s", "length_s"), [(3.0, 5.0), (5.0, 5.0), (5.0, 8.0)])
@pytest.mark.parametrize("semantics", KEYS)
def test_a_declared_delay_as_long_as_the_window_is_in_the_interval(semantics, delay_s, length_s):
    rng = np.random.default_rng(7)
    for _ in range(10):
        true_j, found = measured(semantics, 12.0, rng, delay_s, timing_s=6.0, length_s=length_s)
        for true, energy in zip(true_j, found, strict=True):
            low_j, high_j = energy.net.interval_95_j
            assert low_j <= 1.01 * true  # which does not know of the noise
            assert 0.99 * true <= high_j


def test_pauses_are_told_for_windows_in_any_order():
    signal = prepare(Series(KEYS[Semantics.MEAN], every_second(60), np.zeros(61)), Semantics.MEAN, 1.0)
    pauses = Pauses.between(signal, windows((30, 40), (10, 20), (20.5, 30)), late_s=0.0)
    assert pauses.before_s == pytest.approx([0, np.inf, 0.5])
    assert pauses.after_s == pytest.approx([np.inf, 0.5, 0])
    assert pauses.is_short_before.tolist() == [False, False, True]  # without any pause there is nothing to know
    assert pauses.is_short_after.tolist() == [False, True, False]


@given(
    st.floats(-3, 3),
    st.lists(st.floats(0.05, 2.0), min_size=2, max_size=6),
    st.floats(10, 60),
    st.floats(70, 300),
)
def test_what_a_constant_load_drew_is_shared_out_exactly(left_s, lengths_s, idle_w, load_w):
    """Windows and pauses in turn; the stretch begins somewhere before and ends behind all of them."""
    edges_s = np.concatenate(([0.0], np.cumsum(lengths_s)))
    runs = windows(*zip(edges_s[:-1:2], edges_s[1::2], strict=False))
    left_ns, right_ns = round(min(left_s, 0.0) * S), round((edges_s[-1] + 0.7) * S)
    on_s = np.array([run.duration_s for run in runs])
    energy_j = load_w * on_s.sum() + idle_w * ((right_ns - left_ns) / S - on_s.sum())
    n = len(runs)
    stretches = Stretches(np.full(n, left_ns), np.full(n, right_ns), on_s, np.full(n, energy_j))
    idle = IdleAround(np.full(n, idle_w), np.zeros(n))
    own_j, variance = stretches.shared_out(runs, idle, (np.zeros(n), np.ones(n)), np.ones(n))
    assert own_j == pytest.approx(load_w * on_s, rel=1e-6)
    assert (variance >= 0).all()
    assert n > 1 or variance == pytest.approx(0)
