from dataclasses import replace
from pathlib import Path

import pytest

from beats import BEAT
from terrawatt.errors import RunFolderError
from terrawatt.runs.heartbeat import read_heartbeat, write_heartbeat


def test_the_last_heartbeat_is_read(tmp_path: Path) -> None:
    path = tmp_path / "heartbeat.json"
    write_heartbeat(path, BEAT)
    write_heartbeat(path, replace(BEAT, done=2))
    assert read_heartbeat(path) == replace(BEAT, done=2)
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_written_costs_the_heartbeat_only(tmp_path: Path) -> None:
    write_heartbeat(tmp_path / "gone" / "heartbeat.json", BEAT)
    with pytest.raises(RunFolderError, match=r"no heartbeat\.json"):
        read_heartbeat(tmp_path / "gone" / "heartbeat.json")


def test_what_is_no_heartbeat_is_named(tmp_path: Path) -> None:
    (tmp_path / "heartbeat.json").write_text("{}")
    with pytest.raises(RunFolderError, match="not a heartbeat"):
        read_heartbeat(tmp_path / "heartbeat.json")
