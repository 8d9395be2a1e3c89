import math
import time
from pathlib import Path

import pytest

from terrawatt.config import ProtocolSettings
from terrawatt.experiment import monitor as module
from terrawatt.experiment.ledger import Ledger
from terrawatt.experiment.monitor import EpochReader, Monitor, Place, RunningEnergy
from terrawatt.experiment.plan import ordered
from terrawatt.experiment.progress import Snapshot
from terrawatt.experiment.protocol import StepKind
from terrawatt.experiment.sitting import all_steps, sittings
from terrawatt.records import Order, Phase, Window
from terrawatt.runs.heartbeat import read_heartbeat
from terrawatt.runs.phases import append_phase, append_phases
from terrawatt.telemetry.process import Latest
from terrawatt.units import NS_PER_S

PROTOCOL = ProtocolSettings(cold_s=100, warmup=1, repetitions=2, idle_after_s=50)
SITTINGS = sittings(ordered(3, 2, Order.SEQUENTIAL, 0), Order.SEQUENTIAL, {})
STEPS = all_steps(PROTOCOL, SITTINGS, Order.SEQUENTIAL)
PLACE = Place(SITTINGS[0], STEPS[0], 3, "model a", 10, "plug", PROTOCOL)


def reading(t_s: float, power_w: float, source: str = "plug") -> Latest:
    return Latest(round(t_s * NS_PER_S), {source: power_w})


def test_energy_is_summed_from_one_reading_to_the_next() -> None:
    energy = RunningEnergy("plug")
    for t_s, power_w in ((0, 100), (1, 200), (3, 50)):
        energy.add(reading(t_s, power_w), now_ns=t_s * NS_PER_S)
    assert energy.energy_j == 100 * 1 + 200 * 2
    assert energy.power_w == 50


def test_the_same_reading_twice_adds_nothing() -> None:
    energy = RunningEnergy("plug")
    energy.add(reading(1, 100), now_ns=NS_PER_S)
    energy.add(reading(1, 100), now_ns=2 * NS_PER_S)
    assert energy.energy_j == 0


@pytest.mark.parametrize("gap", [None, reading(2, math.nan), reading(2, 100, source="other")])
def test_a_missing_reading_is_a_gap_and_not_bridged(gap: Latest | None) -> None:
    energy = RunningEnergy("plug")
    energy.add(reading(1, 100), now_ns=NS_PER_S)
    energy.add(gap, now_ns=2 * NS_PER_S)
    assert energy.power_w is None
    energy.add(reading(9, 100), now_ns=9 * NS_PER_S)
    assert energy.energy_j == 0


def test_an_old_reading_is_not_now() -> None:
    energy = RunningEnergy("plug")
    energy.add(reading(1, 100), now_ns=100 * NS_PER_S)
    assert energy.power_w is None


def test_the_last_epoch_that_was_reported(tmp_path: Path) -> None:
    path = tmp_path / "phases.jsonl"
    reader = EpochReader(path)
    assert reader.last() is None
    append_phase(path, Phase("setup", Window(0, 1)))
    assert reader.last() is None
    append_phases(path, [Phase("train", Window(1, 2), epoch=1), Phase("validate", Window(2, 3), epoch=1)])
    assert reader.last() == 1
    append_phase(path, Phase("train", Window(3, 4), epoch=2))
    assert reader.last() == 2
    with path.open("a") as file:
        file.write("rubbish\n")
    assert reader.last() is None
    path.unlink()
    assert reader.last() is None


class Watch:
    def __init__(self) -> None:
        self.checks = 0

    def check(self) -> None:
        self.checks += 1

    def latest(self) -> Latest:
        return Latest(time.time_ns(), {"plug": 42.0})


class Shown:
    def __init__(self) -> None:
        self.snapshots: list[Snapshot] = []

    def show(self, snapshot: Snapshot) -> None:
        self.snapshots.append(snapshot)


@pytest.fixture
def shown() -> Shown:
    return Shown()


