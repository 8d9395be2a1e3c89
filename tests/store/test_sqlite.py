"""The embedded store: what goes in comes out, whatever happens in between."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrawatt.errors import StoreError
from terrawatt.records import Sample, SeriesKey
from terrawatt.store.interface import Store
from terrawatt.store.sqlite import FORMAT_VERSION, SqliteStore

POWER = SeriesKey.of("power", "power_w", host="lab", source="plug")
CPU = SeriesKey.of("cpu", "usage_user", host="lab", cpu="cpu-total")

times = st.integers(-(2**63), 2**63 - 1)
values = st.floats()
readings = st.dictionaries(times, values, max_size=40)


def samples_of(key: SeriesKey, rows: dict[int, float]) -> list[Sample]:
    return [Sample(key, t_ns, value) for t_ns, value in rows.items()]


@contextmanager
def without_privileges() -> Iterator[None]:
    """Root may write anywhere: for a moment the process is somebody else."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def readable_folder() -> Iterator[Path]:
    """A folder that everybody may read (pytest's own are private) and, once `chmod 555`, nobody write."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@settings(max_examples=60, deadline=None)
@given(rows=readings)
def test_what_is_written_is_read_exactly_and_in_order(tmp_path_factory: pytest.TempPathFactory, rows: dict) -> None:
    path = tmp_path_factory.mktemp("store") / "telemetry.sqlite"
    with SqliteStore(path) as store:
        assert store.write(samples_of(POWER, rows)) == len(rows)
    with SqliteStore(path, read_only=True) as store:
        series = store.read(POWER)
    expected = sorted(rows)
    assert series.key == POWER
    assert series.t_ns.dtype == np.int64
    assert series.t_ns.tolist() == expected
    finite = [rows[t_ns] if np.isfinite(rows[t_ns]) else np.nan for t_ns in expected]
    np.testing.assert_array_equal(series.value, np.array(finite, dtype=np.float64))


@settings(max_examples=60, deadline=None)
@given(rows=readings, start_ns=st.none() | times, end_ns=st.none() | times)
def test_bounds_are_included(
    tmp_path_factory: pytest.TempPathFactory, rows: dict, start_ns: int | None, end_ns: int | None
) -> None:
    with SqliteStore(tmp_path_factory.mktemp("store") / "telemetry.sqlite") as store:
        store.write(samples_of(POWER, rows))
        found = store.read(POWER, start_ns, end_ns).t_ns.tolist()
    assert found == [
        t_ns for t_ns in sorted(rows) if (start_ns is None or t_ns >= start_ns) and (end_ns is None or t_ns <= end_ns)
    ]


@settings(max_examples=40, deadline=None)
@given(first=readings, second=readings)
def test_writing_again_replaces(tmp_path_factory: pytest.TempPathFactory, first: dict, second: dict) -> None:
    with SqliteStore(tmp_path_factory.mktemp("store") / "telemetry.sqlite") as store:
        for rows in (first, second, second):
            store.write(samples_of(POWER, rows))
        series = store.read(POWER)
    merged = first | second
    assert series.t_ns.tolist() == sorted(merged)
    finite = [merged[t_ns] if np.isfinite(merged[t_ns]) else np.nan for t_ns in sorted(merged)]
    np.testing.assert_array_equal(series.value, np.array(finite, dtype=np.float64))


def test_series_are_told_apart_by_their_tags(tmp_path: Path) -> None:
    other_host = SeriesKey.of("power", "power_w", host="lab2", source="plug")
    accented = SeriesKey.of("power", "power_w", host='la"b,é=1', source="plug")
    with SqliteStore(tmp_path / "telemetry.sqlite") as store:
        store.write([Sample(key, 1, value) for key, value in ((POWER, 1.0), (other_host, 2.0), (accented, 3.0))])
        assert store.read(other_host).value.tolist() == [2.0]
        assert store.read(accented).value.tolist() == [3.0]
        assert set(store.keys()) == {POWER, other_host, accented}
        assert len(store.read(CPU)) == 0


def test_it_is_a_store(tmp_path: Path) -> None:
    store: Store = SqliteStore(tmp_path / "telemetry.sqlite")
    with closing(store):
        assert store.keys() == []


def test_a_reader_sees_each_commit_while_the_writer_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.sqlite"
    with SqliteStore(path) as writer, SqliteStore(path, read_only=True) as reader:
        for t_ns in range(1, 6):
            writer.write([Sample(POWER, t_ns, float(t_ns))])
            assert len(reader.read(POWER)) == t_ns


def test_a_closed_store_is_one_complete_file(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.sqlite"
    with SqliteStore(path) as store:
        store.write([Sample(POWER, t_ns, 1.0) for t_ns in range(1000)])
    assert [file.name for file in tmp_path.iterdir()] == ["telemetry.sqlite"]
    copy = tmp_path / "copy.sqlite"
    shutil.copyfile(path, copy)
    with SqliteStore(copy, read_only=True) as store:
        assert len(store.read(POWER)) == 1000
    assert {file.name for file in tmp_path.iterdir()} == {"telemetry.sqlite", "copy.sqlite"}


def test_a_store_closed_under_a_reader_is_complete_too(tmp_path: Path) -> None:
    path, copy = tmp_path / "telemetry.sqlite", tmp_path / "copy.sqlite"
    with SqliteStore(path) as writer:
        writer.write([Sample(POWER, 1, 1.0)])
        with SqliteStore(path, read_only=True) as reader:
            reader.keys()
            writer.write([Sample(POWER, 2, 1.0)])
            writer.close()
            shutil.copyfile(path, copy)
            assert len(reader.read(POWER)) == 2
    with SqliteStore(copy, read_only=True) as store:
        assert len(store.read(POWER)) == 2


def test_closing_twice_is_harmless(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "telemetry.sqlite")
    store.close()
    store.close()


def test_series_go_on_in_a_store_that_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.sqlite"
    for t_ns in (1, 2):
        with SqliteStore(path) as store:
            store.write([Sample(POWER, t_ns, float(t_ns))])
    with SqliteStore(path) as store:
        assert store.read(POWER).value.tolist() == [1.0, 2.0]


def test_a_full_disk_is_one_clear_line_and_loses_nothing_that_was_committed(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.sqlite"
    with SqliteStore(path) as store:
        store.write([Sample(POWER, 1, 1.0)])
        pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
        store._connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreError, match=r"telemetry\.sqlite: the disk is full; free some space") as caught:
            store.write([Sample(CPU, t_ns, 1.0) for t_ns in range(10_000)])
        assert "\n" not in str(caught.value)
        assert store.keys() == [POWER]
        store._connection.execute("PRAGMA max_page_count = 1000000")
        store.write([Sample(CPU, 2, 2.0)])
    with SqliteStore(path, read_only=True) as store:
        assert store.read(POWER).t_ns.tolist() == [1]
        assert store.read(CPU).value.tolist() == [2.0]


_WRITER = """
import sys
from pathlib import Path
from terrawatt.records import Sample, SeriesKey
from terrawatt.store.sqlite import SqliteStore
key = SeriesKey.of("power", "power_w", host="lab", source="plug")
store = SqliteStore(Path(sys.argv[1]))
t_ns = 0
while True:
    store.write([Sample(key, t_ns + i, 1.0) for i in range(100)])
    t_ns += 100
    print(t_ns, flush=True)
