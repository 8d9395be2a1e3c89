from pathlib import Path

import numpy as np
import pytest

import run_folders
import terrawatt
from run_folders import PLUG, REPETITION_S, RUN_W, Recipe
from terrawatt.errors import AnalysisError, RunFolderError, UsageError
from terrawatt.runs.status import State


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def make(number: int = 1, *recipes: Recipe) -> Path:
    return Path(run_folders.make_run(Path("results").absolute(), number, *recipes or (Recipe(),)))


def test_a_run_is_its_table_readings_phases_and_manifest() -> None:
    run = terrawatt.read(make())
    assert list(run.table["Repetition"]) == [1, 2, 3]
    assert run.units["Duration"] == "s"
    assert run.manifest.host == "lab"
    assert {phase.name for phase in run.phases} == {"cold", "warmup", "repetition", "train", "test", "idle"}
    assert set(run.power) == {"plug"}
    assert set(run.host) == {"cpu", "mem_free", "reads"}
    plug = run.power["plug"]
    assert (np.diff(plug.t_ns) > 0).all()
    assert plug.value.max() == RUN_W


def test_the_energy_of_a_repetition_is_that_of_the_table() -> None:
    run = terrawatt.read(make())
    energy = run.energy(repetition=2)
    assert energy.source == "plug"
    assert energy.gross.energy_j == pytest.approx(RUN_W * REPETITION_S, rel=1e-3)
    assert energy.net.energy_j == run.table["Energy (plug)"][1]
    assert energy.net.u_j == run.table["u Energy (plug)"][1]
    assert run.energy(2, "plug").net.energy_j == energy.net.energy_j


def test_a_run_is_found_by_its_number_in_the_results_of_the_settings() -> None:
    path = make(7)
    Path("terrawatt.toml").write_text('[experiment]\nname = "conso"\nresults = "results"\n')
    assert terrawatt.read(7).path.resolve() == path.resolve()
    assert terrawatt.read("7").path == terrawatt.read(7).path
    with pytest.raises(RunFolderError, match="there are 7"):
        terrawatt.read(8)


def test_several_scenarios_are_groups() -> None:
    other = Recipe(parameters=(("model", "s-cnn-rgb"),))
    run = terrawatt.read(make(3, Recipe(), other))
    assert [group.name for group in run.groups] == ["run_3/group_1", "run_3/group_2"]
    assert [group.parameters["model"] for group in run.groups] == ["s-cnn-all", "s-cnn-rgb"]
    assert [len(group.repetitions) for group in run.groups] == [3, 3]
    with pytest.raises(UsageError, match="has 2 scenarios"):
        _ = run.power


def test_a_repetition_that_failed_is_not_usable_and_has_no_energy() -> None:
    run = terrawatt.read(make(1, Recipe(states=(State.DONE, State.FAILED, State.DONE))))
    assert [one.is_usable for one in run.only.repetitions] == [True, False, True]
    with pytest.raises(AnalysisError, match="failed"):
        run.energy(repetition=2)


def test_an_energy_that_is_not_there_is_an_error_with_its_reason() -> None:
    run = terrawatt.read(make())
    with pytest.raises(AnalysisError, match="repetition 9 has not ended"):
        run.energy(repetition=9)
    with pytest.raises(AnalysisError, match="no energy by socket"):
        run.energy(source="socket")
    silent = terrawatt.read(make(2, Recipe(silent=(PLUG.name,))))
    with pytest.raises(AnalysisError, match="no reading"):
        silent.energy()
