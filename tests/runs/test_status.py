from pathlib import Path

import pytest

from terrawatt.errors import RunFolderError
from terrawatt.records import ExecutionResult
from terrawatt.runs.status import RepetitionStatus, RunStatus, State, read_status, write_status


def test_a_run_begins_with_every_repetition_pending() -> None:
    status = RunStatus.pending(3)
    assert [entry.repetition for entry in status.repetitions] == [1, 2, 3]
    assert {entry.state for entry in status.repetitions} == {State.PENDING}


def test_one_repetition_changes_alone() -> None:
    failed = RepetitionStatus(2, State.FAILED, ExecutionResult(1, reason="exit code 1"))
    status = RunStatus.pending(3).with_repetition(failed)
    assert status.of(2) == failed
    assert [status.of(number).state for number in (1, 3)] == [State.PENDING, State.PENDING]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    status = RunStatus.pending(2).with_repetition(
        RepetitionStatus(1, State.FAILED, ExecutionResult(None, signal=9, reason="killed", peak_memory_bytes=7))
    )
    status = status.with_state(State.INTERRUPTED, "ended by SIGINT")
    write_status(tmp_path / "status.json", status)
    assert read_status(tmp_path / "status.json") == status


@pytest.mark.parametrize("content", ["", "{}", "rubbish", '{"state": "asleep", "repetitions": []}'])
def test_what_is_no_status_is_an_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "status.json").write_text(content)
    with pytest.raises(RunFolderError, match="not a status file"):
        read_status(tmp_path / "status.json")


def test_no_status_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="no run of terrawatt"):
        read_status(tmp_path / "status.json")
