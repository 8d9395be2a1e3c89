"""Readings of the last window are awaited, and not for ever."""

from pathlib import Path

import pytest

from terrawatt.experiment.arrivals import Arrivals, arrivals
from terrawatt.records import Sample, Semantics, SeriesKey, SourceDescription
from terrawatt.runs.layout import RunFolder
from terrawatt.store.sqlite import SqliteStore
from terrawatt.telemetry.process import SamplerReport

PLUG, CPU = SeriesKey.of("power", "power_w"), SeriesKey.of("cpu", "usage_user")
END_NS = 1_000


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path)


def write(folder: RunFolder, key: SeriesKey, t_ns: int) -> None:
    with SqliteStore(folder.telemetry) as store:
        store.write([Sample(key, t_ns, 1.0)])


def report(semantics: Semantics, delay_s: float) -> SamplerReport:
    source = SourceDescription("plug", "external", semantics, (), PLUG)
    return SamplerReport((source,), "lab", {"cpu": CPU}, {}, interval_s=10.0, slowest_s=30.0, delay_s=delay_s)


def test_what_terrawatt_reads_itself_is_there_at_once(folder: RunFolder) -> None:
    assert arrivals(folder, report(Semantics.MEAN, 0.0)) is None


def test_a_source_on_change_may_have_no_reading_for_long(folder: RunFolder) -> None:
    awaited = arrivals(folder, report(Semantics.ON_CHANGE, 15.0))
    assert awaited is not None
    assert awaited.keys == (CPU,)
    regular = arrivals(folder, report(Semantics.MEAN, 15.0))
    assert regular is not None
    assert regular.keys == (PLUG, CPU)
    assert regular.patience_s == 3 * (30.0 + 15.0)


def test_waiting_ends_when_the_last_series_has_come(folder: RunFolder) -> None:
    write(folder, PLUG, END_NS + 5)
    write(folder, CPU, END_NS - 5)
    slept: list[float] = []

    def sleep(duration_s: float) -> None:
        slept.append(duration_s)
        if len(slept) == 3:
            write(folder, CPU, END_NS)

    assert Arrivals(folder, (PLUG, CPU), 15.0, 100.0).wait(END_NS, sleep) == ()
    assert len(slept) == 3


def test_waiting_ends_at_last_and_names_what_did_not_come(folder: RunFolder) -> None:
    write(folder, PLUG, END_NS + 5)
    slept: list[float] = []
    assert Arrivals(folder, (PLUG, CPU), 15.0, 20.0).wait(END_NS, slept.append) == (CPU,)
    assert sum(slept) == 20.0


def test_without_a_regular_series_the_delay_is_awaited(folder: RunFolder) -> None:
    slept: list[float] = []
    assert Arrivals(folder, (), 15.0, 45.0).wait(END_NS, slept.append) == ()
    assert slept == [15.0]
