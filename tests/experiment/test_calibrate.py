"""Short real calibrations: of the estimate, which follows the processors, and of recordings."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from terrawatt.config import Settings, SourceSettings
from terrawatt.errors import ProtocolError
from terrawatt.experiment.calibrate import Plan, calibrate
from terrawatt.experiment.load import CpuLoad
from terrawatt.experiment.lock import MachineLock
from terrawatt.runs.calibration import read_calibration
from terrawatt.runs.manifest import read_manifest

SHORT = Plan(hold_s=0.6, repeats=2)


def with_replay(settings: Settings, folder: Path) -> Settings:
    """A power that never changes, instead of the estimate."""
    (folder / "constant.csv").write_text("t_s,power_w\n0,40\n1,40\n")
    source = SourceSettings(name="still", kind="replay", file=str(folder / "constant.csv"), after_end="hold")  # type: ignore[call-arg]
    return settings.model_copy(update={"sources": (source,)})


def test_the_estimate_is_calibrated_or_says_why_not(settings, tmp_path):
    """On a machine that others load too, the step may drown; both outcomes must be in order."""
    said: list[str] = []
    (found,) = calibrate(settings, SHORT, said.append)
    assert [line.split()[0] for line in said] == ["idle", "busy", "idle", "busy", "idle"]
    assert found.latency.n_steps == 4
    assert found.latency.n_readings >= 20
    if found.path is None:
        assert found.latency.reason
        assert not (tmp_path / "calibration").exists()
        return
    assert found.path == tmp_path / "calibration" / "estimate.json"
    kept = read_calibration(found.path)
    assert kept is not None
    assert (kept.latency_s, kept.u_latency_s) == (found.latency.lag_s.value, found.latency.lag_s.u)
    assert kept.host == os.uname().nodename


def test_a_source_that_does_not_follow_the_load_is_not_calibrated(settings, tmp_path):
    (found,) = calibrate(with_replay(settings, tmp_path), SHORT, lambda _: None)
    assert "too small" in found.latency.reason
    assert found.path is None
    assert not (tmp_path / "calibration").exists()


def test_holds_that_are_too_short_are_refused(settings):
    with pytest.raises(ProtocolError, match=r"every 0\.1 s: hold each load for 0\.5 s"):
        calibrate(settings, Plan(hold_s=0.3, repeats=1), lambda _: None)


def test_no_calibration_beside_a_run(settings):
    with MachineLock(settings.experiment.lock) as lock:
        lock.acquire()
        with pytest.raises(ProtocolError, match="measures on this machine"):
            calibrate(settings, SHORT, lambda _: None)


def test_a_run_takes_the_calibration_into_its_manifest(runs, settings, tmp_path, python):
    from terrawatt.records import Semantics
    from terrawatt.runs.calibration import Calibration, calibration_path, write_calibration

    made = Calibration(
        source="estimate",
        kind="estimate",
        semantics=Semantics.MEAN,
        host=os.uname().nodename,
        date="2026-09-21T12:00:00.000000000Z",
        delay_s=0.05,
        u_delay_s=0.01,
        tau_s=0.0,
        u_tau_s=0.01,
        latency_s=0.05,
        u_latency_s=0.01,
        step_w=12.0,
        n_steps=4,
        n_readings=30,
    )
    write_calibration(calibration_path(settings.experiment.results, "estimate"), made)
    outcome = runs(python("pass"), repetitions=1, warmup=0)
    (source,) = read_manifest(outcome.run_path / "manifest.json").sources
    assert (source.latency_s, source.u_latency_s) == (0.05, 0.01)
    assert "estimate: readings are late by 0.05 s, as calibrated" in runs.seen.getvalue()


def test_the_load_goes_on_and_off(eventually):
    def cpu_s(process: "subprocess.Popen[bytes]") -> float:
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    with CpuLoad(processes=1) as load:
        (child,) = load._children
        load.switch()
        assert load.is_on
        eventually(lambda: cpu_s(child) > 0.2, "the load works")
        load.switch()
        assert not load.is_on

        def rests() -> bool:
            before = cpu_s(child)
            time.sleep(0.2)
            return cpu_s(child) == before

        eventually(rests, "the load rests")
    assert child.poll() is not None


def test_the_load_ends_while_it_works():
    with CpuLoad(processes=1) as load:
        (child,) = load._children
        load.switch()
    assert child.poll() is not None


FOLLOWER = '''
import os, time
from dataclasses import dataclass
from pathlib import Path

from terrawatt.power.options import describe
from terrawatt.records import Semantics


@dataclass
class Follower:
    """A meter that shows the load of a file, 0.25 s late."""

    descriptions: tuple
    file: Path

    def read(self):
        steps = [int(line) for line in self.file.read_text().split()]
        return (40.0 + 50.0 * (sum(step <= time.time_ns() - 250_000_000 for step in steps) % 2),)

    def close(self):
        pass


def create(settings, host):
    return Follower((describe(settings, host, Semantics.INSTANTANEOUS),), Path(os.environ["FOLLOWED_FILE"]))
'''


@pytest.fixture
def followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that the meter follows; the meter is another package's, found by its entry point."""
    information = tmp_path / "package" / "follower-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: follower\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[terrawatt.power_sources]\nfollower = follower:create\n")
    (tmp_path / "package" / "follower.py").write_text(FOLLOWER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "package"))
    file = tmp_path / "steps.txt"
    file.write_text("")
    monkeypatch.setenv("FOLLOWED_FILE", str(file))
    return file


class FileLoad:
    """A load that is only written down, so that the machine's own load does not matter."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.is_on = False

    def __enter__(self) -> "FileLoad":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def switch(self) -> None:
        with self.file.open("a") as file:
            file.write(f"{time.time_ns()}\n")
        self.is_on = not self.is_on


def test_a_known_delay_is_found_and_kept(settings, followed, monkeypatch):
    monkeypatch.setattr("terrawatt.experiment.calibrate.CpuLoad", lambda: FileLoad(followed))
    source = SourceSettings(name="meter", kind="follower")
    (found,) = calibrate(
        settings.model_copy(update={"sources": (source,)}), Plan(hold_s=1.5, repeats=2), lambda _: None
    )
    assert found.latency.reason == ""
    assert found.path is not None
    kept = read_calibration(found.path)
    assert kept is not None
    assert kept.step_w == pytest.approx(50, abs=5)
    assert kept.latency_s == pytest.approx(0.25, abs=max(0.15, 4 * kept.u_latency_s))
    assert 0 < kept.u_latency_s < 0.3
    assert (kept.n_steps, kept.kind) == (4, "follower")
