"""The real sampler process: what it keeps, and how it ends."""

import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from terrawatt.config import SamplingSettings, Settings, SourceSettings
from terrawatt.errors import ProtocolError
from terrawatt.records import Semantics, Series, SeriesKey
from terrawatt.store.sqlite import SqliteStore
from terrawatt.telemetry.own import sampler_starts
from terrawatt.telemetry.process import Latest, SamplerProcess

PLUG = SeriesKey.of("power", "power_w", host="lab", source="plug")
CLOCK = SeriesKey.of("terrawatt", "wall_minus_monotonic_s", host="lab")

METERS = """
import threading
from terrawatt.errors import SourceError
from terrawatt.power.options import describe
from terrawatt.records import Semantics

class Meter:
    def __init__(self, settings, host):
        self.descriptions = (describe(settings, host, Semantics.INSTANTANEOUS),)
    def close(self):
        pass

class Hanging(Meter):
    def read(self):
        threading.Event().wait()

class Chatty(Meter):
    def read(self):
        print("a print that is no message")
        return (3.0,)

class Faulty(Meter):
    def read(self):
        return 1 / 0
"""


@pytest.fixture
def sampler(tmp_path: Path) -> Iterator[Callable[..., SamplerProcess]]:
    """Makes samplers at 20 Hz, and ends them."""
    made: list[SamplerProcess] = []

    def make(*sources: dict[str, Any], interval_s: float = 0.05) -> SamplerProcess:
        settings = Settings(
            sampling=SamplingSettings(interval_s=interval_s, host_name="lab", host=("cpu", "mem")),
            sources=tuple(SourceSettings.model_validate(source) for source in sources),
        )
        made.append(SamplerProcess(settings, tmp_path / "telemetry.sqlite", tmp_path / "log.txt"))
        return made[-1]

    yield make
    for process in made:
        process.stop()


@pytest.fixture
def replay(tmp_path: Path) -> dict[str, Any]:
    """A recording of 100 steps of 0.1 s: 10 W with every tenth missing."""
    path = tmp_path / "plug.csv"
    rows = "".join(f"{step / 10},{'' if step % 10 == 5 else 10}\n" for step in range(100))
    path.write_text("t_s,power_w\n" + rows)
    return {"name": "plug", "kind": "replay", "file": str(path), "after_end": "loop"}


@pytest.fixture
def _meters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else's package of meters, found by the sampler through PYTHONPATH."""
    folder = tmp_path / "site"
    metadata = folder / "meters_for_tests-1.0.dist-info"
    metadata.mkdir(parents=True)
    (folder / "meters_for_tests.py").write_text(METERS)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: meters-for-tests\nVersion: 1.0\n")
    kinds = "".join(f"{name.lower()} = meters_for_tests:{name}\n" for name in ("Hanging", "Chatty", "Faulty"))
    (metadata / "entry_points.txt").write_text(f"[terrawatt.power_sources]\n{kinds}")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH")))))


def kept(tmp_path: Path, key: SeriesKey) -> Series:
    with SqliteStore(tmp_path / "telemetry.sqlite", read_only=True) as store:
        return store.read(key)


def wait_for(condition: Callable[[], bool]) -> None:
    end_s = time.monotonic() + 60
    while not condition():
        if time.monotonic() > end_s:
            pytest.fail("waited in vain for 60 s")
        time.sleep(0.02)


