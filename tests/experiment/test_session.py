"""Sweeps of short commands, with the real sampler."""

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark_modules import benchmark
from terrawatt.errors import ProtocolError, RunFolderError
from terrawatt.experiment.lock import RunLock
from terrawatt.experiment.scenario_run import OnFailure
from terrawatt.records import Order, Phase
from terrawatt.runs.atomic import sha256
from terrawatt.runs.heartbeat import read_heartbeat
from terrawatt.runs.integrity import check_files
from terrawatt.runs.layout import RunFolder, scenario_folders
from terrawatt.runs.manifest import read_manifest
from terrawatt.runs.phases import read_phases
from terrawatt.runs.plan import read_plan
from terrawatt.runs.status import State, read_status
from terrawatt.store.sqlite import SqliteStore
from terrawatt.summary.curves import power_curves
from terrawatt.summary.gather import gather

Python = Callable[..., tuple[str, ...]]


def states(folder: RunFolder) -> list[State]:
    return [entry.state for entry in read_status(folder.status).repetitions]


def windows(folder: RunFolder, name: str) -> list[Phase]:
    return [phase for phase in read_phases(folder.phases) if phase.name == name]


def test_a_sweep_goes_block_after_block_by_its_plan(runs: Callable[..., object], python: Python) -> None:
    outcome = runs(("true",), ("sleep", "0"), ("sh", "-c", "true"), repetitions=2, order_seed=5)
    folders = scenario_folders(outcome.run_path)
    plan = read_plan(folders[0].plan)
    assert (outcome.failures, plan.order, plan.seed) == ([], Order.BLOCKS, 5)

    measured = [
        (phase.window.start_ns, number, phase.repetition, phase.sitting)
        for number, folder in enumerate(folders, start=1)
        for phase in windows(folder, "repetition")
    ]
    entries = [(entry.scenario, entry.repetition, entry.block) for entry in plan.entries]
    assert [one[1:] for one in sorted(measured)] == entries
    manifests = [read_manifest(folder.manifest) for folder in folders]
    assert {manifest.order for manifest in manifests} == {"blocks"}
    assert {manifest.blocks for manifest in manifests} == {(1, 2)}


def test_neighbours_share_the_idle_period_between_them(runs: Callable[..., object]) -> None:
    outcome = runs(("true",), ("sleep", "0"), repetitions=1, warmup=0, order=Order.INTERLEAVED)
    first, second = scenario_folders(outcome.run_path)
    assert [phase.name for phase in read_phases(first.phases)] == ["cold", "repetition", "idle"]
    assert [phase.name for phase in read_phases(second.phases)] == ["cold", "repetition", "idle"]
    assert windows(first, "idle")[0].window == windows(second, "cold")[0].window
    assert windows(first, "idle")[0].window != windows(second, "idle")[0].window


def test_without_idle_after_the_cold_period_stands_between_sittings(runs: Callable[..., object]) -> None:
    outcome = runs(("true",), ("sleep", "0"), repetitions=1, warmup=0, idle_after_s=0.0, order=Order.INTERLEAVED)
    first, second = scenario_folders(outcome.run_path)
    assert windows(first, "idle")[0].window == windows(second, "cold")[0].window
    assert windows(second, "cold")[0].window.duration_s >= 0.3
    assert windows(second, "idle") == []


def test_one_store_holds_the_series_of_all_and_each_group_seals_it(runs: Callable[..., object]) -> None:
    outcome = runs(("true",), ("sleep", "0"), repetitions=1)
    store = outcome.run_path / "telemetry.sqlite"
    for folder in scenario_folders(outcome.run_path):
        manifest = read_manifest(folder.manifest)
        assert (folder.telemetry, folder.path / manifest.store) == (store, folder.path / "../telemetry.sqlite")
        assert manifest.checksums["../telemetry.sqlite"] == sha256(store)
        assert manifest.checksums["../plan.json"] == sha256(folder.plan)
        assert check_files(folder, manifest).is_intact
        with SqliteStore(folder.telemetry, read_only=True) as kept:
            series = kept.read(manifest.sources[0].series)
        assert series.t_ns[0] < windows(folder, "repetition")[0].window.start_ns
        assert series.t_ns[-1] > windows(folder, "repetition")[-1].window.end_ns
    with store.open("ab") as file:
        file.write(b"x")
    assert check_files(folder, manifest).changed == ("../telemetry.sqlite",)


def test_in_blocks_there_is_one_warm_up_before_each_repetition(runs: Callable[..., object]) -> None:
    outcome = runs(("true",), ("sleep", "0"), repetitions=2, warmup=3)
    for folder in scenario_folders(outcome.run_path):
        assert [phase.sitting for phase in windows(folder, "warmup")] == [1, 2]


