"""Runs that go on: they were ended in the middle, or it looks so."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.errors import DifferentRunError, RunFolderError
from terrawatt.experiment.progress import Lines
from terrawatt.experiment.request import Outcome, Request
from terrawatt.experiment.resume import begun_run, kept, resume
from terrawatt.records import Order, Phase, Sample, Window
from terrawatt.runs.heartbeat import read_heartbeat
from terrawatt.runs.integrity import check_files
from terrawatt.runs.layout import RunFolder, scenario_folders
from terrawatt.runs.manifest import read_manifest, write_manifest
from terrawatt.runs.phases import append_phase, read_phases
from terrawatt.runs.plan import read_plan
from terrawatt.runs.status import RepetitionStatus, State, read_status, write_status
from terrawatt.store.sqlite import SqliteStore

Runs = Callable[..., Outcome]


def windows(folder: RunFolder, name: str) -> list[Phase]:
    return [phase for phase in read_phases(folder.phases) if phase.name == name]


def cut(folder: RunFolder, *left: int) -> None:
    """Make a run look as if it had been killed before some repetitions began."""
    manifest = read_manifest(folder.manifest)
    write_manifest(folder.manifest, replace(manifest, checksums={}))
    status = read_status(folder.status)
    entries = tuple(RepetitionStatus(one.repetition) if one.repetition in left else one for one in status.repetitions)
    write_status(folder.status, replace(status, state=State.RUNNING, repetitions=entries))
    phases = [phase for phase in read_phases(folder.phases) if phase.repetition not in left]
    folder.phases.unlink()
    for phase in phases:
        append_phase(folder.phases, phase)


def under_way(folder: RunFolder, repetition: int) -> None:
    """Make it look as if the run had been killed while a repetition ran, or right after its window was written."""
    cut(folder)
    status = read_status(folder.status)
    write_status(folder.status, status.with_repetition(RepetitionStatus(repetition, State.RUNNING)))


@pytest.fixture(autouse=True)
def _no_repository(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whoever works on terrawatt while its tests run changes its commit, which would be refused."""
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))


@pytest.fixture
def go_on(runs: Runs) -> Callable[..., Outcome]:
    """Resumes a run in this process."""

    def again(path: Path, *, accept_changes: bool = False, **protocol: object) -> Outcome:
        begun = begun_run(path)
        settings = runs.settings
        changes = begun.manifests[0].protocol.model_copy(update=protocol)
        settings = settings.model_copy(update={"protocol": changes})
        request = Request(settings, tuple(manifest.scenario for manifest in begun.manifests))
        seen = Lines(runs.seen)
        return resume(begun, request, seen, accept_changes=accept_changes)

    return again


def test_a_repetition_under_way_is_discarded_and_measured_again(runs: Runs, go_on: Callable[..., Outcome]) -> None:
    outcome = runs(("true",), ("sleep", "0"), repetitions=2, order_seed=1)
    first, second = scenario_folders(outcome.run_path)
    plan = first.plan.read_bytes()
    before = {folder.path: windows(folder, "repetition") for folder in (first, second)}
    under_way(first, 2)
    leftover = first.output_of(2, "probabilities.npy")
    leftover.write_text("half")
    (first.path / ".warm-up").mkdir()
    runs.seen.truncate(0)

    assert go_on(outcome.run_path).failures == []
    assert "group_1, repetition 2 was under way and is discarded" in runs.seen.getvalue()
    assert "repetition 2 was under way and is discarded" in first.log.read_text()
    assert not leftover.exists()
    assert first.plan.read_bytes() == plan
    assert windows(first, "repetition")[0] == before[first.path][0]
    assert windows(first, "repetition")[1].window.start_ns > before[first.path][1].window.end_ns
    assert windows(second, "repetition") == before[second.path]
    for folder in (first, second):
        assert [phase.repetition for phase in windows(folder, "repetition")] == [1, 2]
        assert read_status(folder.status).state is State.DONE
        manifest = read_manifest(folder.manifest)
        assert manifest.checksums
        assert check_files(folder, manifest).is_intact
    assert (windows(first, "cold")[-1].sitting, len(windows(first, "cold"))) == (2, 2)
    beat = read_heartbeat(outcome.run_path / "heartbeat.json")
    assert (beat.state, beat.done, beat.repetitions) == (State.DONE, 4, 4)


def test_after_a_resume_a_full_cold_period_comes_first(runs: Runs, go_on: Callable[..., Outcome]) -> None:
    outcome = runs(("true",), ("sleep", "0"), repetitions=1, warmup=0, cold_s=0.6, order=Order.INTERLEAVED)
    _, second = scenario_folders(outcome.run_path)
    shared = windows(second, "cold")[0].window
    cut(second, 1)
    go_on(outcome.run_path)
    (cold,) = windows(second, "cold")
    assert cold.window.start_ns > shared.end_ns
    assert cold.window.duration_s >= 0.6


