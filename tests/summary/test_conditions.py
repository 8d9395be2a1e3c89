"""Verdicts on a run as a whole: what its series show beside the power."""

from dataclasses import replace
from itertools import count

import pytest

from run_folders import COLD_S, HOST_SERIES, PLUG, REPETITION_S, WARMUP_S
from terrawatt.records import AccuracyBand, Semantics, SeriesKey, Severity
from terrawatt.runs.layout import RunFolder
from terrawatt.summary.collect import collect
from terrawatt.summary.gather import gather
from terrawatt.summary.rows import run_rows
from terrawatt.telemetry.own import clock_offset, sampler_starts

TEMPERATURE = SeriesKey.of("temp", "temp", host="lab", sensor="coretemp_package_id_0")
COUNTER = replace(
    PLUG,
    name="meter",
    semantics=Semantics.COUNTER,
    accuracy=(AccuracyBand(plus_minus_w=3.0),),
    series=SeriesKey.of("power", "energy_j", host="lab", source="meter"),
    resolution_w=0.0,
    same_as="plug",
)
FIRST_S = COLD_S + WARMUP_S


@pytest.fixture
def rows_of(make_run):
    numbers = count(1)
    return lambda **changes: run_rows(collect(RunFolder(make_run(next(numbers), **changes)))).rows


def codes(row, *, without=("missing",)):
    return {verdict.code: verdict.severity for verdict in row.verdicts if verdict.code not in without}


def test_a_run_on_a_quiet_machine_has_no_verdict(rows_of):
    for row in rows_of():
        assert codes(row) == {}


def test_a_busy_machine_while_idle(rows_of):
    (row, *_) = rows_of(extra=((HOST_SERIES["cpu"], lambda t, busy: 75.0 if busy else 12.0),))
    assert codes(row) == {"idle-load": Severity.DOUBTFUL}
    assert "doubtful: 12.0 % of the CPUs busy in the idle period before the repetitions" in row.values["Verdict"]
    assert not row.is_unusable


def test_a_machine_that_warms_up(rows_of):
    temperature = (TEMPERATURE, lambda t, busy: 50.0 + t / 10 if busy else 40.0)
    rows = rows_of(repetitions=4, extra=(temperature,), host_series=(("temp", TEMPERATURE),))
    assert [list(codes(row)) for row in rows] == [
        ["temperature-drift", "other-temperature"],
        ["temperature-drift"],
        ["temperature-drift"],
        ["temperature-drift", "other-temperature"],
    ]
    assert rows[0].values["Temperature"] > 0


def test_a_clock_that_was_set_in_one_repetition(rows_of):
    jump_s = FIRST_S + REPETITION_S + 30
    first, second, third = rows_of(extra=((clock_offset("lab"), lambda t, busy: 1e9 + (12.0 if t > jump_s else 0.0)),))
    assert codes(first) == codes(third) == {}
    assert codes(second) == {"clock-jump": Severity.UNUSABLE}
    assert second.is_unusable


def test_a_restart_of_the_sampler(rows_of):
    starts = {1: 100.0, FIRST_S + 10: 101.0}
    first, second, _ = rows_of(extra=((sampler_starts("lab"), lambda t, busy: starts.get(t)),))
    assert codes(first) == {"sampler-restarted": Severity.DOUBTFUL}
    assert codes(second) == {}


def test_an_idle_level_that_is_another_one_afterwards(rows_of):
    drifted = (PLUG.series, lambda t, busy: 90.0 if busy else 40.0 if t <= COLD_S else 46.0)
    (row, *_) = rows_of(extra=(drifted,))
    assert codes(row) == {"baseline-change": Severity.DOUBTFUL}
    assert "changed by +6 W" in row.values["Verdict"]


def test_an_idle_level_that_still_falls_in_the_cold_period(rows_of):
    falling = (PLUG.series, lambda t, busy: 90.0 if busy else max(40.0, 46.0 - t / 10) + 0.1 * (t % 3))
    (row, *_) = rows_of(extra=(falling,))
    assert "baseline-slope" in codes(row)
    assert "was not at rest" in row.values["Verdict"]


def counter_j(t, busy):
    return 1000.0 + 40.0 * t + 50.0 * max(min(t, FIRST_S + 3 * REPETITION_S) - COLD_S, 0)


def test_a_counter_that_agrees_with_the_power_of_the_same_device(rows_of):
    (row, *_) = rows_of(sources=(PLUG, COUNTER), extra=((COUNTER.series, counter_j),))
    assert row.values["Energy gross (meter)"] == pytest.approx(row.values["Energy gross (plug)"], rel=0.01)
    assert "estimates-disagree" not in codes(row)


def test_a_counter_in_another_unit_than_it_says_disagrees(rows_of):
    (row, *_) = rows_of(sources=(PLUG, COUNTER), extra=((COUNTER.series, lambda t, busy: counter_j(t, busy) / 3.6),))
    assert codes(row)["estimates-disagree"] is Severity.DOUBTFUL
    assert "Energy (plug): plug and meter disagree" in row.values["Verdict"]


def test_sources_of_different_devices_need_not_agree(rows_of):
    other = replace(COUNTER, same_as="")
    (row, *_) = rows_of(sources=(PLUG, other), extra=((COUNTER.series, lambda t, busy: counter_j(t, busy) / 3.6),))
    assert "estimates-disagree" not in codes(row)


def test_a_counter_that_began_again_is_told(rows_of):
    restart_s = FIRST_S + 30

    def restarted(t, busy):
        return counter_j(t, busy) - (counter_j(restart_s, True) - 50 if t >= restart_s else 0)

    (row, *_) = rows_of(sources=(COUNTER,), extra=((COUNTER.series, restarted),))
    assert codes(row)["source-restarted"] is Severity.NOTE


POWERS_W = (90.0, 90.3, 89.8, 90.1, 89.9, 120.0)


def peculiar(t, busy):
    """The last of six repetitions takes 120 W, the others about 90 W."""
    return POWERS_W[max(t - FIRST_S - 1, 0) // REPETITION_S] if busy else 40.0


def test_a_repetition_far_from_the_others_is_flagged_and_stays(make_run):
    gathered = gather([make_run(1, repetitions=6, extra=((PLUG.series, peculiar),))])
    assert ["outlier" in codes(row) for row in gathered.rows] == [False] * 5 + [True]
    assert gathered.runs[0].rows == gathered.rows
    assert "is far from the scenario's median" in gathered.table.frame["Verdict"].iloc[-1]
    assert gathered.table.frame["Energy (plug)"].iloc[-1] == pytest.approx(80 * 60)


def test_repetitions_of_one_scenario_are_compared_over_runs_and_those_of_others_are_not(make_run):
    far = (PLUG.series, lambda t, busy: 120.0 if busy else 40.0)
    alone = make_run(1, repetitions=1, extra=(far,))
    others = make_run(2, repetitions=6)
    assert "outlier" in codes(gather([alone, others]).rows[0])
    different = make_run(3, repetitions=1, extra=(far,), parameters=(("model", "s-cnn-rgb"), ("seed", 7)))
    assert "outlier" not in codes(gather([different, others]).rows[0])
