"""Meters that fail in the middle of a repetition: nothing is invented, and what is doubtful is said."""

import time

import numpy as np
import pytest

from faults.lab import Lab, Plug, check_energies, check_nothing_lost, energies, eventually, repetitions, verdicts
from servers.mosquitto import Mosquitto
from terrawatt.records import Severity
from terrawatt.runs.layout import RunFolder

pytestmark = pytest.mark.slow


def check_nothing_invented(folder: RunFolder, plug: Plug, source: str | None = None) -> None:
    """An energy is missing with a reason, or its interval holds the truth."""
    for phase, energy in zip(repetitions(folder), energies(folder, source or plug.name), strict=True):
        low_j, high_j = energy.net.interval_95_j
        is_missing = np.isnan(energy.net.energy_j) and energy.net.reason
        assert is_missing or low_j <= plug.net_j(phase.window) <= high_j, f"{plug.name}: {energy.net}"


def codes(folder: RunFolder, source: str) -> set[str]:
    """Of what weighs on a source."""
    return {verdict.code for verdict in verdicts(folder, source) if verdict.severity is not Severity.NOTE}


def test_meters_that_fail_in_the_middle_of_a_repetition(lab: Lab, broker: Mosquitto) -> None:
    silent, restarted = lab.plug("zwave", broker), lab.plug("esphome", broker, counter_resolution_j=0.0)
    ahead, behind = lab.plug("json", broker), lab.plug("zwave-object", broker)
    stuck = lab.plug("http-tasmota"), lab.plug("shelly", broker)
    lab.config([plug.entry for plug in lab.plugs], cold_s=12.0)
    run = lab.start(*lab.busy(5))
    eventually(lambda: lab.flag.exists(), "the first repetition")
    time.sleep(2.5)
    silent.fail("silent")
    restarted.fail("restart")
    ahead.fail("clock_jump", clock_jump_s=3600.0)
    behind.fail("clock_jump", clock_jump_s=-3600.0)
    for plug in stuck:
        plug.fail("stuck")
    _, err = run.communicate(timeout=120)
    assert (run.returncode, err) == (0, "")
    folder = lab.last_run()
    for plug in (silent, ahead, behind):
        assert codes(folder, plug.name) == {"gap", "no-energy"}
        check_nothing_invented(folder, plug)
        check_nothing_invented(folder, plug, f"{plug.name} counter")
        assert np.isnan(energies(folder, plug.name)[1].net.energy_j)
    log = folder.log.read_text()
    assert "source json: the device's time is 3600.0 s ahead of this machine's" in log
    assert "source zwave-object: the device's time is 3600.0 s behind this machine's" in log
    check_energies(folder, restarted)
    check_nothing_invented(folder, restarted, "esphome counter")
    assert "source-restarted" in {verdict.code for verdict in verdicts(folder)}
    for plug in stuck:
        assert "estimates-disagree" in codes(folder, plug.name)  # its counter stands still, which no power can do
        assert "no-energy" in codes(folder, f"{plug.name} counter")
    assert "stuck" in codes(folder, stuck[0].name)  # of the other, which reports on change, few readings came at all


def test_readings_that_come_five_seconds_late_have_the_plug_s_time_or_a_wide_interval(
    lab: Lab, broker: Mosquitto
) -> None:
    timed = lab.plug("zwave", broker, late_s=5.0)
    untimed = lab.plug("plain", broker, late_s=5.0, options={"timing_s": 5.0})
    lab.config([timed.entry, untimed.entry], idle_after_s=7.0, repetitions=1)
    folder = lab.measure(*lab.busy(10))
    check_nothing_lost(folder, timed)
    check_energies(folder, timed)
    check_energies(folder, untimed, at_most=2.0)