def test_a_single_scenario_goes_on_in_a_second_sitting(runs: Runs, go_on: Callable[..., Outcome]) -> None:
    outcome = runs(("true",), repetitions=3)
    folder = RunFolder(outcome.run_path)
    cut(folder, 2, 3)
    assert go_on(outcome.run_path).run_path == outcome.run_path
    names = [(phase.name, phase.repetition, phase.sitting) for phase in read_phases(folder.phases)]
    first = [("cold", None, 1), ("warmup", None, 1), ("repetition", 1, 1)]
    second = [("cold", None, 2), ("warmup", None, 2), ("repetition", 2, 2), ("repetition", 3, 2), ("idle", None, 2)]
    assert [name for name in names if name != ("idle", None, 1)] == first + second
    assert not folder.plan.exists()


def test_seeds_go_on(runs: Runs, go_on: Callable[..., Outcome]) -> None:
    program = ("sh", "-c", 'echo "$1" > "$0/$2.txt"', "{output}", "{seed}", "{repetition}")
    outcome = runs(program, seed=40, repetitions=2)
    folder = RunFolder(outcome.run_path)
    cut(folder, 2)
    (folder.output / "2.txt").unlink()
    go_on(outcome.run_path)
    assert (folder.output / "2.txt").read_text() == "41\n"


def test_of_a_finished_run_nothing_is_left(runs: Runs, go_on: Callable[..., Outcome]) -> None:
    outcome = runs(("true",), repetitions=1)
    before = {path: path.read_bytes() for path in outcome.run_path.rglob("*") if path.is_file()}
    assert go_on(outcome.run_path).failures == []
    assert "nothing is left: all repetitions have ended" in runs.seen.getvalue()
    assert {path: path.read_bytes() for path in outcome.run_path.rglob("*") if path.is_file()} == before


def test_a_run_that_was_killed_in_its_last_idle_period_is_closed(runs: Runs, go_on: Callable[..., Outcome]) -> None:
    outcome = runs(("true",), repetitions=1)
    folder = RunFolder(outcome.run_path)
    cut(folder)
    go_on(outcome.run_path)
    assert read_status(folder.status).state is State.DONE
    assert read_manifest(folder.manifest).checksums


def test_a_repetition_that_failed_has_ended(runs: Runs, go_on: Callable[..., Outcome]) -> None:
    outcome = runs(("sh", "-c", 'test "$0" != 1', "{repetition}"), repetitions=2, warmup=0)
    folder = RunFolder(outcome.run_path)
    before = windows(folder, "repetition")[0]
    cut(folder, 2)
    assert len(go_on(outcome.run_path).failures) == 1
    assert [one.state for one in read_status(folder.status).repetitions] == [State.FAILED, State.DONE]
    assert windows(folder, "repetition")[0] == before


