"""What facts mean: pure rules."""

from dataclasses import replace
from typing import Any

import pytest

from terrawatt.experiment.doctor.finding import Finding, Level, is_unwise
from terrawatt.experiment.doctor.judge_clocks import ClockFacts, judge_clock
from terrawatt.experiment.doctor.judge_noise import BusyProcess, NoiseFacts, judge_noise
from terrawatt.experiment.doctor.judge_places import (
    FolderFacts,
    TemperatureFacts,
    judge_folder,
    judge_lock,
    judge_temperature,
)
from terrawatt.experiment.doctor.judge_sources import SourceFacts, judge_source
from terrawatt.experiment.doctor.judge_store import DatabaseFacts, EmbeddedFacts, judge_database, judge_embedded

QUIET = NoiseFacts(
    cpus=8,
    busy_percent=1.0,
    steal_percent=0.0,
    load_1min=0.1,
    governors=("performance",),
    has_turbo=False,
    swap_used_bytes=0.0,
    is_swapping=False,
)
GOOD_SOURCE = SourceFacts("plug", value="8.9 W", n_readings=5, interval_s=1.0, resolution="0.1 W", resolution_w=0.1)


def noise(name: str, **changes: Any) -> Finding:
    (found,) = [finding for finding in judge_noise(replace(QUIET, **changes)) if finding.name == name]
    return found


def process(cores: float, *, is_of_others: bool = False) -> BusyProcess:
    return BusyProcess("python", 4711, "ada", cores, is_of_others)


def test_a_quiet_machine_is_good() -> None:
    assert {finding.level for finding in judge_noise(QUIET)} == {Level.GOOD}


def test_what_a_machine_does_not_tell_is_unknown() -> None:
    nothing = NoiseFacts(cpus=8, busy_percent=None, steal_percent=None, load_1min=None)
    levels = {finding.name: finding.level for finding in judge_noise(nothing)}
    assert levels.pop("other users") is Level.GOOD
    assert set(levels) == {"idle CPU", "load", "governor", "turbo", "swap"}
    assert set(levels.values()) == {Level.UNKNOWN}


@pytest.mark.parametrize(
    ("cpus", "busy_percent", "level"),
    [
        (8, 4.9, Level.GOOD),
        (8, 5.1, Level.DOUBTFUL),
        (8, 20.1, Level.BAD),
        (64, 1.0, Level.DOUBTFUL),  # more than half a processor
        (64, 3.2, Level.BAD),  # more than two
        (2, 20.0, Level.DOUBTFUL),
    ],
)
def test_busy_processors_count_as_a_share_and_by_number(cpus: int, busy_percent: float, level: Level) -> None:
    assert noise("idle CPU", cpus=cpus, busy_percent=busy_percent).level is level


def test_the_busiest_programs_are_named() -> None:
    found = noise("idle CPU", busy_percent=30.0, processes=(process(0.2), process(2.0), process(0.05)))
    assert found.advice.endswith("until the machine is idle: python (ada, 4711) 200 %, python (ada, 4711) 20 %")


@pytest.mark.parametrize(("cores", "level"), [(0.05, Level.GOOD), (0.5, Level.DOUBTFUL), (1.5, Level.BAD)])
def test_programs_of_other_users(cores: float, level: Level) -> None:
    assert noise("other users", processes=(process(3.0), process(cores, is_of_others=True))).level is level


@pytest.mark.parametrize(
    ("name", "changes", "level"),
    [
        ("load", {"load_1min": 1.5}, Level.DOUBTFUL),
        ("virtual machine", {"is_virtual": True}, Level.DOUBTFUL),
        ("virtual machine", {"is_virtual": True, "steal_percent": 3.0}, Level.BAD),
        ("governor", {"governors": ("powersave",)}, Level.DOUBTFUL),
        ("governor", {"governors": ("performance", "powersave")}, Level.DOUBTFUL),
        ("turbo", {"has_turbo": True}, Level.DOUBTFUL),
        ("swap", {"swap_used_bytes": 5e6}, Level.GOOD),
        ("swap", {"swap_used_bytes": 5e9}, Level.DOUBTFUL),
        ("swap", {"swap_used_bytes": 5e6, "is_swapping": True}, Level.BAD),
    ],
)
def test_settings_and_state_of_the_machine(name: str, changes: dict[str, Any], level: Level) -> None:
    found = noise(name, **changes)
    assert found.level is level
    assert bool(found.advice) == (level is not Level.GOOD)


def test_a_good_source_is_one_line() -> None:
    (found,) = judge_source(GOOD_SOURCE)
    assert found == Finding("sources", "plug", Level.GOOD, "8.9 W, a new value every 1 s, steps of 0.1 W or finer")


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"n_failed": 2, "why_failed": "no answer within 0.8 s"}, "2 of 7 readings failed: no answer within 0.8 s"),
        ({"age_s": 5.0}, "its readings come 5.0 s after the time that it gives them"),
        ({"age_s": -3600.0}, "its readings come 3600.0 s before the time that it gives them"),
        ({"took_s": 1.5}, "it answers in up to 1.5 s, longer than sampling.interval_s = 1"),
        ({"timeout_s": 1.0}, "its timeout_s = 1 is not below sampling.interval_s = 1"),
        ({"interval_s": 30.0}, "a new value only every 30 s"),
        ({"stated_resolution_w": 1.0}, "its steps of 0.1 W are finer than resolution_w = 1"),
        ({"has_accuracy": False}, "its limits of error are not stated, so uncertainties are without them"),
        ({"is_estimate": True}, "an estimate from the load of the processors, not a measurement"),
    ],
)
def test_what_is_doubtful_about_a_source_is_a_line_with_advice(changes: dict[str, Any], what: str) -> None:
    first, second = judge_source(replace(GOOD_SOURCE, **changes))
    assert first.level is Level.GOOD
    assert (second.level, second.what) == (Level.DOUBTFUL, what)
    assert second.advice


