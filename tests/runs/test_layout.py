from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from terrawatt.errors import RunFolderError
from terrawatt.runs.layout import RunFolder, create_run, find_run, prepare_run, scenario_folders


def test_a_run_of_one_scenario_is_its_own_folder(tmp_path: Path) -> None:
    (folder,) = create_run(tmp_path / "results", "flying")
    assert folder.path == tmp_path / "results/flying/run_1"
    assert (folder.run_id, folder.group, folder.run_path) == (1, None, folder.path)
    assert folder.output.is_dir()
    assert folder.emissions.is_dir()


def test_a_run_of_several_scenarios_has_groups(tmp_path: Path) -> None:
    folders = create_run(tmp_path, "flying", groups=11)
    assert [folder.path.name for folder in folders] == [f"group_{number}" for number in range(1, 12)]
    assert [folder.group for folder in folders] == list(range(1, 12))
    assert {folder.run_id for folder in folders} == {1}
    assert scenario_folders(folders[0].run_path) == folders


def test_numbers_go_on_behind_the_largest(tmp_path: Path) -> None:
    (tmp_path / "flying/run_9").mkdir(parents=True)
    (tmp_path / "flying/run_x").mkdir()
    assert create_run(tmp_path, "flying")[0].run_id == 10


def test_runs_that_begin_together_get_different_numbers(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda _: create_run(tmp_path, "flying")[0].run_id, range(40)))
    assert sorted(runs, key=lambda number: number or 0) == list(range(1, 41))


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunFolderError, match=r"cannot make a run folder \(Not a directory\); choose another"):
        create_run(tmp_path / "file", "flying")


def test_a_given_folder_is_prepared_as_it_is(tmp_path: Path) -> None:
    (folder,) = prepare_run(tmp_path / "run_7/group_2")
    assert (folder.run_id, folder.group, folder.run_path) == (7, 2, tmp_path / "run_7")


def test_a_folder_of_another_name_has_no_number(tmp_path: Path) -> None:
    assert RunFolder(tmp_path / "mine").run_id is None


def test_files_of_a_repetition(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert folder.emissions_of(3) == tmp_path / "emissions/emissions_3.csv"
    assert folder.output_of(3, "probabilities.npy") == tmp_path / "output/repetition_3_probabilities.npy"


def test_a_run_is_found_by_its_number_or_folder(tmp_path: Path) -> None:
    (folder,) = create_run(tmp_path, "flying")
    assert find_run("1", tmp_path, "flying") == folder.path
    assert find_run(str(folder.path), tmp_path, "other") == folder.path


@pytest.mark.parametrize(
    ("run", "message"), [("7", "there are 1, 2"), ("nowhere", "give a run's number or its folder")]
)
def test_a_run_that_is_not_there_is_an_error(tmp_path: Path, run: str, message: str) -> None:
    create_run(tmp_path, "flying")
    create_run(tmp_path, "flying")
    with pytest.raises(RunFolderError, match=message):
        find_run(run, tmp_path, "flying")


def test_an_experiment_without_runs_says_so(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="holds no run yet"):
        find_run("1", tmp_path, "flying")
