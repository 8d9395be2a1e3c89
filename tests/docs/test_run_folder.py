"""docs/run-folder.md names every file of a run, and its examples can be read."""

import json
from pathlib import Path

from doc_pages import ROOT, blocks
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.phases import read_phases

PAGE = ROOT / "docs/run-folder.md"


def test_every_file_of_a_run_is_on_the_page(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run_1" / "group_1")
    properties = [name for name, value in vars(RunFolder).items() if isinstance(value, property)]
    paths = [getattr(folder, name) for name in properties if name not in ("group", "run_id", "run_path")]
    assert len(paths) > 8
    page = PAGE.read_text(encoding="utf-8")
    assert [path.name for path in paths if f"`{path.name}" not in page] == []


def test_the_phases_of_the_page_can_be_read(tmp_path: Path) -> None:
    (text,) = [block.text for block in blocks(PAGE) if block.language == "json"]
    (tmp_path / "phases.jsonl").write_text(text, encoding="utf-8")
    phases = read_phases(tmp_path / "phases.jsonl")
    assert [phase.name for phase in phases] == ["cold", "repetition", "train"]
    assert {key for line in text.splitlines() for key in json.loads(line)} <= {
        row.split("`")[1] for row in PAGE.read_text(encoding="utf-8").splitlines() if row.startswith("| `")
    } | {"end_ns"}
