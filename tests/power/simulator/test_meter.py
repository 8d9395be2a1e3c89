"""A meter that reads a known power: what it says, and what it leaves out."""

from dataclasses import replace

import pytest

from terrawatt.power.simulator.meter import MeterFaults, MeterReading, MeterSettings, SimulatedMeter
from terrawatt.power.simulator.profile import constant, steps
from terrawatt.power.simulator.truth import Scheduled
from terrawatt.records import Semantics
from terrawatt.units import NS_PER_S, ns_to_s

START_NS = 1_795_000_000 * NS_PER_S
STEPS = Scheduled(steps([(10, 40), (10, 100)]), START_NS)


def readings(settings: MeterSettings, until_s: float, power: Scheduled = STEPS) -> list[MeterReading]:
    """Those of a meter that is looked after at each of its times."""
    meter = SimulatedMeter(power, settings)
    taken = []
    while ns_to_s((due_ns := meter.next_ns()) - START_NS) <= until_s:
        if reading := meter.take(due_ns):
            taken.append(reading)
    return taken


def seconds(taken: list[MeterReading]) -> list[float]:
    return [ns_to_s(reading.t_ns - START_NS) for reading in taken]


def powers(taken: list[MeterReading]) -> list[float]:
    return [reading.power_w for reading in taken]


def test_instantaneous_readings_are_the_power_of_their_moment() -> None:
    taken = readings(MeterSettings(interval_s=4), 20)
    assert seconds(taken) == [4, 8, 12, 16, 20]
    assert powers(taken) == [40, 40, 100, 100, 40]


def test_means_are_over_the_time_since_the_reading_before() -> None:
    assert powers(readings(MeterSettings(semantics=Semantics.MEAN, interval_s=4), 20)) == [40, 40, 70, 100, 100]


def test_jitter_moves_readings_within_their_limits_and_keeps_their_order() -> None:
    taken = seconds(readings(MeterSettings(jitter_s=0.2, seed=5), 200))
    offsets = [t_s - number for number, t_s in enumerate(taken, start=1)]
    assert max(map(abs, offsets)) <= 0.2
    assert max(offsets) - min(offsets) > 0.3
    assert taken == sorted(taken)
    assert seconds(readings(MeterSettings(jitter_s=5.0), 50)) == sorted(
        seconds(readings(MeterSettings(jitter_s=5), 50))
    )


def test_what_is_lost_and_doubled_is_random_and_repeatable() -> None:
    settings = MeterSettings(loss=0.1, duplicates=0.2, seed=1)
    copies = [reading.copies for reading in readings(settings, 1000)]
    assert 60 < copies.count(0) < 140
    assert 130 < copies.count(2) < 230
    assert copies == [reading.copies for reading in readings(settings, 1000)]
    assert copies != [reading.copies for reading in readings(replace(settings, seed=2), 1000)]


def test_on_change_only_what_differs_is_said_and_sometimes_something_for_all_that() -> None:
    settings = MeterSettings(semantics=Semantics.ON_CHANGE, interval_s=0.5)
    assert seconds(readings(settings, 25)) == [0.5, 10, 20]
    assert seconds(readings(replace(settings, threshold_w=80), 25)) == [0.5]
    assert seconds(readings(replace(settings, most_silence_s=4), 15)) == [0.5, 4.5, 8.5, 10, 14]


def test_power_and_counter_have_steps() -> None:
    power = Scheduled(constant(12.34), START_NS)
    [first, second] = readings(MeterSettings(resolution_w=0.5, counter_resolution_j=10.0), 2, power)
    assert (first.power_w, first.energy_j, second.energy_j) == (12.5, 10, 20)
    assert readings(MeterSettings(resolution_w=0.0), 1, power)[0].power_w == 12.34


def test_a_counter_starts_anywhere_and_wraps() -> None:
    counted = [reading.energy_j for reading in readings(MeterSettings(counter_start_j=150, wrap_j=200), 5)]
    assert counted == pytest.approx([190, 30, 70, 110, 150])


def test_a_device_has_a_clock_of_its_own_and_readings_may_be_late() -> None:
    faults = MeterFaults(clock_jump_after_s=3, clock_jump_s=-3600)
    taken = readings(MeterSettings(clock_offset_s=2.5, late_s=5, faults=faults), 4)
    assert [ns_to_s(reading.device_ns - reading.t_ns) for reading in taken] == [2.5, 2.5, -3597.5, -3597.5]
    assert [ns_to_s(reading.arrival_ns - reading.t_ns) for reading in taken] == [5, 5, 5, 5]


def test_it_falls_silent_sticks_or_restarts() -> None:
    assert seconds(readings(MeterSettings(faults=MeterFaults(silent_after_s=3)), 10)) == [1, 2]
    stuck = readings(MeterSettings(interval_s=5, faults=MeterFaults(stuck_after_s=7)), 20)
    assert [(reading.power_w, reading.energy_j) for reading in stuck] == [(40, 200)] * 4
    restarted = readings(MeterSettings(interval_s=2, faults=MeterFaults(restart_after_s=5)), 8)
    assert [reading.energy_j for reading in restarted] == pytest.approx([80, 160, 40, 120])


def test_what_was_missed_is_skipped() -> None:
    meter = SimulatedMeter(STEPS, MeterSettings(interval_s=1))
    meter.skip_to(START_NS + 7 * NS_PER_S + 1)
    assert meter.next_ns() == START_NS + 8 * NS_PER_S
