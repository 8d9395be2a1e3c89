from pathlib import Path

import pytest

from terrawatt.experiment.record import Recorder
from terrawatt.records import Phase, PhaseName, Window
from terrawatt.runs.layout import prepare_run
from terrawatt.runs.phases import append_phase, append_phases, read_phases
from terrawatt.runs.status import RepetitionStatus, State, read_status
from terrawatt.runs.times import read_times


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    (folder,) = prepare_run(tmp_path / "run_1")
    return Recorder(folder, repetitions=2)


def test_the_status_is_there_from_the_beginning(recorder: Recorder) -> None:
    assert read_status(recorder.folder.status).state is State.PENDING


def test_phases_and_times_agree_after_every_phase(recorder: Recorder) -> None:
    recorder.add(Phase(PhaseName.COLD, Window(1, 2)))
    assert read_times(recorder.folder.times) == [1, 2]
    inner = Phase(PhaseName.TRAIN, Window(3, 4), 1, epoch=1)
    recorder.add(Phase(PhaseName.REPETITION, Window(3, 5), 1), [inner])
    assert read_times(recorder.folder.times) == [1, 2, 3, 5]
    assert [phase.name for phase in read_phases(recorder.folder.phases)] == ["cold", "repetition", "train"]


def test_a_repetition_under_way_is_interrupted_when_the_run_ends(recorder: Recorder) -> None:
    recorder.set_repetition(RepetitionStatus(1, State.DONE))
    recorder.set_repetition(RepetitionStatus(2, State.RUNNING))
    recorder.close(State.FAILED, "the disk is full")
    status = read_status(recorder.folder.status)
    assert (status.state, status.reason) == (State.FAILED, "the disk is full")
    assert [entry.state for entry in status.repetitions] == [State.DONE, State.INTERRUPTED]


def test_reported_phases_get_their_repetition(recorder: Recorder, tmp_path: Path) -> None:
    append_phase(tmp_path / "reported", Phase("train", Window(10, 20), epoch=1))
    assert recorder.reported(tmp_path / "reported", 2, Window(10, 20)) == [Phase("train", Window(10, 20), 2, epoch=1)]


def test_a_workload_that_reports_nothing(recorder: Recorder, tmp_path: Path) -> None:
    assert recorder.reported(tmp_path / "reported", 1, Window(1, 2)) == []
    assert not recorder.folder.log.exists()


def test_what_cannot_be_true_is_left_out_and_logged(recorder: Recorder, tmp_path: Path) -> None:
    good = Phase("own", Window(11, 19), 1)
    false = [
        Phase("early", Window(9, 12)),
        Phase("late", Window(12, 21)),
        Phase("cold", Window(12, 13)),
        Phase("other", Window(12, 13), repetition=7),
    ]
    append_phases(tmp_path / "reported", [good, *false])
    assert recorder.reported(tmp_path / "reported", 1, Window(10, 20)) == [good]
    assert "4 phases that the workload reported are left out" in recorder.folder.log.read_text()


def test_rubbish_is_left_out_and_logged(recorder: Recorder, tmp_path: Path) -> None:
    (tmp_path / "reported").write_bytes(b"\xff\n")
    assert recorder.reported(tmp_path / "reported", 1, Window(10, 20)) == []
    assert "are left out" in recorder.folder.log.read_text()
