from dataclasses import replace

import numpy as np
import pytest

from terrawatt.analysis.signal import prepare, source_signal
from terrawatt.errors import AnalysisError
from terrawatt.records import Semantics, Series, SeriesKey, SourceDescription

KEY = SeriesKey.of("power", "power_w", source="plug")
S = 1_000_000_000


def series(t_s, value):
    return Series(KEY, np.array([round(t * S) for t in t_s], np.int64), np.array(value, np.float64))


def test_readings_are_sorted_and_of_equal_times_the_last_counts():
    signal = prepare(series([2, 0, 1, 1], [30, 10, 99, 20]), Semantics.INSTANTANEOUS)
    assert signal.t_ns.tolist() == [0, S, 2 * S]
    assert signal.value.tolist() == [10, 20, 30]
    assert (signal.n_duplicates, signal.n_unsorted, signal.n_failed) == (1, 1, 0)


@pytest.mark.parametrize("failed", [np.nan, np.inf, -np.inf])
def test_a_failed_reading_is_bridged_and_counted_never_a_number(failed):
    signal = prepare(series([0, 1, 2, 3], [10, failed, 30, 40]), Semantics.INSTANTANEOUS)
    assert signal.value.tolist() == [10, 20, 30, 40]
    assert signal.is_reading.tolist() == [True, False, True, True]
    assert signal.is_bridged.tolist() == [True, False, False]
    assert signal.n_failed == 1


def test_failed_readings_at_the_ends_are_dropped():
    signal = prepare(series([0, 1, 2, 3], [np.nan, 10, 20, np.nan]), Semantics.INSTANTANEOUS)
    assert signal.t_ns.tolist() == [S, 2 * S]
    assert signal.n_failed == 2


def test_levels_by_semantics():
    t, value = [0, 1, 3], [10.0, 20.0, 60.0]
    assert prepare(series(t, value), Semantics.INSTANTANEOUS).level.tolist() == [15, 40]
    assert prepare(series(t, value), Semantics.MEAN, 2.0).level.tolist() == [10, 20, 60]  # the first one's cell too
    assert prepare(series(t, value), Semantics.ON_CHANGE).level.tolist() == [10, 20]
    assert prepare(series(t, value), Semantics.COUNTER).level.tolist() == [10, 20]


def test_the_interval_is_the_median_unless_given():
    assert prepare(series([0, 1, 2, 9], [1, 1, 1, 1]), Semantics.MEAN).interval_s == 1
    assert prepare(series([0, 1, 2, 9], [1, 1, 1, 1]), Semantics.MEAN, 5.0).interval_s == 5
    assert prepare(series([0, 1, 2, 9], [1, 1, 1, 1]), Semantics.ON_CHANGE).interval_s is None


def test_more_than_three_intervals_without_a_reading_are_a_gap():
    value = [1.0] * 5
    assert not prepare(series([0, 1, 2, 5, 6], value), Semantics.INSTANTANEOUS, 1.0).is_bridged.any()
    assert prepare(series([0, 1, 2, 5.1, 6], value), Semantics.INSTANTANEOUS, 1.0).is_bridged.tolist() == [
        False, False, True, False,
    ]  # fmt: skip


def test_failed_readings_do_not_hide_a_gap():
    signal = prepare(series(range(7), [1, 1] + [np.nan] * 3 + [1, 1]), Semantics.COUNTER, 1.0)
    assert signal.is_bridged.tolist() == [False, True, True, True, True, False]


def test_a_mean_after_a_gap_speaks_for_one_interval_only():
    signal = prepare(series([0, 1, 2, 12, 13], [10, 10, 10, 50, 50]), Semantics.MEAN, 1.0)
    assert signal.t_ns.tolist() == [-S, 0, S, 2 * S, 11 * S, 12 * S, 13 * S]
    assert signal.level[3] == pytest.approx(10 + 40 * 9 / 10)  # between its neighbours, by time
    assert signal.level[4] == 50
    assert signal.is_bridged.tolist() == [False, False, False, True, False, False]


