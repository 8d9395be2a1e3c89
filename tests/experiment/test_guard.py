import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from terrawatt.experiment.guard import Guard

RUNNER = """
import subprocess, sys, time
from pathlib import Path
from terrawatt.experiment.guard import Guard
guard = Guard(Path(sys.argv[1])).__enter__()
command = ("sh", "-c", "sleep 600 & echo $! $$; wait")
workload = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
guard.watch(workload.pid)
print(workload.stdout.readline(), end="", flush=True)
time.sleep(600)
"""


def test_a_killed_runner_leaves_no_workload_and_no_scratch(
    tmp_path: Path, eventually: Callable[..., None], is_running: Callable[[int], bool]
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (scratch / "file").write_text("")
    with subprocess.Popen((sys.executable, "-c", RUNNER, str(scratch)), stdout=subprocess.PIPE, text=True) as runner:
        assert runner.stdout is not None
        pids = [int(pid) for pid in runner.stdout.readline().split()]
        runner.kill()
    assert len(pids) == 2
    eventually(lambda: not any(map(is_running, pids)), "the end of the workload")
    eventually(lambda: not scratch.exists(), "the end of the scratch folder")


def test_a_runner_that_ends_in_order_ends_its_guard(tmp_path: Path) -> None:
    with Guard(tmp_path / "scratch") as guard:
        guard.watch(0)
        process = guard._process
    assert process.returncode == 0


def test_a_guard_that_died_is_no_error(tmp_path: Path) -> None:
    with Guard(tmp_path / "scratch") as guard:
        guard._process.kill()
        guard._process.wait()
        guard.watch(1)
