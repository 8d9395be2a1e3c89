import math

import numpy as np
import pytest

from terrawatt.analysis.baseline import baseline
from terrawatt.analysis.energy import energies
from terrawatt.analysis.signal import prepare
from terrawatt.analysis.verdict import (
    ending_verdict,
    energy_verdicts,
    is_unusable,
    missing_verdict,
    source_verdict,
    stability_verdicts,
    verdict_text,
)
from terrawatt.records import AccuracyBand, Semantics, Series, SeriesKey, Severity, SourceDescription, Verdict, Window

KEY = SeriesKey.of("power", "power_w", source="plug")
S = 1_000_000_000
COLD, RUN = Window(0, 60 * S), Window(60 * S, 160 * S)
PLUG = SourceDescription("plug", "mqtt", Semantics.MEAN, (AccuracyBand(plus_minus_w=3.0),), KEY)
MODEL = SourceDescription("plug", "estimate", Semantics.MEAN, (AccuracyBand(),), KEY, is_estimate=True)


def verdicts(*, failed=(), run=RUN, cold=COLD, idle_after=None, source=PLUG, run_w=90.0):
    value = np.array([40.0] * 60 + [run_w] * 100 + [40.0] * 60)
    value[list(failed)] = math.nan
    series = Series(KEY, np.arange(1, 221, dtype=np.int64) * S, value)
    power = prepare(series, Semantics.MEAN, 1.0)
    idle = baseline(power, cold, idle_after)
    (energy,) = energies(power, source, [run], idle)
    return energy_verdicts(energy, source, idle)


def told(found):
    return [(verdict.code, verdict.severity) for verdict in found]


def test_a_good_repetition_has_an_empty_cell():
    found = verdicts(idle_after=Window(170 * S, 220 * S))
    assert found == ()
    assert verdict_text(found) == ""


def test_an_idle_period_on_one_side_only_and_an_estimate_are_notes():
    found = verdicts(source=MODEL)
    assert told(found) == [("single-baseline", Severity.NOTE), ("estimate", Severity.NOTE)]
    assert verdict_text(found) == ""


@pytest.mark.parametrize(
    ("n_failed", "severity"), [(1, Severity.NOTE), (5, Severity.DOUBTFUL), (11, Severity.UNUSABLE)]
)
def test_gaps_by_their_share_of_the_window(n_failed, severity):
    found = verdicts(failed=range(100, 100 + n_failed))
    assert ("gap", severity) in told(found)
    assert is_unusable(found, "plug") == (severity is Severity.UNUSABLE)
    assert bool(verdict_text(found)) == (severity is not Severity.NOTE)


def test_a_gap_tells_its_seconds_and_its_share_of_the_energy():
    (gap,) = (verdict for verdict in verdicts(failed=range(100, 110)) if verdict.code == "gap")
    assert "10 s without readings (" in gap.message
    assert "% of the window, " in gap.message
    assert "% of its energy)" in gap.message


def test_few_readings_are_doubtful_and_fewer_than_two_unusable():
    assert ("too-few-readings", Severity.DOUBTFUL) in told(verdicts(run=Window(60 * S, 66 * S)))
    found = verdicts(run=Window(60 * S + 1, 61 * S + 1))
    assert ("no-energy", Severity.UNUSABLE) in told(found)
    assert verdict_text(found).startswith("unusable: Energy (plug): 1 reading in the window, 2 needed")


def test_no_baseline_is_unusable_and_a_short_one_doubtful():
    assert told(verdicts(cold=None)) == [("no-baseline", Severity.UNUSABLE)]
    assert ("short-baseline", Severity.DOUBTFUL) in told(verdicts(cold=Window(50 * S, 56 * S)))


def test_less_than_idle_is_doubtful():
    assert ("below-idle", Severity.DOUBTFUL) in told(verdicts(run_w=20.0))


def test_every_verdict_that_is_not_a_remark_says_what_to_do():
    for found in (verdicts(cold=None), verdicts(run=Window(60 * S, 61 * S)), verdicts(failed=range(100, 120))):
        assert all(verdict.advice for verdict in found)


def test_the_worst_comes_first_and_columns_with_one_reason_stand_together():
    text = verdict_text(
        [
            missing_verdict("Temperature", "no sensor on this machine"),
            missing_verdict("Energy train (plug)", "1 reading in the window, 2 needed"),
            missing_verdict("Energy test (plug)", "1 reading in the window, 2 needed"),
            Verdict("gap", Severity.DOUBTFUL, "5 s without readings", "", "Energy (plug)"),
            ending_verdict("failed", "exit code 1"),
        ]
    )
    assert text == (
        "unusable: failed: exit code 1; doubtful: Energy (plug): 5 s without readings; "
        "Temperature: no sensor on this machine; "
        "Energy train (plug), Energy test (plug): 1 reading in the window, 2 needed"
    )


def test_only_the_main_source_and_the_whole_repetition_make_it_unusable():
    assert is_unusable([source_verdict("plug", "no series")], "plug")
    assert not is_unusable([source_verdict("rapl", "no series")], "plug")
    assert is_unusable([ending_verdict("interrupted", "")], "plug")


def drifts(after_w, *, run_w=90.0, run=RUN):
    rng = np.random.default_rng(1)
    value = np.array([40.0] * 60 + [run_w] * 100 + [after_w] * 60) + rng.normal(0, 0.1, 220)
    series = Series(KEY, np.arange(1, 221, dtype=np.int64) * S, value)
    power = prepare(series, Semantics.MEAN, 1.0)
    idle = baseline(power, COLD, Window(160 * S, 220 * S))
    return stability_verdicts(energies(power, PLUG, [run, run], idle), idle)


def test_an_idle_level_that_stays_is_no_drift():
    assert drifts(40.0) == ((), ())


@pytest.mark.parametrize(
    ("after_w", "severity"), [(40.6, Severity.NOTE), (45.0, Severity.DOUBTFUL), (35.0, Severity.DOUBTFUL)]
)
def test_a_drift_of_the_idle_level_weighs_by_its_share_of_the_net_power(after_w, severity):
    first, second = drifts(after_w)
    assert first == second
    assert told(first) == [("baseline-change", severity)]
    assert f"changed by {after_w - 40:+.1g}"[:-1] in first[0].message


def test_a_drift_beside_no_net_power_at_all_is_doubtful():
    assert told(drifts(46.0, run_w=43.0)[0]) == [("baseline-change", Severity.DOUBTFUL)]


def test_a_drift_is_not_told_of_an_energy_that_is_missing():
    assert drifts(46.0, run=Window(60 * S + 1, 61 * S + 1)) == ((), ())


def test_an_idle_level_that_is_not_at_rest_or_has_bursts():
    rng = np.random.default_rng(2)
    noise = rng.normal(0, 0.1, 220)
    falling, bursts = np.zeros(220), np.zeros(220)
    falling[:60], bursts[[10, 20, 30]] = np.linspace(4, 0, 60), 30.0
    for extra, code, words in (
        (falling, "baseline-slope", "was not at rest (-"),
        (bursts, "baseline-bursts", "by 1.5 W"),
    ):
        value = np.array([40.0] * 60 + [90.0] * 100 + [40.0] * 60) + noise + extra
        power = prepare(Series(KEY, np.arange(1, 221, dtype=np.int64) * S, value), Semantics.MEAN, 1.0)
        idle = baseline(power, COLD)
        (found,) = stability_verdicts(energies(power, PLUG, [RUN], idle), idle)
        (verdict,) = (verdict for verdict in found if verdict.code == code)
        assert verdict.severity is Severity.DOUBTFUL
        assert words in verdict.message