def test_an_on_change_series_has_no_gaps_unless_it_has_an_interval():
    assert not prepare(series([0, 1, 100], [1, 2, 3]), Semantics.ON_CHANGE).is_bridged.any()
    assert prepare(series([0, 1, 100], [1, 2, 3]), Semantics.ON_CHANGE, 10.0).is_bridged.tolist() == [False, True]


def test_a_counter_that_jumps_back_is_marked():
    assert prepare(series([0, 1, 2], [50, 52, 49]), Semantics.COUNTER).is_broken.tolist() == [False, True]


def test_what_happened_to_a_counter_is_told():
    readings = series(range(8), [80, 90, 99, 9, 19, 0, 29, 3])  # round, one failed read, and a restart
    signal = prepare(readings, Semantics.COUNTER, wrap=100.0)
    assert (signal.n_wraps, signal.n_failed, signal.n_resets) == (1, 1, 1)
    assert signal.is_bridged.tolist() == [False, False, False, False, True, False, True]
    assert not signal.is_broken.any()
    assert signal.value[:7].tolist() == [80, 90, 99, 109, 119, 124, 129]


def source(semantics, field, wrap_j=None):
    return SourceDescription(
        "plug", "replay", semantics, (), SeriesKey.of("power", field), interval_s=2.0, wrap_j=wrap_j
    )


def test_a_source_says_how_its_series_is_read():
    described = source(Semantics.COUNTER, "energy_j", wrap_j=100.0)
    signal = source_signal(Series(described.series, np.arange(4) * S, np.array([80.0, 90, 100, 10])), described)
    assert (signal.semantics, signal.interval_s, signal.n_wraps) == (Semantics.COUNTER, 2.0, 1)


@pytest.mark.parametrize(
    ("semantics", "field"),
    [
        (Semantics.COUNTER, "power_w"),
        (Semantics.COUNTER, "energy_kWh"),
        (Semantics.MEAN, "energy_j"),
        (Semantics.INSTANTANEOUS, "power_mw"),
    ],
)
def test_another_quantity_or_unit_is_refused_by_its_name(semantics, field):
    described = source(semantics, field)
    with pytest.raises(AnalysisError, match=f"plug: {semantics} readings are .*{field}"):
        source_signal(Series(described.series, np.arange(2) * S, np.ones(2)), described)


@pytest.mark.parametrize(("semantics", "field"), [(Semantics.MEAN, "value"), (Semantics.COUNTER, "ENERGY_Total")])
def test_foreign_names_that_say_no_unit_are_taken(semantics, field):
    described = source(semantics, field)
    assert len(source_signal(Series(described.series, np.arange(2) * S, np.ones(2)), described)) >= 2


@pytest.mark.parametrize(
    ("semantics", "field", "scale", "level_w"),
    [(Semantics.INSTANTANEOUS, "power_kw", 1e3, 2500.0), (Semantics.COUNTER, "ENERGY_Total_kWh", 3.6e6, 3.6e6)],
)
def test_foreign_units_become_ours_when_they_are_declared(semantics, field, scale, level_w):
    described = replace(source(semantics, field), scale=scale, interval_s=None)
    signal = source_signal(Series(described.series, np.arange(2) * S, np.array([2.0, 3.0])), described)
    assert signal.level.tolist() == [level_w]


@pytest.mark.parametrize("semantics", list(Semantics))
@pytest.mark.parametrize("values", [[], [np.nan], [5.0], [np.nan, np.nan]])
def test_empty_and_short_series_are_signals_too(semantics, values):
    signal = prepare(series(range(len(values)), values), semantics)
    assert np.count_nonzero(signal.is_reading) == np.count_nonzero(np.isfinite(values))


def test_unlike_lengths_and_impossible_intervals_are_refused():
    with pytest.raises(AnalysisError, match="2 times, but 1 values"):
        prepare(Series(KEY, np.array([1, 2], np.int64), np.array([1.0])), Semantics.MEAN)
    with pytest.raises(AnalysisError, match="above 0 s"):
        prepare(series([1], [1]), Semantics.MEAN, 0.0)
