"""What several processes compute is what one computes."""

from pathlib import Path

import pytest

from sweep_folders import Sweep, make_sweep
from terrawatt.errors import ChangedFilesError, ReportError, RunFolderError
from terrawatt.records import Sample
from terrawatt.report.workers import workers
from terrawatt.runs.layout import scenario_folders
from terrawatt.runs.manifest import read_manifest, seal
from terrawatt.store.sqlite import SqliteStore
from terrawatt.summary.gather import gather
from terrawatt.summary.summarise import summarise

MODELS = tuple("abcdefgh")  # as many groups as are handed to other processes


def test_a_summary_by_two_processes_is_that_of_one(tmp_path: Path) -> None:
    run = make_sweep(tmp_path, 1, Sweep(models=MODELS, blocks=2, net_w={"b": 80.0}))
    one, two = (summarise([run], tmp_path / str(number), figures=False, processes=number).files for number in (1, 2))
    assert two.csv.read_text() == one.csv.read_text()
    without_times = [
        [line for line in files.csv.with_suffix(".json").read_text().splitlines() if '"created"' not in line]
        for files in (one, two)
    ]
    assert without_times[0] == without_times[1]


def test_an_error_in_another_process_is_the_error_of_one(tmp_path: Path) -> None:
    run = make_sweep(tmp_path, 1, Sweep(models=MODELS, blocks=1))
    for group in run.glob("group_*"):
        (group / "manifest.json").write_text("{")
    messages = []
    for number in (1, 2):
        with workers(number) as executor, pytest.raises(RunFolderError) as caught:
            gather([run], executor=executor)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


@pytest.mark.parametrize("number", [1, 2])
def test_a_changed_store_that_all_share_is_told_or_refused(tmp_path: Path, number: int) -> None:
    run = make_sweep(tmp_path, 1, Sweep(models=MODELS, blocks=1))
    for folder in scenario_folders(run):
        seal(folder, read_manifest(folder.manifest))
    with SqliteStore(run / "telemetry.sqlite") as store:
        store.write([Sample(store.keys()[0], 1, 1.0)])
    with workers(number) as executor:
        with pytest.raises(ChangedFilesError, match=r"group_1: changed: \.\./telemetry.sqlite"):
            gather([run], executor=executor)
        found = gather([run], executor=executor, accept_changes=True)
    assert [one.run.integrity.changed for one in found.runs] == [("../telemetry.sqlite",)] * len(MODELS)


def _end_at_once(_part: int) -> None:
    import os

    os._exit(1)


def test_a_process_that_is_killed_is_told() -> None:
    with pytest.raises(ReportError, match="a worker process was killed"), workers(2) as executor:
        list(executor.map(_end_at_once, range(2)))