def test_a_run_of_two_sources(tmp_path: Path, sampler: Callable[..., SamplerProcess], replay: dict[str, Any]) -> None:
    process = sampler(replay, {"name": "estimate", "kind": "estimate", "idle_w": 20, "full_w": 100})
    report = process.start()
    assert process.is_alive()
    assert len(kept(tmp_path, PLUG)) >= 1  # committed before the report
    assert [source.name for source in report.sources] == ["plug", "estimate"]
    assert report.sources[0].semantics is Semantics.INSTANTANEOUS
    assert report.sources[0].series == PLUG
    assert report.host == "lab"
    assert set(report.host_series) == {"cpu", "mem_free"}
    assert set(report.missing) == {"temp", "reads"}
    wait_for(lambda: len(kept(tmp_path, PLUG)) >= 40)
    latest = process.latest()
    process.stop()
    process.stop()
    assert not process.is_alive()
    assert process.failure() is None
    assert isinstance(latest, Latest)
    assert set(latest.power_w) == {"plug", "estimate"}
    assert math.isnan(latest.power_w["plug"]) or latest.power_w["plug"] == 10
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.txt", "plug.csv", "telemetry.sqlite"]

    plug, estimate = kept(tmp_path, PLUG), kept(tmp_path, report.sources[1].series)
    cpu, free = (kept(tmp_path, report.host_series[quantity]) for quantity in ("cpu", "mem_free"))
    for series in (plug, estimate, cpu, free):
        assert len(series) >= 40
        assert (np.diff(series.t_ns) > 0).all()
    assert set(plug.value[np.isfinite(plug.value)]) == {10.0}
    assert np.isnan(plug.value).any()
    assert ((estimate.value >= 20) & (estimate.value <= 100) | np.isnan(estimate.value)).all()
    assert ((free.value > 0) & (free.value <= 100)).all()
    assert np.ptp(kept(tmp_path, CLOCK).value) < 1


def test_readings_come_at_the_rate_that_was_asked_for(
    tmp_path: Path, sampler: Callable[..., SamplerProcess], replay: dict[str, Any]
) -> None:
    process = sampler(replay, interval_s=0.2)
    process.start()
    wait_for(lambda: len(kept(tmp_path, PLUG)) >= 15)
    process.stop()
    steps = np.diff(kept(tmp_path, PLUG).t_ns) / 0.2e9
    assert round(float(np.median(steps))) == 1


def test_a_killed_sampler_leaves_all_that_was_committed_and_can_go_on(
    tmp_path: Path, sampler: Callable[..., SamplerProcess], replay: dict[str, Any]
) -> None:
    process = sampler(replay)
    process.start()
    wait_for(lambda: len(kept(tmp_path, PLUG)) >= 30)
    committed = kept(tmp_path, PLUG)
    os.kill(process._child.process.pid, signal.SIGKILL)
    wait_for(lambda: not process.is_alive())
    assert process.failure() == f"it was killed by signal 9; see {tmp_path / 'log.txt'}"
    left = kept(tmp_path, PLUG)
    assert left.t_ns[: len(committed)].tolist() == committed.t_ns.tolist()
    process.restart()
    assert process.is_alive()
    assert process.failure() is None
    wait_for(lambda: len(kept(tmp_path, PLUG)) >= len(left) + 20)
    process.stop()
    after = kept(tmp_path, PLUG)
    assert after.t_ns[: len(left)].tolist() == left.t_ns.tolist()
    assert (np.diff(after.t_ns) > 0).all()
    starts = kept(tmp_path, sampler_starts("lab"))
    assert len(set(starts.value)) == 2  # the process numbers of both
    assert left.t_ns[-1] < starts.t_ns[1] < after.t_ns[len(left)]


_RUNNER = """
import sys, time
from pathlib import Path
from terrawatt.config import Settings, SamplingSettings
from terrawatt.telemetry.process import SamplerProcess
folder = Path(sys.argv[1])
settings = Settings(sampling=SamplingSettings(host_name="lab"))
process = SamplerProcess(settings, folder / "telemetry.sqlite", folder / "log.txt")
process.start()
print(process._child.process.pid, flush=True)
time.sleep(600)
"""


def test_it_ends_when_its_runner_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", _RUNNER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as runner:
        pid = int(runner.stdout.readline())
        runner.kill()
    wait_for(lambda: not _is_running(pid))
    assert len(kept(tmp_path, CLOCK)) >= 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.txt", "telemetry.sqlite"]


