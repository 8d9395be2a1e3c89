"""Where the CPUs' time went."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.power.cputimes import CpuTimes, PsutilCpuTimes, open_cpu_times, parse_stat

STAT = b"cpu  16415 20 4390 131233 1222 3 223 206 15 5\ncpu0 3330 0 1272 71682 368 0 117 99 0 0\nintr 1 2 3\n"

ticks = st.integers(0, 2**40).map(float)
all_times = st.builds(CpuTimes, *[ticks] * 10)


def test_the_first_line_of_proc_stat() -> None:
    times = parse_stat(STAT)
    assert times == CpuTimes(
        user=16400,
        nice=15,
        system=4390,
        idle=131233,
        iowait=1222,
        irq=3,
        softirq=223,
        steal=206,
        guest=15,
        guest_nice=5,
    )


def test_an_older_kernel_has_fewer_fields() -> None:
    assert parse_stat(b"cpu 1 2 3 4\n") == CpuTimes(1, 2, 3, 4, 0, 0, 0, 0, 0, 0)


@pytest.mark.parametrize("content", [b"", b"\n", b"cpu0 1 2 3 4\n", b"cpu 1 2 3\n", b"intr 5"])
def test_anything_else_is_an_error_of_reading(content: bytes) -> None:
    with pytest.raises(OSError, match="not with the times of all CPUs"):
        parse_stat(content)


def test_shares_are_telegrafs() -> None:
    before = parse_stat(b"cpu 100 0 50 800 50 0 0 0 40 0\n")
    now = parse_stat(b"cpu 160 0 60 820 60 0 0 0 60 0\n")
    shares = now.shares_since(before)
    assert shares is not None
    assert shares.user == pytest.approx(0.4)  # 60 ticks of 100, of which 20 are guest
    assert shares.guest == pytest.approx(0.2)
    assert shares.system == pytest.approx(0.1)
    assert shares.idle == pytest.approx(0.2)
    assert shares.iowait == pytest.approx(0.1)
    assert shares.load == pytest.approx(0.7)


@given(before=all_times, now=all_times)
def test_shares_add_up_and_load_is_a_share(before: CpuTimes, now: CpuTimes) -> None:
    shares = now.shares_since(before)
    if shares is None:
        assert all(new <= old for new, old in zip(now, before, strict=True))
        return
    assert math.isclose(sum(shares), 1.0)
    assert all(share >= 0 for share in shares)
    assert -1e-9 <= shares.load <= 1 + 1e-9


@given(times=all_times)
def test_without_time_there_is_no_share(times: CpuTimes) -> None:
    assert times.shares_since(times) is None


def test_an_iowait_that_goes_back_is_no_negative_share() -> None:
    before, now = parse_stat(b"cpu 0 0 0 0 10\n"), parse_stat(b"cpu 5 0 0 5 8\n")
    shares = now.shares_since(before)
    assert shares is not None
    assert (shares.user, shares.idle, shares.iowait) == (0.5, 0.5, 0.0)


def test_the_file_is_read_anew_each_time(tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    stat.write_bytes(b"cpu 1 2 3 4\n")
    reader = open_cpu_times(tmp_path)
    assert reader.read().user == 1
    with stat.open("r+b") as file:
        file.write(b"cpu 9")
    assert reader.read().user == 9
    reader.close()


def test_psutil_answers_where_there_is_no_proc(tmp_path: Path) -> None:
    reader = open_cpu_times(tmp_path)
    assert isinstance(reader, PsutilCpuTimes)
    assert reader.read().idle > 0
    reader.close()
