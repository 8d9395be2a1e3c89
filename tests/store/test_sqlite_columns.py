"""Large stores are read through Arrow: the same arrays as row by row, and nothing else changes."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.errors import StoreError
from terrawatt.records import Sample, Series, SeriesKey
from terrawatt.store import sqlite_columns
from terrawatt.store.sqlite import SqliteStore

POWER = SeriesKey.of("power", "power_w", host="lab", source='the "plug", é')
CPU = SeriesKey.of("cpu", "usage_user", host="lab", cpu="cpu-total")
times = st.integers(-(2**63), 2**63 - 1)


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any store counts as a large one, and batches are so small that there are several."""
    monkeypatch.setattr(sqlite_columns, "LARGE_BYTES", 0)
    monkeypatch.setattr(sqlite_columns, "_BATCH_ROWS", "2")


@pytest.fixture
def rows_read(monkeypatch: pytest.MonkeyPatch) -> list[sqlite_columns.Wanted]:
    """What was read row by row."""
    found: list[sqlite_columns.Wanted] = []

    def by_row(connection: object, wanted: sqlite_columns.Wanted) -> sqlite_columns.Columns:
        found.append(wanted)
        return sqlite_columns.by_row(connection, wanted)  # type: ignore[arg-type]

    monkeypatch.setattr("terrawatt.store.sqlite.by_row", by_row)
    return found


def stored(folder: Path, rows: dict[int, float]) -> Path:
    path = folder / "telemetry.sqlite"
    with SqliteStore(path) as store:
        store.write([Sample(POWER, t_ns, value) for t_ns, value in rows.items()])
        store.write([Sample(CPU, 5, 50.0)])
    return path


def read(path: Path, *bounds: int | None) -> Series:
    with SqliteStore(path, read_only=True) as store:
        return store.read(POWER, *bounds)


def same(one: Series, other: Series) -> bool:
    assert one.t_ns.dtype == np.int64
    assert one.value.dtype == np.float64
    return one.t_ns.tolist() == other.t_ns.tolist() and one.value.tobytes() == other.value.tobytes()


@given(
    rows=st.dictionaries(times, st.floats() | st.integers(-3, 3).map(float), max_size=12),
    start_ns=st.none() | times,
    end_ns=st.none() | times,
)
@pytest.mark.usefixtures("large")
def test_it_reads_what_is_read_row_by_row(
    tmp_path_factory: pytest.TempPathFactory,
    rows: dict[int, float],
    start_ns: int | None,
    end_ns: int | None,
) -> None:
    path = stored(tmp_path_factory.mktemp("store"), rows)
    through_arrow = read(path, start_ns, end_ns)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite_columns, "LARGE_BYTES", 2**40)
        assert same(read(path, start_ns, end_ns), through_arrow)


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize(
    "values", [[math.nan] * 5 + [1.5], [1.0, 2.0, 3.0], [math.nan] * 4, [1.5, math.nan, 2.0, math.inf, 0.1]]
)
def test_failed_readings_and_whole_numbers_in_the_first_batch(
    tmp_path: Path, rows_read: list[sqlite_columns.Wanted], values: Sequence[float]
) -> None:
    series = read(stored(tmp_path, dict(enumerate(values))))
    expected = [value if math.isfinite(value) else math.nan for value in values]
    np.testing.assert_array_equal(series.value, expected)
    assert not rows_read


def test_a_small_store_is_read_row_by_row(tmp_path: Path, rows_read: list[sqlite_columns.Wanted]) -> None:
    assert len(read(stored(tmp_path, {1: 1.0}))) == 1
    assert len(rows_read) == 1


@pytest.mark.usefixtures("large")
def test_a_store_that_is_written_is_read_row_by_row(tmp_path: Path, rows_read: list[sqlite_columns.Wanted]) -> None:
    path = stored(tmp_path, {1: 1.0})
    with SqliteStore(path) as writer:
        writer.write([Sample(POWER, 2, 2.0)])
        assert read(path).value.tolist() == [1.0, 2.0]
    assert len(rows_read) == 1


@pytest.mark.usefixtures("large")
def test_a_damaged_store_has_the_error_of_the_other_way(tmp_path: Path) -> None:
    path = stored(tmp_path, dict.fromkeys(range(2000), 1.0))
    content = bytearray(path.read_bytes())
    content[3 * 4096 :] = b"\xff" * (len(content) - 3 * 4096)
    path.write_bytes(content)
    with pytest.raises(StoreError, match="damaged"):
        read(path)
