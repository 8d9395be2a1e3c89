"""kill -9 of sampler, runner and workload at random moments: what was committed stays, and the next run works."""

import os
import random
import signal
import time
from functools import partial

import numpy as np
import psutil
import pytest

from faults.lab import IDLE_W, Lab, Plug, check_energies, energies, eventually, repetitions, stored, verdicts
from servers.mosquitto import Mosquitto
from terrawatt.records import Series, SeriesKey
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.status import State, read_status
from terrawatt.store.sqlite import SqliteStore
from terrawatt.summary.gather import gather
from terrawatt.telemetry.sampler import COMMIT_INTERVAL_S
from terrawatt.units import NS_PER_MS, NS_PER_S

COMMITS_NS = round(COMMIT_INTERVAL_S * NS_PER_S)

pytestmark = pytest.mark.slow


def processes(runner: int, word: str) -> list[psutil.Process]:
    """The runner's descendants with this word in their command."""
    found = []
    for child in psutil.Process(runner).children(recursive=True):
        try:
            if any(word in argument for argument in child.cmdline()):
                found.append(child)
        except psutil.Error:
            continue
    return found


def starts_of_the_sampler(folder: RunFolder) -> Series:
    with SqliteStore(folder.telemetry, read_only=True) as store:
        return store.read(SeriesKey.of("terrawatt", "sampler_started", host="lab"))


def is_started(folder: RunFolder, times: int) -> bool:
    return len(starts_of_the_sampler(folder)) == times


def losses_ns(folder: RunFolder, plug: Plug, end_ns: int) -> list[int]:
    """Where readings are missing that the plug told from the sampler's start to an end: the first of each place.

    None is longer than what is committed at once. A busy machine holds up the plug's readings and the commits alike,
    so the longest time between two readings may come on top.
    """
    kept_ns = stored(folder, plug.name).t_ns
    told_ns = np.unique([reading.device_ns // NS_PER_MS * NS_PER_MS for reading in plug.heard.readings])
    # A reading of before, which the broker had kept for the run before, may have come first.
    told_ns = told_ns[(told_ns >= starts_of_the_sampler(folder).t_ns[0]) & (told_ns <= end_ns)]
    edges = np.flatnonzero(np.diff(~np.isin(told_ns, kept_ns), prepend=False, append=False))
    for first, after in edges.reshape(-1, 2):
        assert told_ns[after - 1] - told_ns[first] <= COMMITS_NS + np.diff(told_ns).max()
    return [int(t_ns) for t_ns in told_ns[edges[::2]]]


def codes(folder: RunFolder) -> set[str]:
    return {verdict.code for verdict in verdicts(folder)}


def test_a_sampler_that_is_killed_again_and_again_costs_a_second_each_time(lab: Lab, broker: Mosquitto) -> None:
    plug = lab.plug("zwave", broker)
    lab.config([plug.entry], repetitions=2)
    run = lab.start(*lab.busy(8))
    eventually(lambda: lab.flag.exists(), "the first repetition")
    folder, rng = lab.last_run(), random.Random(1)
    kills = 6
    for number in range(1, kills + 1):
        eventually(partial(is_started, folder, number), "a start of the sampler")
        time.sleep(rng.uniform(0.2, 1.2))
        [sampler] = processes(run.pid, "terrawatt.telemetry.sampler")
        sampler.kill()
    _, err = run.communicate()
    assert (run.returncode, err) == (0, "")
    assert len(starts_of_the_sampler(folder)) == 1 + kills
    assert len(losses_ns(folder, plug, repetitions(folder)[-1].window.end_ns)) <= kills
    assert "sampler-restarted" in codes(folder)
    check_energies(folder, plug, at_most=1.0)


def test_a_runner_that_is_killed_leaves_what_was_committed_and_no_process(lab: Lab, broker: Mosquitto) -> None:
    plug = lab.plug("zwave", broker)
    lab.config([plug.entry], cold_s=0.5, repetitions=50)
    rng = random.Random(3)
    for _ in range(8):
        check_killed_runner(lab, plug, rng.uniform(0.0, 2.0))
    lab.config([plug.entry], repetitions=1)
    again = lab.measure(*lab.busy(3))  # the machine is free, and nothing is in the way
    assert again.path.name == "run_9"
    check_energies(again, plug)


def check_killed_runner(lab: Lab, plug: Plug, after_s: float) -> None:
    """Kill the runner of a run so long after its first workload began."""
    run = lab.start(*lab.busy(0.5))
    eventually(lambda: lab.flag.exists(), "the first repetition")
    folder = lab.last_run()
    time.sleep(after_s)
    children = psutil.Process(run.pid).children(recursive=True)
    killed_ns = time.time_ns()
    os.kill(run.pid, signal.SIGKILL)
    run.communicate()
    eventually(lambda: not any(child.is_running() for child in children), "the end of all its processes")
    lab.flag.unlink(missing_ok=True)  # its workload had no time to do that
    readings = stored(folder, plug.name)
    assert np.isfinite(readings.value).all()
    assert all(t_ns > readings.t_ns[-1] for t_ns in losses_ns(folder, plug, killed_ns))
    if read_status(folder.status).of(1).state is State.DONE:
        assert gather([folder.path]).rows


def test_workloads_that_are_killed_are_marked_and_the_others_measured(lab: Lab, broker: Mosquitto) -> None:
    plug = lab.plug("zwave", broker)
    lab.config([plug.entry], repetitions=12)
    run = lab.start(*lab.busy(2))
    rng = random.Random(2)
    for _ in range(6):  # every other one
        eventually(lambda: lab.flag.exists(), "a repetition that is killed")
        time.sleep(rng.uniform(0.0, 1.5))
        for process in processes(run.pid, "sleep 2"):
            process.kill()
        lab.flag.unlink()
        eventually(lambda: lab.flag.exists(), "a repetition that is left alone")
        eventually(lambda: not lab.flag.exists(), "its end")
    _, err = run.communicate()
    assert run.returncode == 1
    assert "6 of 12 repetitions failed; the first: killed by SIGKILL" in err
    folder = lab.last_run()
    states = [entry.state for entry in read_status(folder.status).repetitions]
    assert states == [State.FAILED, State.DONE] * 6
    for state, energy in zip(states, energies(folder, plug.name), strict=True):
        assert np.isfinite(energy.net.energy_j) or (state is State.FAILED and energy.net.reason)
        assert energy.baseline_w == pytest.approx(IDLE_W, abs=1)
    assert "failed-repetition" in codes(folder)