@pytest.fixture
def ledger() -> Ledger:
    """Of a run whose first sitting is under way."""
    ledger = Ledger(6)
    ledger.plan(SITTINGS, STEPS)
    ledger.begin()
    return ledger


def make(shown: Shown, tmp_path: Path, ledger: Ledger, place: Place = PLACE) -> Monitor:
    heartbeat = tmp_path / "heartbeat.json"
    return Monitor(place, Watch(), shown, tmp_path / "phases.jsonl", ledger, heartbeat)  # type: ignore[arg-type]


def test_the_page_is_drawn_once_a_second_and_the_sampler_seen_each_time(
    shown: Shown, tmp_path: Path, ledger: Ledger
) -> None:
    monitor = make(shown, tmp_path, ledger)
    for _ in range(5):
        monitor.tick()
    assert len(shown.snapshots) == 1
    assert monitor._watch.checks == 5  # type: ignore[attr-defined]


def test_a_snapshot_tells_where_the_run_is(shown: Shown, tmp_path: Path, ledger: Ledger) -> None:
    append_phase(tmp_path / "phases.jsonl", Phase("train", Window(0, 1), epoch=4))
    monitor = make(shown, tmp_path, ledger)
    monitor.begin(3)
    monitor.tick()
    (snapshot,) = shown.snapshots
    assert (snapshot.step.kind, snapshot.step.number, snapshot.steps_of_kind) == (StepKind.REPETITION, 2, 2)
    assert (snapshot.epoch, snapshot.epochs, snapshot.power_w) == (4, 10, 42.0)
    assert snapshot.sweep is not None
    assert (snapshot.sweep.scenario, snapshot.sweep.scenarios, snapshot.sweep.repetition) == (1, 3, 2)


def test_the_time_left_comes_from_what_was_measured(
    shown: Shown, tmp_path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REFRESH_S", 0.0)
    monitor = make(shown, tmp_path, ledger)
    monitor.tick()
    assert shown.snapshots[-1].left_s is None
    monitor.begin(1)
    monitor.executed(20)
    monitor.begin(2)
    monitor.tick()
    later_s = 20 + 2 * 20 + 50  # the idle period before is that after the sitting before
    assert shown.snapshots[-1].left_s == pytest.approx(2 * 20 + 50 + 2 * later_s, abs=5)


def test_a_heartbeat_is_written_when_a_step_begins(shown: Shown, tmp_path: Path, ledger: Ledger) -> None:
    monitor = make(shown, tmp_path, ledger)
    assert read_heartbeat(tmp_path / "heartbeat.json").step == "cold"
    monitor.begin(2)
    monitor.energy.energy_j = 500.0
    monitor.ended(succeeded=True)
    monitor.begin(3)
    beat = read_heartbeat(tmp_path / "heartbeat.json")
    assert (beat.step, beat.repetition, beat.done, beat.failed, beat.repetitions) == ("repetition", 2, 1, 0, 6)
    assert (beat.energy_j, beat.left_j) == (500.0, 5 * 500.0)
    monitor.begin(4)
    assert (read_heartbeat(tmp_path / "heartbeat.json").step, beat.title) == ("idle", "model a")


def test_a_heartbeat_comes_now_and_then_in_a_long_step(
    shown: Shown, tmp_path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REFRESH_S", 0.0)
    monitor = make(shown, tmp_path, ledger)
    first = read_heartbeat(tmp_path / "heartbeat.json")
    monitor.tick()
    assert read_heartbeat(tmp_path / "heartbeat.json") == first
    monkeypatch.setattr(module, "_BEAT_S", 0.0)
    monitor.tick()
    assert read_heartbeat(tmp_path / "heartbeat.json").power_w == 42.0


def test_repetitions_that_are_not_needed_count_as_ended(shown: Shown, tmp_path: Path, ledger: Ledger) -> None:
    monitor = make(shown, tmp_path, ledger)
    monitor.spared(1)
    assert ledger.done == 1
