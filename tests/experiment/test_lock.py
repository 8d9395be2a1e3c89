import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from terrawatt.errors import ProtocolError
from terrawatt.experiment.lock import Holder, MachineLock

HOLDER = """
import sys, time
from pathlib import Path
from terrawatt.experiment.lock import MachineLock
lock = MachineLock(Path(sys.argv[1]))
lock.acquire()
lock.note(Path("/results/run_3"))
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lock"


def test_a_second_run_is_told_who_holds_the_machine(path: Path) -> None:
    with MachineLock(path) as first, MachineLock(path) as second:
        first.acquire()
        first.note(Path("/results/run_3"))
        with pytest.raises(ProtocolError, match=rf"process {os.getpid()} \(since 20.*Z, /results/run_3\).*--wait"):
            second.acquire()


def test_the_lock_is_free_after_its_block(path: Path) -> None:
    with MachineLock(path) as first:
        first.acquire()
    with MachineLock(path) as second:
        second.acquire()
        assert second.holder() is None  # nothing noted yet


def test_waiting_in_turn(path: Path) -> None:
    holders: list[Holder | None] = []
    with MachineLock(path) as first, MachineLock(path) as second:
        first.acquire()
        first.note(Path("/results/run_3"))

        def pause(holder: Holder | None) -> None:
            holders.append(holder)
            if len(holders) == 3:
                first.release()

        second.acquire(pause)
    assert [holder.run for holder in holders if holder] == ["/results/run_3"] * 3


def test_waiting_ends_when_the_pause_raises(path: Path) -> None:
    def pause(_holder: Holder | None) -> None:
        raise KeyboardInterrupt

    with MachineLock(path) as first, MachineLock(path) as second:
        first.acquire()
        with pytest.raises(KeyboardInterrupt):
            second.acquire(pause)


def test_a_kill_releases_the_lock(path: Path) -> None:
    with subprocess.Popen((sys.executable, "-c", HOLDER, str(path)), stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with MachineLock(path) as lock:
            with pytest.raises(ProtocolError, match=f"process {holder.pid}"):
                lock.acquire()
            holder.kill()
            holder.wait()
            lock.acquire()


def test_every_user_can_take_the_lock(path: Path) -> None:
    before = os.umask(0o077)
    try:
        with MachineLock(path) as lock:
            lock.acquire()
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666


def test_rubbish_in_the_file_names_no_holder(path: Path) -> None:
    path.write_text("rubbish")
    with MachineLock(path) as first, MachineLock(path) as second:
        first.acquire()
        with pytest.raises(ProtocolError, match="another run measures"):
            second.acquire()


def test_a_link_is_not_followed(tmp_path: Path, path: Path) -> None:
    (tmp_path / "precious").write_text("data")
    path.symlink_to(tmp_path / "precious")
    with MachineLock(path) as lock, pytest.raises(ProtocolError, match=r"experiment\.lock"):
        lock.acquire()
    assert (tmp_path / "precious").read_text() == "data"


def test_a_folder_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    with MachineLock(tmp_path / "nowhere/lock") as lock, pytest.raises(ProtocolError, match="cannot be opened"):
        lock.acquire()
