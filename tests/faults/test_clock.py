"""The machine's clock is set by an hour during a run. Simulated: each process of the run takes its time from a file."""

import time
from pathlib import Path

import pytest

from faults.lab import Lab, energies, eventually, repetitions
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
    out, err = run.communicate(timeout=120)
    folder = lab.last_run()
    if by_s < 0:
        assert run.returncode == 1
        assert "the clock was set back while it ran; no window can be told" in err
        assert "repetition 3 of 3 failed: the clock was set back" in out
    else:
        assert (run.returncode, err) == (0, "")
        assert "clock-jump" in {verdict.code for verdict in gather([folder.path]).rows[2].verdicts}
    for row in gather([folder.path]).rows[:2]:
        assert "clock-jump" not in {verdict.code for verdict in row.verdicts}
    for phase, energy in zip(repetitions(folder)[:2], energies(folder, plug.name), strict=False):
        assert energy.net.energy_j == pytest.approx(plug.net_j(phase.window), rel=0.1)