def test_what_differs_is_refused_and_leaves_all_as_it_was(
    runs: Runs, go_on: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = runs(("true",), ("sleep", "0"), repetitions=2)
    first, second = scenario_folders(outcome.run_path)
    under_way(first, 2)
    names = [path for folder in (first, second) for path in (folder.status, folder.phases, folder.times, folder.plan)]
    before = {path: path.read_bytes() for path in names}
    monkeypatch.setenv("OMP_NUM_THREADS", "77")
    with pytest.raises(DifferentRunError, match="is not resumed, since these are not as when it began") as refused:
        go_on(outcome.run_path, pause_s=0.25)
    assert [line.partition(":")[0] for line in refused.value.details] == [
        "machine.environment.OMP_NUM_THREADS",
        "protocol.pause_s",
    ]
    assert {path: path.read_bytes() for path in names} == before
    assert not read_manifest(first.manifest).checksums
    assert check_files(second, read_manifest(second.manifest)).is_intact  # sealed, as it was

    go_on(outcome.run_path, accept_changes=True, pause_s=0.25)
    whats = [(change.what, change.from_repetition) for change in read_manifest(first.manifest).changes]
    assert whats == [("machine.environment.OMP_NUM_THREADS", 2), ("protocol.pause_s", 2)]
    assert read_manifest(second.manifest).changes == ()
    assert "changed since the run began: protocol.pause_s: 0.0, now 0.25" in runs.seen.getvalue()
    cut(first, 2)
    go_on(outcome.run_path, pause_s=0.25)  # what was accepted is not asked for again
    assert read_status(first.status).state is State.DONE


def test_the_plan_cannot_be_changed(runs: Runs, go_on: Callable[..., Outcome]) -> None:
    outcome = runs(("true",), ("sleep", "0"), repetitions=2)
    cut(scenario_folders(outcome.run_path)[0], 2)
    with pytest.raises(DifferentRunError, match="which one run cannot hold") as refused:
        go_on(outcome.run_path, accept_changes=True, repetitions=3)
    assert refused.value.details == ("protocol.repetitions: 2, now 3",)


def test_files_that_were_changed_are_named(runs: Runs, go_on: Callable[..., Outcome]) -> None:
    outcome = runs(("true",), ("sleep", "0"), repetitions=2)
    first, second = scenario_folders(outcome.run_path)
    cut(first, 2)
    second.times.write_text("")
    with pytest.raises(DifferentRunError) as refused:
        go_on(outcome.run_path)
    assert refused.value.details == ("files.group_2/times.txt: as measured, now changed",)
    assert check_files(second, read_manifest(second.manifest)).changed == ("times.txt",)  # still seen
    go_on(outcome.run_path, accept_changes=True)
    assert [change.what for change in read_manifest(first.manifest).changes] == ["files.group_2/times.txt"]


def test_a_store_that_was_changed_is_named_once(runs: Runs, go_on: Callable[..., Outcome]) -> None:
    outcome = runs(("true",), ("sleep", "0"), ("sh", "-c", "true"), repetitions=2, warmup=0)
    first, *others = scenario_folders(outcome.run_path)
    cut(first, 2)
    with SqliteStore(first.telemetry) as store:
        store.write([Sample(read_manifest(first.manifest).sources[0].series, 1, 1.0)])
    with pytest.raises(DifferentRunError) as refused:
        go_on(outcome.run_path)
    assert refused.value.details == ("files.telemetry.sqlite: as measured, now changed",)
    assert all(check_files(one, read_manifest(one.manifest)).changed == ("../telemetry.sqlite",) for one in others)


def test_a_group_stands_for_its_run(runs: Runs) -> None:
    outcome = runs(("true",), ("sleep", "0"), repetitions=1)
    assert begun_run(outcome.run_path / "group_2").run.path == outcome.run_path
    assert begun_run(outcome.run_path / "group_2").plan == read_plan(outcome.run_path / "plan.json")


def test_what_cannot_be_resumed_is_named(runs: Runs, tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="no run of terrawatt"):
        begun_run(tmp_path)
    outcome = runs(("true",), ("sleep", "0"), repetitions=1)
    first, second = scenario_folders(outcome.run_path)
    plan = first.plan.read_text()
    first.plan.unlink()
    with pytest.raises(RunFolderError, match=r"no plan\.json"):
        begun_run(outcome.run_path)
    first.plan.write_text(plan)
    second.path.rename(second.path.with_name("elsewhere"))
    with pytest.raises(RunFolderError, match="1 groups, but its plan has 2 scenarios"):
        begun_run(outcome.run_path)


def test_a_program_that_measured_itself_is_not_run_again(runs: Runs) -> None:
    folder = RunFolder(runs(("true",), repetitions=1).run_path)
    write_manifest(folder.manifest, replace(read_manifest(folder.manifest), working_folder=""))
    with pytest.raises(RunFolderError, match="cannot be resumed"):
        begun_run(folder.path)


statuses = st.lists(st.sampled_from(State), min_size=1, max_size=6)


@given(statuses, st.data())
def test_what_stays_is_of_repetitions_that_have_ended(states: list[State], data: st.DataObject) -> None:
    entries = [RepetitionStatus(number, state) for number, state in enumerate(states, start=1)]
    phases = [
        Phase(name, Window(number, number + 1), number if name in ("repetition", "train") else None, sitting=number)
        for number in range(1, len(states) + 1)
        for name in ("cold", "warmup", "repetition", "train", "idle")
        if states[number - 1] in (State.DONE, State.FAILED) or data.draw(st.booleans())
    ]
    what = kept(phases, entries)
    ended = {entry.repetition for entry in entries if entry.state in (State.DONE, State.FAILED)}
    assert list(what.phases) == [phase for phase in phases if phase.sitting in ended]
    assert [entry.repetition for entry in what.statuses] == [entry.repetition for entry in entries]
    assert {entry.repetition for entry in what.statuses if entry.state is State.PENDING}.isdisjoint(ended)
    assert set(what.discarded).isdisjoint(ended)
    assert {e.repetition for e in entries if e.state in (State.RUNNING, State.INTERRUPTED)} <= set(what.discarded)
    assert kept(what.phases, what.statuses) == replace(what, discarded=())
