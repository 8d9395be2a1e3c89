"""A recording played in real time, under a clock that the test sets."""

from collections.abc import Callable
from pathlib import Path

import pytest

from terrawatt.config import SourceSettings
from terrawatt.errors import SourceError
from terrawatt.power import replay
from terrawatt.power.recording import read_recording
from terrawatt.power.replay import AfterEnd, ReplaySource
from terrawatt.records import AccuracyBand, Semantics

Entry = Callable[..., SourceSettings]

POWER = "t_s,power_w\n5,10\n6,20\n7,\n8,40\n"
ENERGY = "t_s,energy_j\n0,100\n1,110\n"


class Clock:
    """A monotonic clock that is set by hand."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> int:
        return round(self.now_s * 1e9)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "plug.csv"
    path.write_text(POWER)
    return path


def playing(entry: Entry, file: Path, after_end: AfterEnd) -> tuple[ReplaySource, Clock]:
    description = replay.create(entry("replay", file=str(file)), "lab").descriptions[0]
    clock = Clock()
    return ReplaySource(description, read_recording(file), after_end, clock), clock


def at(source: ReplaySource, clock: Clock, played_s: float) -> float:
    clock.now_s = 1000.0 + played_s
    return source.read()[0]


@pytest.mark.parametrize(("played_s", "power_w"), [(0, 10), (0.999, 10), (1, 20), (1.5, 20), (3, 40), (3.9, 40)])
def test_the_answer_is_the_last_reading(entry: Entry, file: Path, played_s: float, power_w: float) -> None:
    source, clock = playing(entry, file, "missing")
    assert at(source, clock, played_s) == power_w


def test_an_empty_cell_is_no_reading(entry: Entry, file: Path) -> None:
    source, clock = playing(entry, file, "missing")
    with pytest.raises(SourceError, match="no reading here"):
        at(source, clock, 2.5)
    assert at(source, clock, 3.0) == 40


def test_after_the_end(entry: Entry, file: Path) -> None:
    source, clock = playing(entry, file, "missing")
    with pytest.raises(SourceError, match="has ended"):
        at(source, clock, 4.0)
    source, clock = playing(entry, file, "hold")
    assert at(source, clock, 1e6) == 40
    source, clock = playing(entry, file, "loop")
    assert [at(source, clock, played_s) for played_s in (3.9, 4.0, 5.0, 7.5, 4001.0)] == [40, 10, 20, 40, 20]


def test_a_single_reading_can_be_held(entry: Entry, file: Path) -> None:
    file.write_text("t_s,power_w\n0,42\n")
    source, clock = playing(entry, file, "hold")
    assert at(source, clock, 100) == 42


def test_power_and_energy_are_described(entry: Entry, file: Path) -> None:
    power = replay.create(entry("replay", file=str(file)), "lab").descriptions[0]
    assert (power.semantics, power.series.field, power.accuracy) == (Semantics.INSTANTANEOUS, "power_w", ())
    assert str(file) in power.note
    assert not power.is_estimate
    file.write_text(ENERGY)
    energy = replay.create(entry("replay", file=str(file)), "lab").descriptions[0]
    assert (energy.semantics, energy.series.field) == (Semantics.COUNTER, "energy_j")


def test_the_settings_know_better(entry: Entry, file: Path) -> None:
    keys = {"semantics": "on-change", "accuracy": [{"plus_minus_w": 3.0}], "resolution_w": 0.1}
    description = replay.create(entry("replay", file=str(file), **keys), "lab").descriptions[0]
    assert description.semantics is Semantics.ON_CHANGE
    assert description.accuracy == (AccuracyBand(plus_minus_w=3.0),)
    assert description.resolution_w == 0.1


def test_only_a_counter_has_a_range(entry: Entry, file: Path) -> None:
    with pytest.raises(SourceError, match=r"sources\[plug\]: wrap_j: only a counter"):
        replay.create(entry("replay", file=str(file), wrap_j=262_144), "lab")
    file.write_text(ENERGY)
    assert replay.create(entry("replay", file=str(file), wrap_j=262_144), "lab").descriptions[0].wrap_j == 262_144


def test_what_cannot_be_meant_is_refused(entry: Entry, file: Path) -> None:
    with pytest.raises(SourceError, match=r"sources\[plug\]: semantics: it gives power, .* 'counter'"):
        replay.create(entry("replay", file=str(file), semantics="counter"), "lab")
    with pytest.raises(SourceError, match=r"sources\[plug\]: after_end: "):
        replay.create(entry("replay", file=str(file), after_end="stop"), "lab")
    with pytest.raises(SourceError, match=r"sources\[plug\]: file: Field required"):
        replay.create(entry("replay"), "lab")
    with pytest.raises(SourceError, match=r"sources\[plug\]: file: .*nothing\.csv: cannot be read"):
        replay.create(entry("replay", file="nothing.csv"), "lab")
    file.write_text(ENERGY)
    with pytest.raises(SourceError, match=r"semantics: it gives energy \(counter\), .* 'mean'"):
        replay.create(entry("replay", file=str(file), semantics="mean"), "lab")
    with pytest.raises(SourceError, match="after_end: a counter that is held would mean 0 W"):
        replay.create(entry("replay", file=str(file), after_end="hold"), "lab")
