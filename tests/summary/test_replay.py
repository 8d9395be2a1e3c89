"""The summary computes everything again from the files of the run, and only from those that were measured."""

import pandas as pd
import pytest

from run_folders import Recipe
from terrawatt.errors import ChangedFilesError
from terrawatt.runs.layout import RunFolder, scenario_folders
from terrawatt.runs.manifest import read_manifest, seal
from terrawatt.summary.record import read_record
from terrawatt.summary.summarise import summarise


@pytest.fixture
def sealed(make_run):
    """Makes a run that has ended in order."""

    def make(number=1, *recipes, **changes):
        path = make_run(number, *recipes, **changes)
        for folder in scenario_folders(path):
            seal(folder, read_manifest(folder.manifest))
        return path

    return make


def change(path):
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:-1]) + "\n")


def test_the_same_files_give_the_same_table(sealed, tmp_path):
    path = sealed()
    first = summarise([path], tmp_path / "a", figures=False)
    again = summarise([path], tmp_path / "b", figures=False)
    pd.testing.assert_frame_equal(first.table.frame, again.table.frame)
    assert (tmp_path / "a" / "output_all.csv").read_bytes() == (tmp_path / "b" / "output_all.csv").read_bytes()
    assert not any("checksums" in note or "not as it was" in note for note in first.notes)


def test_a_changed_file_is_refused_before_anything_is_written(sealed, tmp_path):
    path = sealed()
    change(RunFolder(path).phases)
    with pytest.raises(ChangedFilesError, match=r"changed: phases\.jsonl") as caught:
        summarise([path], tmp_path / "out", figures=False)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_changed_group_is_not_left_out_silently(sealed, tmp_path):
    path = sealed(2, Recipe(), Recipe())
    change(RunFolder(path / "group_2").emissions_of(1))
    with pytest.raises(ChangedFilesError, match="group_2"):
        summarise([path], tmp_path / "out", figures=False)


def test_accepted_changes_are_told_in_report_and_json(sealed, tmp_path):
    path = sealed()
    change(RunFolder(path).phases)
    result = summarise([path], tmp_path / "out", figures=False, accept_changes=True)
    note = "used although not as it was measured (changed: phases.jsonl)"
    assert f"run_1: {note}" in result.notes
    (run,) = read_record(result.files.json).runs
    assert note in run.facts.notes


def test_a_run_that_was_killed_is_used_and_told(make_run, tmp_path):
    result = summarise([make_run()], tmp_path / "out", figures=False)
    assert any("no checksums" in note for note in result.notes)
