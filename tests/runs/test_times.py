from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.errors import RunFolderError
from terrawatt.records import Phase, Window
from terrawatt.runs.times import format_time, parse_time, read_times, write_times


@given(st.integers(0, 4_102_444_800 * 10**9))
def test_a_time_keeps_every_nanosecond(t_ns: int) -> None:
    assert parse_time(format_time(t_ns)) == t_ns


@pytest.mark.parametrize(
    ("text", "t_ns"),
    [
        ("1970-01-01T00:00:00.000000001Z", 1),
        ("1970-01-01T00:00:01Z\n", 10**9),
        ("1970-01-01T00:00:00.5Z", 500_000_000),
        ("2026-01-31T12:00:00.123456789Z", 1_769_860_800_123_456_789),
    ],
)
def test_times_as_date_writes_them(text: str, t_ns: int) -> None:
    assert parse_time(text) == t_ns


@pytest.mark.parametrize(
    "text", ["", "now", "2026-01-31T12:00:00", "2026-01-31T12:00:00.1+01:00", "2026-02-31T12:00:00Z"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_time(text)


def test_cold_and_repetitions_are_written_in_order(tmp_path: Path) -> None:
    phases = [
        Phase("cold", Window(10, 20)),
        Phase("warmup", Window(20, 30)),
        Phase("repetition", Window(30, 40), 1),
        Phase("train", Window(31, 39), 1),
        Phase("repetition", Window(41, 50), 2),
        Phase("idle", Window(50, 60)),
    ]
    write_times(tmp_path / "times.txt", phases)
    assert read_times(tmp_path / "times.txt") == [10, 20, 30, 40, 41, 50]


def test_a_missing_last_newline_loses_nothing(tmp_path: Path) -> None:
    (tmp_path / "times.txt").write_text(f"{format_time(1)}\n\n{format_time(2)}")
    assert read_times(tmp_path / "times.txt") == [1, 2]


def test_a_wrong_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "times.txt").write_text(f"{format_time(1)}\nyesterday\n")
    with pytest.raises(RunFolderError, match=r"times\.txt, line 2: 'yesterday' is not a UTC time"):
        read_times(tmp_path / "times.txt")
