from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.errors import RunFolderError
from terrawatt.records import Phase, Window
from terrawatt.runs.phases import append_phase, append_phases, read_phases

times = st.integers(0, 2**62)
windows = st.tuples(times, st.integers(1, 10**15)).map(lambda pair: Window(pair[0], pair[0] + pair[1]))
optional = st.none() | st.integers(1, 1000)
phases = st.builds(
    Phase, name=st.text(min_size=1), window=windows, repetition=optional, epoch=optional, executions=st.integers(1, 100)
)


@given(st.lists(phases, max_size=5))
def test_what_is_appended_is_read(tmp_path_factory: pytest.TempPathFactory, written: list[Phase]) -> None:
    path = tmp_path_factory.mktemp("run") / "phases.jsonl"
    for phase in written:
        append_phase(path, phase)
    append_phases(path, written)
    assert read_phases(path) == written * 2


def test_no_file_is_no_phase(tmp_path: Path) -> None:
    assert read_phases(tmp_path / "phases.jsonl") == []


def test_a_line_that_a_kill_cut_off_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "phases.jsonl"
    phase = Phase("cold", Window(1, 2))
    append_phase(path, phase)
    with path.open("a") as file:
        file.write('{"name": "warmup", "start_n')
    assert read_phases(path) == [phase]


def test_the_repetition_is_given_to_phases_without_one(tmp_path: Path) -> None:
    path = tmp_path / "phases.jsonl"
    append_phases(path, [Phase("train", Window(1, 2), epoch=1), Phase("test", Window(2, 3), repetition=4)])
    assert [phase.repetition for phase in read_phases(path, repetition=7)] == [7, 4]


@pytest.mark.parametrize(
    "line",
    [
        "rubbish",
        "[]",
        "3",
        '{"name": "train"}',
        '{"name": "train", "start_ns": 2, "end_ns": 1}',
        '{"name": "train", "start_ns": "soon", "end_ns": 1}',
        '{"name": "train", "start_ns": 0, "end_ns": 1e999}',
        '{"name": "train", "start_ns": 0, "end_ns": 1, "epoch": "one"}',
        '{"name": "train", "start_ns": 0, "end_ns": 1, "repetition": true}',
        '{"name": "train", "start_ns": 0, "end_ns": 1, "executions": 1.5}',
    ],
)
def test_a_line_that_is_no_phase_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "phases.jsonl"
    append_phase(path, Phase("cold", Window(1, 2)))
    with path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(RunFolderError, match=r"phases\.jsonl, line 2: not a phase"):
        read_phases(path)


def test_a_file_that_is_no_text_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "phases.jsonl").write_bytes(b"\xff\xfe\n")
    with pytest.raises(RunFolderError, match="not a text of phases"):
        read_phases(tmp_path / "phases.jsonl")