def _is_running(pid: int) -> bool:
    """Whether a process that is not ours goes on; one that waits for its end to be noticed does not."""
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_control_c_is_ignored_and_sigterm_ends_it_cleanly(
    tmp_path: Path, sampler: Callable[..., SamplerProcess], replay: dict[str, Any]
) -> None:
    process = sampler(replay)
    process.start()
    os.kill(process._child.process.pid, signal.SIGINT)
    count = len(kept(tmp_path, PLUG))
    wait_for(lambda: len(kept(tmp_path, PLUG)) > count)
    assert process.is_alive()
    os.kill(process._child.process.pid, signal.SIGTERM)
    wait_for(lambda: not process.is_alive())
    assert process.failure() is None
    assert process._child.process.returncode == 0
    assert not (tmp_path / "telemetry.sqlite-wal").exists()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"kind": "estimat"}, r"^the sampler cannot start: sources\[plug\]: there is no kind 'estimat'"),
        ({"kind": "replay", "file": "nothing.csv"}, r"nothing\.csv: cannot be read"),
        ({"kind": "estimate", "watts": 3}, r"unknown key 'watts'"),
    ],
)
def test_what_is_wrong_is_one_clear_line(
    sampler: Callable[..., SamplerProcess], source: dict[str, Any], message: str
) -> None:
    process = sampler({"name": "plug", **source})
    with pytest.raises(ProtocolError, match=message) as caught:
        process.start()
    assert "\n" not in str(caught.value)
    assert not process.is_alive()


def test_a_store_that_cannot_be_written_is_one_clear_line(
    tmp_path: Path, sampler: Callable[..., SamplerProcess], replay: dict[str, Any]
) -> None:
    (tmp_path / "telemetry.sqlite").write_text("not a database at all, but some text " * 30)
    with pytest.raises(ProtocolError, match=r"telemetry\.sqlite: not a SQLite file"):
        sampler(replay).start()


def test_a_log_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    process = SamplerProcess(Settings(), tmp_path / "telemetry.sqlite", tmp_path / "nowhere" / "log.txt")
    with pytest.raises(ProtocolError, match=r"nowhere/log\.txt: the sampler cannot start \(No such file"):
        process.start()


def test_it_cannot_be_started_twice(sampler: Callable[..., SamplerProcess], replay: dict[str, Any]) -> None:
    process = sampler(replay)
    process.start()
    with pytest.raises(ProtocolError, match="already running"):
        process.start()
    assert process.is_alive()


def test_before_the_start_there_is_nothing(sampler: Callable[..., SamplerProcess], replay: dict[str, Any]) -> None:
    process = sampler(replay)
    assert (process.latest(), process.failure(), process.is_alive()) == (None, None, False)
    process.stop()


@pytest.mark.slow
@pytest.mark.usefixtures("_meters")
def test_a_hanging_source_holds_up_nobody(
    tmp_path: Path, sampler: Callable[..., SamplerProcess], replay: dict[str, Any]
) -> None:
    process = sampler(replay, {"name": "hanging", "kind": "hanging"}, {"name": "chatty", "kind": "chatty"})
    report = process.start()
    assert [source.kind for source in report.sources] == ["replay", "hanging", "chatty"]
    count = len(kept(tmp_path, PLUG))
    wait_for(lambda: len(kept(tmp_path, PLUG)) >= count + 20)
    process.stop()
    assert process.failure() is None
    assert len(kept(tmp_path, report.sources[1].series)) == 0
    assert set(kept(tmp_path, report.sources[2].series).value) == {3.0}
    assert "a print that is no message" in (tmp_path / "log.txt").read_text()


@pytest.mark.usefixtures("_meters")
def test_a_faulty_source_ends_it_with_its_name_and_a_traceback(
    tmp_path: Path, sampler: Callable[..., SamplerProcess], replay: dict[str, Any]
) -> None:
    process = sampler(replay, {"name": "faulty", "kind": "faulty"})
    with pytest.raises(ProtocolError, match="source faulty: its code has failed; the log has the traceback"):
        process.start()
    assert "ZeroDivisionError" in (tmp_path / "log.txt").read_text()
    assert len(kept(tmp_path, PLUG)) >= 1


def test_by_hand_it_says_who_starts_it() -> None:
    command = [sys.executable, "-m", "terrawatt.telemetry.sampler"]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "without a request" in ended.stdout
    assert "Traceback" not in ended.stderr
