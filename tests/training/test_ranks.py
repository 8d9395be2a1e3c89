"""Processes started, awaited and ended as one; small scripts stand for the ranks."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from terrawatt.errors import TrainingError, UsageError
from terrawatt.training.ranks import Failure, run_ranks

WAITS = "import os, signal; os.write(1, b'waits\\n'); signal.pause()"  # in one piece: two of them share the pipe
TIMEOUT_S = 60


def rank(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def fails_by(error: str, folder: Path, number: int) -> tuple[str, ...]:
    return rank(
        "from pathlib import Path\n"
        "from terrawatt.errors import *\n"
        "from terrawatt.training.ranks import Failure\n"
        f"failure = Failure.of({error})\n"
        f"failure.write(Path({str(folder)!r}), {number})\n"
        "raise SystemExit(failure.exit_code)"
    )


def test_all_that_end_well_are_awaited(tmp_path):
    run_ranks([rank(f"open({str(tmp_path / name)!r}, 'w')") for name in "ab"], tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_a_rank_that_fails_is_named_and_ends_the_others(tmp_path):
    with pytest.raises(TrainingError, match=r"^rank 1 of 3: exit code 3$"):
        run_ranks([rank(WAITS), rank("raise SystemExit(3)"), rank(WAITS)], tmp_path)


def test_a_rank_that_was_killed_is_named_with_its_signal(tmp_path):
    dies = rank("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(TrainingError, match=r"^rank 0 of 2: killed by SIGKILL; probably out of memory"):
        run_ranks([dies, rank(WAITS)], tmp_path)


def test_a_kill_counts_before_what_the_others_say_of_their_lost_connections(tmp_path):
    Failure.of(RuntimeError("connection closed by peer")).write(tmp_path, 0)
    connection = tmp_path / "connection"
    os.mkfifo(connection)
    loses = rank(f"open({str(connection)!r}).read(); raise SystemExit(1)")
    dies = rank(f"import os, signal; kept = open({str(connection)!r}, 'w'); os.kill(os.getpid(), signal.SIGSEGV)")
    with pytest.raises(TrainingError, match=r"^rank 1 of 2: killed by SIGSEGV$"):
        run_ranks([loses, dies], tmp_path)


def test_what_a_rank_wrote_of_its_error_is_told_with_its_exit_code(tmp_path):
    with pytest.raises(UsageError, match=r"^rank 1 of 2: no such thing$"):
        run_ranks([rank(WAITS), fails_by("UsageError('no such\\n thing')", tmp_path, 1)], tmp_path)


def test_the_first_failure_is_the_cause_and_keeps_its_traceback(tmp_path):
    Failure(1, 1, "ValueError: a shape", "Traceback …").write(tmp_path, 1)
    Failure(2, 1, "RuntimeError: connection closed by peer", "Traceback of another").write(tmp_path, 0)
    with pytest.raises(TrainingError, match=r"^rank 1 of 2: ValueError: a shape$") as caught:
        run_ranks([rank("raise SystemExit(1)"), rank("raise SystemExit(1)")], tmp_path)
    assert str(caught.value.__cause__) == "Traceback …"


def test_an_error_that_was_raised_on_purpose_has_no_traceback():
    assert Failure.of(TrainingError("no\nmemory")).message == "no memory"
    assert Failure.of(TrainingError("no memory")).details == ""
    try:
        int("a shape")
    except ValueError as error:
        unexpected = Failure.of(error)
    assert unexpected.message.startswith("ValueError: invalid literal")
    assert 'int("a shape")' in unexpected.details


LAUNCHER = f"""
import os, sys
from pathlib import Path
from terrawatt.training.ranks import die_with, run_ranks
waits = "from terrawatt.training.ranks import die_with; die_with(%d); " % os.getpid() + {WAITS!r}
run_ranks([(sys.executable, "-c", waits)] * 2, Path(sys.argv[1]))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
def test_however_it_is_ended_no_rank_is_left(number, tmp_path):
    launcher = subprocess.Popen(
        (sys.executable, "-c", LAUNCHER, str(tmp_path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert launcher.stdout is not None
    assert [launcher.stdout.readline() for _ in range(2)] == ["waits\n"] * 2
    if number == signal.SIGINT:
        os.killpg(launcher.pid, number)  # as Ctrl-C does
    else:
        launcher.send_signal(number)
    _, errors = launcher.communicate(timeout=TIMEOUT_S)  # ends when the ranks have closed their stdout, too
    assert launcher.returncode == -number
    assert errors.count("Traceback") == (number == signal.SIGINT)  # the launcher's own; none of the ranks