def test_the_advice_for_rare_readings_says_how_long_a_repetition_must_be() -> None:
    assert judge_source(replace(GOOD_SOURCE, interval_s=30.0))[1].advice.endswith("a repetition lasts 10 min 00 s")


@pytest.mark.parametrize(
    ("facts", "level"),
    [
        (SourceFacts("plug", failure="no connection"), Level.BAD),
        (SourceFacts("plug", failure="the broker refuses", is_pushed=True, is_broken=True), Level.BAD),
        (SourceFacts("plug", failure="nothing has come so far", is_pushed=True, watched_s=15), Level.DOUBTFUL),
    ],
)
def test_a_source_without_a_reading(facts: SourceFacts, level: Level) -> None:
    (found,) = judge_source(facts)
    assert found.level is level
    assert facts.failure in found.what
    assert found.advice


@pytest.mark.parametrize(
    ("facts", "level", "what"),
    [
        (ClockFacts("plug", -0.4, 0.6), Level.GOOD, "agrees with this machine's to within 0.6 s"),
        (ClockFacts("plug", 1.9, 2.9), Level.GOOD, "agrees with this machine's to within 2.9 s"),
        (ClockFacts("plug", 3600.0, 3601.0), Level.DOUBTFUL, "ahead of this machine's by 1 h 00 min"),
        (ClockFacts("plug", -3601.0, -3600.0), Level.DOUBTFUL, "behind this machine's by 1 h 00 min"),
        (ClockFacts("plug"), Level.UNKNOWN, "not known: it does not tell its time"),
    ],
)
def test_clocks(facts: ClockFacts, level: Level, what: str) -> None:
    found = judge_clock(facts)
    assert (found.level, found.what) == (level, what)


def test_the_store_of_a_run() -> None:
    assert judge_embedded(EmbeddedFacts("/results", commit_s=0.001)).level is Level.GOOD
    assert judge_embedded(EmbeddedFacts("/results", commit_s=0.9)).level is Level.DOUBTFUL
    assert judge_embedded(EmbeddedFacts("/results", error="read-only")).level is Level.BAD


@pytest.mark.parametrize(
    ("facts", "level"),
    [
        (DatabaseFacts("influxdb://db:8086/x", "version 1.6.7"), Level.GOOD),
        (DatabaseFacts("influxdb://db:8086/x", error="does not answer"), Level.DOUBTFUL),
        (DatabaseFacts("influxdb://db:8086/x", error="does not answer", is_needed=True), Level.BAD),
        (DatabaseFacts("influxdb://db:8086/x", error="wrong password", is_refused=True), Level.BAD),
    ],
)
def test_the_database(facts: DatabaseFacts, level: Level) -> None:
    (found,) = judge_database(facts)
    assert found.level is level


FOLDER = FolderFacts("/results", exists=True, is_writable=True, is_open_to_all=False, free_bytes=50_000_000_000)


@pytest.mark.parametrize(
    ("changes", "permissions", "space"),
    [
        ({}, Level.GOOD, Level.GOOD),
        ({"is_writable": False}, Level.BAD, Level.GOOD),
        ({"is_open_to_all": True}, Level.DOUBTFUL, Level.GOOD),
        ({"free_bytes": 1_000_000_000}, Level.GOOD, Level.DOUBTFUL),
        ({"free_bytes": 50_000_000}, Level.GOOD, Level.BAD),
        ({"free_bytes": None}, Level.GOOD, Level.UNKNOWN),
    ],
)
def test_the_folder_of_results(changes: dict[str, Any], permissions: Level, space: Level) -> None:
    assert [finding.level for finding in judge_folder(replace(FOLDER, **changes))] == [permissions, space]


@pytest.mark.parametrize(
    ("facts", "level"),
    [
        (TemperatureFacts("coretemp_package_id_0", (), None), Level.UNKNOWN),
        (TemperatureFacts("coretemp_package_id_0", ("k10temp_tctl",), None), Level.DOUBTFUL),
        (TemperatureFacts("k10temp_tctl", ("k10temp_tctl",), None), Level.DOUBTFUL),
        (TemperatureFacts("k10temp_tctl", ("k10temp_tctl",), 41.0), Level.GOOD),
        (TemperatureFacts("k10temp_tctl", ("k10temp_tctl",), 85.0), Level.DOUBTFUL),
    ],
)
def test_the_temperature(facts: TemperatureFacts, level: Level) -> None:
    assert judge_temperature(facts).level is level


def test_the_lock() -> None:
    assert judge_lock("").level is Level.GOOD
    assert judge_lock("lock: process 5 measures on this machine") == Finding(
        "results", "lock", Level.BAD, "lock: process 5 measures on this machine"
    )


def test_one_bad_finding_makes_measuring_unwise() -> None:
    good, bad = (Finding("s", "n", level, "w") for level in (Level.GOOD, Level.BAD))
    assert is_unwise([good, bad])
    assert not is_unwise([good, Finding("s", "n", Level.DOUBTFUL, "w"), Finding("s", "n", Level.UNKNOWN, "w")])
