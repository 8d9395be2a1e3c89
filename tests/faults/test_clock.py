"""The machine's clock is set by an hour during a run. Simulated: each process of the run takes its time from a file."""

import time
from pathlib import Path

import numpy as np
import pytest

from faults.lab import Lab, energies, eventually, stored
from terrawatt.summary.gather import gather

HOUR_S = 3600

# Python imports this module at its start; it moves the wall clock, and leaves the monotonic one alone.
CLOCK = """
import time
from pathlib import Path

_real_ns, _file = time.time_ns, Path({file!r})


def _now_ns():
    try:
        return _real_ns() + int(_file.read_text() or 0)
    except OSError:
        return _real_ns()


time.time_ns = _now_ns
time.time = lambda: _now_ns() / 1e9
"""


@pytest.mark.slow
@pytest.mark.parametrize("by_s", [HOUR_S, -HOUR_S])
def test_a_clock_that_is_set_during_a_repetition_is_seen_and_spoils_no_other(
    lab: Lab, tmp_path: Path, by_s: int
) -> None:
    offset = tmp_path / "offset"
    (tmp_path / "clock").mkdir()
    (tmp_path / "clock/sitecustomize.py").write_text(CLOCK.format(file=str(offset)))
    lab.environment["PYTHONPATH"] = str(tmp_path / "clock")
    plug = lab.plug("http-shelly")
    lab.config([plug.entry], repetitions=3)
    run = lab.start(*lab.busy(4))
    for _ in range(2):
        eventually(lambda: lab.flag.exists(), "a repetition")
        eventually(lambda: not lab.flag.exists(), "its end")
    eventually(lambda: lab.flag.exists(), "the third repetition")
    time.sleep(2.0)
    staged = tmp_path / "staged"
    staged.write_text(str(by_s * 10**9))
    staged.replace(offset)
    _, err = run.communicate(timeout=120)
    folder = lab.last_run()
    offsets_s = stored(folder, "http-shelly").t_ns / 1e9 - time.time()
    assert (np.abs(offsets_s - by_s) < 120).any()
    rows = gather([folder.path], accept_changes=True).rows
    said = [{verdict.code for verdict in row.verdicts} for row in rows]
    assert "clock-jump" in said[2] or run.returncode != 0, err
    assert not any("clock-jump" in codes for codes in said[:2])
    found = energies(folder, plug.name)
    for energy in found[:2]:
        assert energy.net.energy_j == pytest.approx(380, rel=0.1)
