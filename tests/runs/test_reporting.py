import time

import pytest

from terrawatt.runs.phases import PHASES_VARIABLE, read_phases
from terrawatt.runs.reporting import PhaseReporter


def test_a_phase_is_appended_when_it_ends(tmp_path):
    path = tmp_path / "phases.jsonl"
    reporter = PhaseReporter(path)
    before = time.time_ns()
    with reporter.phase("train", 3):
        assert read_phases(path) == []
    (phase,) = read_phases(path)
    assert (phase.name, phase.epoch) == ("train", 3)
    assert before <= phase.window.start_ns < phase.window.end_ns <= time.time_ns() + 1


def test_a_phase_may_have_begun_before(tmp_path):
    with PhaseReporter(tmp_path / "phases.jsonl").phase("setup", start_ns=5):
        pass
    assert read_phases(tmp_path / "phases.jsonl")[0].window.start_ns == 5


def test_a_phase_that_fails_is_not_reported(tmp_path):
    with pytest.raises(KeyError), PhaseReporter(tmp_path / "phases.jsonl").phase("train", 1):
        raise KeyError
    assert read_phases(tmp_path / "phases.jsonl") == []


def test_the_runner_names_the_file(tmp_path, monkeypatch):
    monkeypatch.delenv(PHASES_VARIABLE, raising=False)
    assert PhaseReporter.from_environment().path is None
    with PhaseReporter.from_environment().phase("test"):
        pass
    monkeypatch.setenv(PHASES_VARIABLE, str(tmp_path / "phases.jsonl"))
    assert PhaseReporter.from_environment().path == tmp_path / "phases.jsonl"
