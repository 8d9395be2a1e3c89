import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from terrawatt.analysis.baseline import DRIFT_PER_H, baseline
from terrawatt.analysis.energy import energies, net_energy_j
from terrawatt.analysis.signal import prepare
from terrawatt.records import AccuracyBand, MeterError, Semantics, Series, SeriesKey, SourceDescription, Window

KEY = SeriesKey.of("power", "power_w", source="plug")
S = 1_000_000_000
COLD, RUN = Window(0, 60 * S), Window(60 * S, 160 * S)


def description(semantics=Semantics.MEAN):
    return SourceDescription("plug", "mqtt", semantics, (AccuracyBand(plus_minus_w=3.0),), KEY, 0.1)


def signal(value, semantics=Semantics.MEAN, interval_s=1.0):
    t_ns = np.arange(1, len(value) + 1, dtype=np.int64) * S
    return prepare(Series(KEY, t_ns, np.asarray(value, np.float64)), semantics, interval_s)


IDLE_THEN_RUN = [40.0] * 60 + [90.0] * 100 + [40.0] * 20


def test_net_is_gross_less_the_idle_level():
    power = signal(IDLE_THEN_RUN)
    (energy,) = energies(power, description(), [RUN], baseline(power, COLD))
    assert energy.gross.energy_j == pytest.approx(9000)
    assert energy.net.energy_j == pytest.approx(5000)
    assert energy.baseline_w == 40


def test_the_budget_is_the_uncertainty():
    power = signal(IDLE_THEN_RUN)
    (energy,) = energies(power, description(), [RUN], baseline(power, COLD))
    for value in (energy.gross, energy.net):
        assert value.u_j == pytest.approx(math.sqrt(sum(part.u_j**2 for part in value.budget)))
    net = {part.name: part.u_j for part in energy.net.budget}
    assert net == pytest.approx(
        {
            "meter": 100 * math.hypot(3, 3) / math.sqrt(3),
            "resolution": 100 * 0.1 * math.sqrt(2) / math.sqrt(12),
            "sampling": 0,
            "timing": 0,  # late energy would be found behind the window
            "gaps": 0,
            "baseline": 100 * DRIFT_PER_H * 40 * 79.5 / 3600,
        },
        rel=1e-3,
        abs=1e-4,
    )
    gross = {part.name: part.u_j for part in energy.gross.budget}
    assert gross["meter"] == pytest.approx(300 / math.sqrt(3))
    assert "baseline" not in gross


def documented_j():
    """The worked example's table: its first words, without marks, and its numbers."""
    text = (Path(__file__).parents[2] / "docs" / "method.md").read_text()
    table = text.split("## A worked example")[1].split("\n| |")[1].split("\n\n")[0]
    rows = [row.strip("| ").split(" | ") for row in table.splitlines()[2:]]
    return {words.split("`")[1] if "`" in words else words.split()[0]: float(number) for words, number in rows}


def test_the_worked_example_of_the_documentation():
    power = signal(IDLE_THEN_RUN)
    (energy,) = energies(power, description(), [RUN], baseline(power, COLD))
    stated = documented_j()
    assert {name: stated.pop(name) for name in ("gross", "net", "u", "half-width")} == {
        "gross": round(energy.gross.energy_j),
        "net": round(energy.net.energy_j),
        "u": round(energy.net.u_j, 1),
        "half-width": round(energy.net.half_width_j),
    }
    assert stated == {part.name: round(part.u_j, 1) for part in energy.net.budget}
    assert round(energy.net.coverage_factor, 2) == 1.92
    offset = replace(description(), error=MeterError.OFFSET)
    (known,) = energies(power, offset, [RUN], baseline(power, COLD))
    assert known.net.budget[0].u_j == 0


def test_several_executions_share_energy_and_errors():
    power = signal(IDLE_THEN_RUN)
    (one,) = energies(power, description(), [RUN], baseline(power, COLD))
    (four,) = energies(power, description(), [RUN], baseline(power, COLD), [4])
    assert four.net.energy_j == pytest.approx(one.net.energy_j / 4)
    assert four.net.u_j == pytest.approx(one.net.u_j / 4)
    assert four.net.half_width_j == pytest.approx(one.net.half_width_j / 4)
    assert four.net.u_shared_j == pytest.approx(one.net.u_shared_j / 4)
    assert four.gross.energy_j == pytest.approx(one.gross.energy_j / 4)
    assert four.integral == one.integral


def test_power_and_counter_agree():
    power = signal(IDLE_THEN_RUN)
    counter = signal(np.cumsum(IDLE_THEN_RUN), Semantics.COUNTER)
    by_power = energies(power, description(), [RUN], baseline(power, COLD))[0]
    by_counter = energies(counter, description(Semantics.COUNTER), [RUN], baseline(counter, COLD))[0]
    assert by_counter.net.energy_j == pytest.approx(by_power.net.energy_j)
    assert by_counter.gross.energy_j == pytest.approx(by_power.gross.energy_j)


def test_without_a_baseline_the_gross_energy_is_still_given():
    power = signal(IDLE_THEN_RUN)
    (energy,) = energies(power, description(), [RUN], baseline(power, None))
    assert energy.gross.energy_j == pytest.approx(9000)
    assert math.isnan(energy.net.energy_j)
    assert energy.net.reason == "no idle period before the repetitions"


