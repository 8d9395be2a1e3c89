from pathlib import Path

import pytest

import terrawatt
from terrawatt.api.phase import _OF_THE_PROTOCOL
from terrawatt.errors import UsageError
from terrawatt.experiment.record import _OURS
from terrawatt.runs.environment import PHASES_VARIABLE
from terrawatt.runs.phases import read_phases


def test_a_phase_is_written_where_the_runner_asks_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "phases.jsonl"
    monkeypatch.setenv(PHASES_VARIABLE, str(path))
    with terrawatt.phase("outer"), terrawatt.phase("train", 2):
        pass
    inner, outer = read_phases(path)
    assert (inner.name, inner.epoch, outer.name, outer.epoch) == ("train", 2, "outer", None)
    assert outer.window.start_ns <= inner.window.start_ns < inner.window.end_ns <= outer.window.end_ns


def test_a_decorated_function_is_a_phase_at_each_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "phases.jsonl"

    @terrawatt.phase("train")
    def double(number: int) -> int:
        return 2 * number

    assert double(3) == 6
    assert not path.exists()
    monkeypatch.setenv(PHASES_VARIABLE, str(path))
    assert [double(1), double(2)] == [2, 4]
    assert [phase.name for phase in read_phases(path)] == ["train", "train"]


def test_a_block_that_raises_is_not_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "phases.jsonl"
    monkeypatch.setenv(PHASES_VARIABLE, str(path))
    with pytest.raises(KeyError), terrawatt.phase("train"):
        raise KeyError
    assert not path.exists()


@pytest.mark.parametrize("name", ["", *_OF_THE_PROTOCOL])
def test_the_names_of_the_protocol_are_refused_measured_or_not(name: str) -> None:
    with pytest.raises(UsageError, match="none of the protocol's own"), terrawatt.phase(name):
        pass


def test_the_refused_names_are_those_that_the_runner_leaves_out() -> None:
    assert set(_OF_THE_PROTOCOL) == set(_OURS)