"""


@pytest.mark.parametrize("commits", [1, 7, 40])
def test_a_kill_loses_nothing_that_was_committed(tmp_path: Path, commits: int) -> None:
    path = tmp_path / "telemetry.sqlite"
    with subprocess.Popen([sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        for _ in range(commits):
            writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        said = writer.stdout.read().split()
    committed = int(said[-1]) if said else commits * 100
    with SqliteStore(path, read_only=True) as store:
        kept = len(store.read(POWER))
    assert kept >= committed
    assert kept % 100 == 0
    with SqliteStore(path) as store:
        store.write([Sample(POWER, -1, 1.0)])
        assert len(store.read(POWER)) == kept + 1
    assert [file.name for file in tmp_path.iterdir()] == ["telemetry.sqlite"]


def test_a_closed_store_can_be_read_where_nothing_may_be_written(readable_folder: Path) -> None:
    path = readable_folder / "telemetry.sqlite"
    with SqliteStore(path) as store:
        store.write([Sample(POWER, 1, 1.0)])
    readable_folder.chmod(0o555)
    with without_privileges(), SqliteStore(path, read_only=True) as store:
        assert store.read(POWER).value.tolist() == [1.0]


def test_a_store_left_in_wal_mode_can_be_read_where_nothing_may_be_written(readable_folder: Path) -> None:
    path = readable_folder / "telemetry.sqlite"
    with SqliteStore(path) as store:
        store.write([Sample(POWER, 1, 1.0)])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    readable_folder.chmod(0o555)
    with without_privileges(), SqliteStore(path, read_only=True) as store:
        assert store.read(POWER).value.tolist() == [1.0]


def test_committed_rows_in_a_log_that_cannot_be_read_are_never_passed_over(readable_folder: Path) -> None:
    path = readable_folder / "telemetry.sqlite"
    with SqliteStore(path) as store:
        store.write([Sample(POWER, 1, 1.0)])
        copy = readable_folder / "copy.sqlite"
        for suffix in ("", "-wal"):  # as a kill leaves it, without the index that SQLite would have to make
            shutil.copyfile(f"{path}{suffix}", f"{copy}{suffix}")
    readable_folder.chmod(0o555)
    with without_privileges(), pytest.raises(StoreError, match=r"copy\.sqlite: cannot be opened; check the perm"):
        SqliteStore(copy, read_only=True)


def test_a_store_opened_to_read_refuses_writing(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.sqlite"
    SqliteStore(path).close()
    with SqliteStore(path, read_only=True) as store, pytest.raises(StoreError, match="cannot be written"):
        store.write([Sample(POWER, 1, 1.0)])


def test_a_missing_store_is_not_made_by_reading(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"nothing\.sqlite: no such store"):
        SqliteStore(tmp_path / "nothing.sqlite", read_only=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("read_only", [True, False])
def test_what_is_no_store_is_refused_and_left_alone(tmp_path: Path, read_only: bool) -> None:
    text, foreign = tmp_path / "notes.txt", tmp_path / "foreign.sqlite"
    text.write_text("not a database, but long enough to be looked at\n" * 50)
    with closing(sqlite3.connect(foreign)) as connection:
        connection.execute("CREATE TABLE reading (x)")
    before = {path: path.read_bytes() for path in (text, foreign)}
    with pytest.raises(StoreError, match=r"notes\.txt: not a SQLite file"):
        SqliteStore(text, read_only=read_only)
    with pytest.raises(StoreError, match=r"foreign\.sqlite: not a store of terrawatt"):
        SqliteStore(foreign, read_only=read_only)
    with pytest.raises(StoreError, match="a folder, not a store"):
        SqliteStore(tmp_path, read_only=read_only)
    with pytest.raises(StoreError, match=r"x\.sqlite: no such store"):
        SqliteStore(tmp_path / "nowhere" / "x.sqlite", read_only=read_only)
    assert {path: path.read_bytes() for path in (text, foreign)} == before


def test_an_empty_file_becomes_a_store_but_holds_none(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.sqlite"
    path.touch()
    with pytest.raises(StoreError, match=r"telemetry\.sqlite: an empty file"):
        SqliteStore(path, read_only=True)
    with SqliteStore(path) as store:
        store.write([Sample(POWER, 1, 1.0)])
        assert store.keys() == [POWER]


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.sqlite"
    SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {FORMAT_VERSION + 1}")
    for read_only in (True, False):
        with pytest.raises(StoreError, match=rf"format {FORMAT_VERSION + 1}, but .* update terrawatt"):
            SqliteStore(path, read_only=read_only)


def test_a_damaged_store_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.sqlite"
    with SqliteStore(path) as store:
        store.write([Sample(POWER, t_ns, 1.0) for t_ns in range(5000)])
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(StoreError, match="damaged"), SqliteStore(path, read_only=True) as store:
        store.read(POWER)
