"""Older files of the embedded store: read as they are, brought to the newest format when they are written."""

import math
import sqlite3
from contextlib import closing
from pathlib import Path

from terrawatt.records import Sample, SeriesKey
from terrawatt.store.sqlite import FORMAT_VERSION, SqliteStore

POWER = SeriesKey.of("power", "power_w", host="lab", source="plug")
CPU = SeriesKey.of("cpu", "usage_user", host="lab")


def positions(store: SqliteStore, position: int = 0, limit: int = 100) -> list[tuple[int, str, int]]:
    return [(place, sample.key.measurement, sample.t_ns) for place, sample in store.after(position, limit)]


def test_a_file_of_the_first_format_is_read_and_left_as_it_is(version_1: Path) -> None:
    before = version_1.read_bytes()
    with SqliteStore(version_1, read_only=True) as store:
        assert store.keys() == [CPU, POWER]
        series = store.read(POWER)
        assert series.t_ns.tolist() == [1, 2, 3]
        assert math.isnan(series.value[1])
        assert store.last_position() == 6
        assert store.count_after(2) == 4
        assert store.count_after(9) == 0
        everything = positions(store)
        assert [place for place, _, _ in everything] == [1, 2, 3, 4, 5, 6]
        assert positions(store, 2, 2) == everything[2:4]
    assert version_1.read_bytes() == before


def test_writing_brings_it_to_the_newest_format_with_the_same_positions(version_1: Path) -> None:
    with SqliteStore(version_1, read_only=True) as store:
        before = positions(store)
        power = store.read(POWER)
    with SqliteStore(version_1) as store:
        assert positions(store) == before
        store.write([Sample(CPU, 9, 1.0), Sample(POWER, 2, 5.0)])
        assert positions(store, 6) == [(7, "cpu", 9), (8, "power", 2)]
        assert store.read(POWER).value.tolist() == [power.value[0], 5.0, power.value[2]]
    with closing(sqlite3.connect(version_1)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (FORMAT_VERSION,)


def test_a_reader_of_the_old_file_goes_on_while_it_is_brought_to_the_newest(version_1: Path) -> None:
    with SqliteStore(version_1, read_only=True) as reader:
        before = positions(reader)
        with SqliteStore(version_1) as store:
            assert positions(reader) == before
            store.write([Sample(CPU, 9, 1.0)])
            assert len(reader.read(CPU)) == 4


def test_positions_follow_the_commits_and_not_the_times(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "telemetry.sqlite") as store:
        assert store.last_position() == 0
        store.write([Sample(POWER, 100, 1.0), Sample(POWER, 50, math.nan)])
        store.write([Sample(POWER, 10, 1.0)])  # late
        assert positions(store) == [(1, "power", 100), (2, "power", 50), (3, "power", 10)]
        store.write([Sample(POWER, 10, 2.0)])  # in its place, though it was the last
        assert positions(store, 3) == [(4, "power", 10)]
        assert store.count_after(0) == 3
    with SqliteStore(tmp_path / "telemetry.sqlite") as store:
        store.write([Sample(CPU, 1, 1.0)])
        assert positions(store, 4) == [(5, "cpu", 1)]
