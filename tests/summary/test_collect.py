import pytest

from run_folders import Recipe
from terrawatt.errors import RunFolderError
from terrawatt.runs.layout import RunFolder, scenario_folders
from terrawatt.runs.status import State
from terrawatt.summary.collect import collect

S = 1_000_000_000


def test_a_run_with_its_windows_and_series(make_run):
    run = collect(RunFolder(make_run(3)))
    assert run.name == "run_3"
    assert run.cold.duration_s == 60
    assert run.idle_after.duration_s == 40
    assert [run.repetition(i).window.duration_s for i in (1, 2, 3)] == [60, 60, 60]
    assert [window.duration_s for window in run.windows_of("train", 2)] == [8, 8]
    assert {len(series) for key, series in run.series.items() if key.measurement != "terrawatt"} == {300}
    assert run.store_problem == ""


def test_groups_have_the_runs_name_before_theirs(make_run):
    path = make_run(4, Recipe(), Recipe())
    assert [collect(folder).name for folder in scenario_folders(path)] == ["run_4/group_1", "run_4/group_2"]


def test_the_latency_is_left_out_at_the_end_of_the_cold_period(make_run):
    assert collect(RunFolder(make_run(1, latency_s=5.5))).cold.duration_s == 54.5
    assert collect(RunFolder(make_run(2, latency_s=60.0))).cold is None


def test_without_a_store_the_run_is_still_there(make_run):
    run = collect(RunFolder(make_run(1, has_store=False)))
    assert run.series == {}
    assert "telemetry.sqlite" in run.store_problem


def test_what_has_not_ended_is_not_among_what_has(make_run):
    states = (State.DONE, State.FAILED, State.INTERRUPTED, State.RUNNING, State.PENDING)
    run = collect(RunFolder(make_run(1, repetitions=5, states=states)))
    assert [entry.repetition for entry in run.ended] == [1, 2, 3]


@pytest.mark.parametrize("name", ["manifest", "status"])
def test_a_missing_or_damaged_file_is_named(make_run, name):
    folder = RunFolder(make_run())
    file = getattr(folder, name)
    file.write_text("{")
    with pytest.raises(RunFolderError, match=file.name):
        collect(folder)
    file.unlink()
    with pytest.raises(RunFolderError, match=f"no {file.name}"):
        collect(folder)