def test_a_window_shorter_than_the_interval_is_missing_in_every_number():
    power = signal(IDLE_THEN_RUN)
    short = Window(60 * S + 1, 61 * S - 1)
    (energy,) = energies(power, description(), [short], baseline(power, COLD))
    numbers = [energy.gross.energy_j, energy.gross.u_j, energy.net.energy_j, energy.net.u_j]
    assert all(math.isnan(number) for number in numbers)
    assert energy.net.reason == energy.gross.reason == "no readings in the window, 2 needed"


def test_a_counter_that_does_not_tick_is_missing_not_zero():
    counter = signal([0.0] * 100 + [3600.0] * 80, Semantics.COUNTER)
    (energy,) = energies(counter, description(Semantics.COUNTER), [Window(60 * S, 80 * S)], baseline(counter, COLD))
    assert math.isnan(energy.gross.energy_j)
    assert "did not move" in energy.gross.reason


@pytest.mark.parametrize("value", [[], [5.0], [math.nan] * 20])
@pytest.mark.parametrize("semantics", list(Semantics))
def test_series_without_readings_give_reasons(semantics, value):
    power = signal(value, semantics)
    (energy,) = energies(power, description(semantics), [RUN], baseline(power, COLD))
    assert math.isnan(energy.gross.energy_j)
    assert energy.gross.reason


def test_phases_add_up_to_their_repetition():
    power = signal(IDLE_THEN_RUN)
    idle = baseline(power, COLD)
    epochs = [Window(start * S, (start + 20) * S) for start in range(60, 160, 20)]
    assert net_energy_j(power, epochs, idle).energy_j == pytest.approx(5000)


def test_epochs_shorter_than_the_interval_count_together():
    power = signal(IDLE_THEN_RUN)
    epochs = [Window(start * S + S // 4, start * S + S * 3 // 4) for start in range(60, 160)]
    assert net_energy_j(power, epochs, baseline(power, COLD)).reason == "no readings in the window, 2 needed"
    epochs = [Window(start * S + S // 2, (start + 1) * S) for start in range(60, 160)]
    assert net_energy_j(power, epochs, baseline(power, COLD)).energy_j == pytest.approx(2500)


def test_a_phase_that_is_too_short_or_absent_is_missing():
    power = signal(IDLE_THEN_RUN)
    idle = baseline(power, COLD)
    short = [Window(70 * S + 1, 70 * S + 2)]
    assert math.isnan(net_energy_j(power, short, idle).energy_j)
    assert net_energy_j(power, short, idle).reason == "no readings in the window, 2 needed"
    assert net_energy_j(power, [], idle).reason == "no such phase was reported"
    assert net_energy_j(power, [RUN], baseline(power, None)).reason == "no idle period before the repetitions"


def test_a_gap_widens_the_uncertainty():
    value = np.array(IDLE_THEN_RUN)
    power = signal(value)
    value[100:108] = math.nan
    holed = signal(value)
    (whole,) = energies(power, description(), [RUN], baseline(power, COLD))
    (gap,) = energies(holed, description(), [RUN], baseline(holed, COLD))
    assert gap.net.energy_j == pytest.approx(5000)
    assert gap.integral.gap_s == pytest.approx(8)
    assert gap.net.u_j > whole.net.u_j


def test_what_repetitions_share_and_what_is_their_own_make_up_the_uncertainty():
    value = np.array(IDLE_THEN_RUN) + np.random.default_rng(1).normal(0, 1, 180)
    power = signal(value)
    (energy,) = energies(power, description(), [RUN], baseline(power, COLD))
    assert math.hypot(energy.net.u_shared_j, energy.net.u_own_j) == pytest.approx(energy.net.u_j)
    assert energy.net.u_shared_j > 100 * math.hypot(3, 3) / math.sqrt(3)  # the meter, and the idle mean
    assert energy.net.u_own_j > 0
    low_j, high_j = energy.net.interval_95_j
    assert (low_j + high_j) / 2 == pytest.approx(energy.net.energy_j)
    assert high_j - low_j == pytest.approx(2 * energy.net.coverage_factor * energy.net.u_j)


@pytest.mark.parametrize("semantics", list(Semantics))
@pytest.mark.parametrize("late_s", [0.0, 0.4, 0.9])
def test_a_run_that_begins_and_ends_between_late_readings_is_measured_whole(semantics, late_s):
    """50 W over idle for 100 s, read every 10 s: nothing slips out of the window."""
    start_s, end_s = 123.0, 223.0
    fine_s = np.arange(0, 400, 0.1) + 0.05
    fine_w = np.where((fine_s > start_s) & (fine_s < end_s), 90.0, 40.0)
    if semantics in (Semantics.MEAN, Semantics.COUNTER):
        value = fine_w.reshape(-1, 100).mean(axis=1)
    else:
        value = fine_w[99::100]
    value = np.cumsum(value) * 10 if semantics is Semantics.COUNTER else value
    t_ns = np.round((np.arange(1, 41) * 10 + late_s) * S).astype(np.int64)
    power = prepare(Series(KEY, t_ns, value), semantics, None if semantics is Semantics.ON_CHANGE else 10.0)
    idle = baseline(power, Window(0, 120 * S), Window(round(end_s * S), 390 * S))
    (energy,) = energies(power, description(semantics), [Window(round(start_s * S), round(end_s * S))], idle)
    assert energy.net.energy_j == pytest.approx(5000, abs=1)
    assert energy.gross.energy_j == pytest.approx(9000, abs=1)


def test_without_readings_behind_the_window_the_delay_is_uncertain():
    power = signal(IDLE_THEN_RUN[:160])
    (energy,) = energies(power, description(), [RUN], baseline(power, COLD))
    assert {part.name: part.u_j for part in energy.net.budget}["timing"] == pytest.approx(50 / math.sqrt(3))
