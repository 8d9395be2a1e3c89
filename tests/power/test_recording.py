"""Recorded files."""

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrawatt.errors import SourceError
from terrawatt.power.recording import read_recording


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "plug.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_seconds_and_power(tmp_path: Path) -> None:
    recording = read_recording(write(tmp_path, "t_s,power_w\n10,5\n11.5,\n12,7.25\n"))
    assert recording.t_ns.tolist() == [0, 1_500_000_000, 2_000_000_000]
    assert recording.t_ns.dtype == np.int64
    np.testing.assert_array_equal(recording.value, [5.0, math.nan, 7.25])
    assert not recording.is_energy


def test_nanoseconds_are_exact_and_other_columns_ignored(tmp_path: Path) -> None:
    text = "\ufeffnote, energy_j, t_ns\nfirst, 1e3, 1700000000000000001\n\nsecond, 1001, 1700000000000000008\n"
    recording = read_recording(write(tmp_path, text))
    assert recording.t_ns.tolist() == [0, 7]
    assert recording.value.tolist() == [1000.0, 1001.0]
    assert recording.is_energy


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"plug\.csv: the header needs one column 't_s' or 't_ns'; it has nothing"),
        ("time,power_w\n0,1\n", r"the header needs one column 't_s' or 't_ns'; it has time, power_w"),
        ("t_s,t_ns,power_w\n0,0,1\n", "needs one column 't_s' or 't_ns'"),
        ("t_s,power_w,energy_j\n0,1,1\n", "needs one column 'power_w' or 'energy_j'"),
        ("t_s,power_w\n", r"plug\.csv: no reading in it"),
        ("t_s,power_w\n0,1\n1\n", r"plug\.csv: line 3: 1 cells, but the header has 2"),
        ("t_s,power_w\n0,1\n\n1,x\n", r"line 4: 'x' is neither a number nor empty"),
        ("t_s,power_w\n0,inf\n", "line 2: 'inf' is neither"),
        ("t_s,power_w\nsoon,1\n", "line 2: 'soon' is not a time in s"),
        ("t_s,power_w\n,1\n", "line 2: '' is not a time in s"),
        ("t_s,power_w\nnan,1\n", "line 2: 'nan' is not a time in s"),
        ("t_s,power_w\n1e300,1\n", "line 2: '1e300' is not a time in s"),
        ("t_ns,power_w\n1.5,1\n", "line 2: '1.5' is not a time in ns"),
        ("t_ns,power_w\n99999999999999999999,1\n", "line 2: .* is not a time in ns"),
        ("t_s,power_w\n1,1\n1,2\n", "line 3: its time is not after that of the row before"),
        ("t_s,power_w\n2,1\n1,2\n", "line 3: its time is not after"),
    ],
)
def test_a_malformed_file_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        read_recording(write(tmp_path, text))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nothing\.csv: cannot be read \(No such file"):
        read_recording(tmp_path / "nothing.csv")
    with pytest.raises(SourceError, match=r"nothing\.parquet: cannot be read"):
        read_recording(tmp_path / "nothing.parquet")
    latin = tmp_path / "latin.csv"
    latin.write_bytes(b"t_s,power_w,note\n0,1,\xe9t\xe9\n")
    with pytest.raises(SourceError, match=r"latin\.csv: .*utf-8"):
        read_recording(latin)
    text = tmp_path / "text.parquet"
    text.write_text("t_s,power_w\n0,1\n")
    with pytest.raises(SourceError, match=r"text\.parquet: "):
        read_recording(text)


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "plug.parquet"
    columns = {"t_ns": [1700000000000000001, 1700000000000000005], "power_w": [1.5, None], "note": ["a", "b"]}
    pq.write_table(pa.table(columns), path)
    recording = read_recording(path)
    assert recording.t_ns.tolist() == [0, 4]
    np.testing.assert_array_equal(recording.value, [1.5, math.nan])
    pq.write_table(pa.table({"t_s": [0.0, None], "power_w": [1.0, 2.0]}), path)
    with pytest.raises(SourceError, match=r"plug\.parquet: row 2: None is not a time in s"):
        read_recording(path)


@settings(max_examples=50, deadline=None)
@given(
    times=st.sets(st.integers(-(2**60), 2**60), min_size=1, max_size=20),
    data=st.data(),
)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, times: set[int], data: st.DataObject
) -> None:
    powers = data.draw(st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False), min_size=20, max_size=20))
    rows = list(zip(sorted(times), powers, strict=False))
    path = tmp_path_factory.mktemp("recording") / "plug.csv"
    path.write_text("t_ns,power_w\n" + "".join(f"{t},{'' if p is None else repr(p)}\n" for t, p in rows))
    recording = read_recording(path)
    assert (recording.t_ns + min(times)).tolist() == sorted(times)
    expected = [math.nan if power is None else power for _, power in rows]
    np.testing.assert_array_equal(recording.value, expected)