def test_one_after_another_is_still_possible(runs: Callable[..., object]) -> None:
    outcome = runs(("true",), ("sleep", "0"), repetitions=2, order=Order.SEQUENTIAL)
    first, second = scenario_folders(outcome.run_path)
    names = ["cold", "warmup", "repetition", "repetition", "idle"]
    assert [phase.name for phase in read_phases(first.phases)] == names
    assert [phase.name for phase in read_phases(second.phases)] == names
    assert windows(first, "repetition")[-1].window.end_ns < windows(second, "repetition")[0].window.start_ns
    assert read_manifest(first.manifest).blocks == (1, 1)


def test_a_scenario_that_cannot_be_warmed_up_is_out_and_the_others_go_on(runs: Callable[..., object]) -> None:
    outcome = runs(("false",), ("true",), ("sleep", "0"), repetitions=2, order=Order.INTERLEAVED)
    bad, good, other = scenario_folders(outcome.run_path)
    assert (states(bad), states(good), states(other)) == ([State.PENDING] * 2, [State.DONE] * 2, [State.DONE] * 2)
    assert read_status(bad.status).state is State.FAILED
    assert outcome.failures == [f"{bad.path}: warm-up 1 failed: exit code 1"]
    assert read_phases(good.phases)[0].name == "cold"  # of its own: nobody was idle before


def test_a_failure_stops_a_sweep_when_asked(runs: Callable[..., object]) -> None:
    outcome = runs(("false",), ("true",), ("sleep", "0"), warmup=0, order=Order.INTERLEAVED, on_failure=OnFailure.STOP)
    bad, good, other = (read_status(folder.status) for folder in scenario_folders(outcome.run_path))
    assert (bad.state, good.state, other.state) == (State.FAILED, State.PENDING, State.PENDING)
    assert read_heartbeat(outcome.run_path / "heartbeat.json").state is State.FAILED


def test_the_last_heartbeat_says_that_all_is_done(runs: Callable[..., object]) -> None:
    outcome = runs(("true",), ("sleep", "0.3"), repetitions=2)
    beat = read_heartbeat(outcome.run_path / "heartbeat.json")
    assert (beat.state, beat.done, beat.failed, beat.repetitions, beat.left_s) == (State.DONE, 4, 0, 4, 0.0)
    assert beat.step == ""


def test_the_user_sees_a_line_for_each_repetition_of_a_sweep(runs: Callable[..., object]) -> None:
    runs(("true",), ("sleep", "0"), repetitions=2)
    lines = runs.seen.getvalue().splitlines()
    assert lines[0] == "2 scenarios of 2 repetitions, blocks"
    assert sum(", command sleep 0: repetition " in line for line in lines) == 2
    assert sum("repetition " in line for line in lines[1:]) == 4


def test_scenarios_of_a_sweep_end_for_themselves_when_they_are_known_well_enough(
    runs: Callable[..., object], python: Python
) -> None:
    outcome = runs(
        ("sleep", "0.3"), ("sleep", "0.31"), warmup=0, until_ci_percent=99.0, min_repetitions=5, max_repetitions=14
    )
    for folder in scenario_folders(outcome.run_path):
        count = len(states(folder))
        assert states(folder) == [State.DONE] * count
        assert len(windows(folder, "repetition")) == count
    assert len(read_plan(outcome.run_path / "plan.json").entries) == 28
    assert read_heartbeat(outcome.run_path / "heartbeat.json").done == 28


def test_a_given_folder_that_holds_a_sweep_is_not_overwritten(runs: Callable[..., object], tmp_path: Path) -> None:
    runs(("true",), ("sleep", "0"), storage_path=tmp_path / "mine", repetitions=1, warmup=0)
    with pytest.raises(RunFolderError, match="holds a run already"):
        runs(("true",), storage_path=tmp_path / "mine")


def test_a_sweep_in_which_nothing_was_measured_leaves_nothing(runs: Callable[..., object], tmp_path: Path) -> None:
    emissions = runs.settings.emissions.model_copy(update={"enabled": True, "country": "XXX"})
    runs.settings = runs.settings.model_copy(update={"emissions": emissions})
    with pytest.raises(Exception, match="no country XXX"):
        runs(("true",), ("sleep", "0"))
    assert not (tmp_path / "results/flying").exists()


def test_a_run_under_way_holds_its_folder(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    with RunLock(folder), pytest.raises(ProtocolError, match="is in use: another process measures it"), RunLock(folder):
        pass
    with RunLock(folder):
        assert folder.log.exists()


def test_the_benchmark_times_what_lies_between_two_windows(tmp_path: Path) -> None:
    found = benchmark("between_windows").gaps_s(tmp_path, 2, Order.BLOCKS, 2, emissions=False)
    assert len(found) == 3
    assert all(gap_s > 0 for gap_s in found)


def test_a_sitting_that_is_too_short_for_a_reading_has_no_curve(runs: Callable[..., object]) -> None:
    outcome = runs(("true",), ("sleep", "0"), ("sh", "-c", "true"), repetitions=1, warmup=0, cold_s=0, idle_after_s=0)
    gathered = gather([outcome.run_path])
    assert len(gathered.rows) == 3
    curves, _ = power_curves(gathered)
    assert all(len(curve.t_s) > 1 for curve in curves)
