"""Whole runs of short commands, with the real sampler."""

import errno
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from terrawatt.errors import ProtocolError, RunFolderError, UsageError
from terrawatt.experiment import preflight, record
from terrawatt.experiment.lock import MachineLock
from terrawatt.experiment.scenario_run import OnFailure
from terrawatt.records import Order, Phase
from terrawatt.runs.atomic import sha256
from terrawatt.runs.layout import RunFolder, scenario_folders
from terrawatt.runs.manifest import read_manifest
from terrawatt.runs.phases import read_phases
from terrawatt.runs.status import RunStatus, State, read_status
from terrawatt.runs.times import read_times
from terrawatt.store.sqlite import SqliteStore

Python = Callable[..., tuple[str, ...]]

# Kills the child of the runner that runs a module of ours.
KILL_CHILD = """
import os, pathlib, signal, sys, time
runner, module, rest_s = sys.argv[1:]
for folder in pathlib.Path("/proc").glob("[0-9]*"):
    try:
        parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
        if parent == runner and int(folder.name) != os.getpid() and module in (folder / "cmdline").read_text():
            os.kill(int(folder.name), signal.SIGKILL)
    except OSError:
        pass
time.sleep(float(rest_s))
"""


def states(status: RunStatus) -> list[State]:
    return [entry.state for entry in status.repetitions]


def named(phases: list[Phase], name: str) -> list[Phase]:
    return [phase for phase in phases if phase.name == name]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "results"


def test_a_run_leaves_a_complete_folder(runs: Callable[..., object], python: Python, results: Path) -> None:
    outcome = runs(python("import time; time.sleep(0.5)"))
    folder = RunFolder(results / "flying/run_1")
    assert (outcome.run_path, outcome.failures) == (folder.path, [])

    phases = read_phases(folder.phases)
    assert [phase.name for phase in phases] == ["cold", "warmup", "repetition", "repetition", "idle"]
    assert [phase.repetition for phase in named(phases, "repetition")] == [1, 2]
    ends = [t_ns for phase in phases for t_ns in (phase.window.start_ns, phase.window.end_ns)]
    assert ends == sorted(ends)
    in_times = [phase for phase in phases if phase.name in ("cold", "repetition")]
    assert read_times(folder.times) == [t for one in in_times for t in (one.window.start_ns, one.window.end_ns)]

    manifest = read_manifest(folder.manifest)
    assert (manifest.experiment, manifest.run, manifest.group) == ("flying", "run_1", None)
    assert (manifest.blocks, manifest.sampling_interval_s) == ((1, 1), 0.1)
    assert manifest.protocol.cold_s == 0.3
    assert set(manifest.checksums) == {"phases.jsonl", "telemetry.sqlite", "times.txt"}
    assert all(sha256(folder.path / name) == checksum for name, checksum in manifest.checksums.items())

    status = read_status(folder.status)
    assert (status.state, status.reason, states(status)) == (State.DONE, "", [State.DONE, State.DONE])


def test_the_series_cover_every_window(runs: Callable[..., object], python: Python) -> None:
    outcome = runs(python("import time; time.sleep(0.6)"), cold_s=0.6, idle_after_s=0.6)
    folder = RunFolder(outcome.run_path)
    manifest = read_manifest(folder.manifest)
    store = SqliteStore(folder.path / manifest.store, read_only=True)
    try:
        for key in (manifest.sources[0].series, manifest.host_series["cpu"]):
            series = store.read(key)
            for phase in read_phases(folder.phases):
                inside = (series.t_ns >= phase.window.start_ns) & (series.t_ns < phase.window.end_ns)
                assert inside.sum() >= 1, (str(key), phase.name)
    finally:
        store.close()


def test_the_user_sees_a_line_for_each_phase(runs: Callable[..., object], python: Python) -> None:
    runs(python("pass"))
    seen = runs.seen.getvalue().splitlines()
    assert seen[0].startswith("scenario 1 of 1: command ")
    assert "power: estimate (kind estimate; estimated, not measured)" in seen
    steps = ["cold: 0 s", "warm-up 1 of 1: ", "repetition 1 of 2: ", "repetition 2 of 2: ", "idle: 0 s"]
    assert [line[: len(step)] for line, step in zip(seen[-5:], steps, strict=True)] == steps


def test_each_repetition_gets_its_seed_and_its_output_and_the_warm_up_is_discarded(
    runs: Callable[..., object], python: Python
) -> None:
    program = "import pathlib, sys; open(pathlib.Path(sys.argv[1]) / f'{sys.argv[2]}.txt', 'x').write(sys.argv[3])"
    outcome = runs(python(program, "{output}", "{repetition}", "{seed}"), seed=40)
    folder = RunFolder(outcome.run_path)
    assert outcome.failures == []
    assert {path.name: path.read_text() for path in folder.output.iterdir()} == {"1.txt": "40", "2.txt": "41"}
    assert not [path for path in folder.path.iterdir() if path.name.startswith(".")]


def test_phases_of_the_workload_stand_behind_its_repetition(runs: Callable[..., object], python: Python) -> None:
    program = """
import json, os, time
start_ns = time.time_ns()
time.sleep(0.01)
with open(os.environ["TERRAWATT_PHASES"], "a") as file:
    for name, epoch in (("setup", None), ("train", 1)):
        file.write(json.dumps({"name": name, "start_ns": start_ns, "end_ns": time.time_ns(), "epoch": epoch}) + "\\n")
"""
    outcome = runs(python(program))
    phases = read_phases(RunFolder(outcome.run_path).phases)
    assert [(phase.name, phase.repetition, phase.epoch) for phase in phases] == [
        ("cold", None, None),
        ("warmup", None, None),
        ("repetition", 1, None),
        ("setup", 1, None),
        ("train", 1, 1),
        ("repetition", 2, None),
        ("setup", 2, None),
        ("train", 2, 1),
        ("idle", None, None),
    ]


def test_rubbish_from_the_workload_costs_no_window(runs: Callable[..., object], python: Python) -> None:
    outcome = runs(python("import os; open(os.environ['TERRAWATT_PHASES'], 'w').write('rubbish\\n')"))
    folder = RunFolder(outcome.run_path)
    assert len(named(read_phases(folder.phases), "repetition")) == 2
    assert folder.log.read_text().count("are left out: ") == 2


def test_a_short_workload_is_repeated_inside_its_window(runs: Callable[..., object], python: Python) -> None:
    outcome = runs(python("pass"), min_window_s=0.4, repetitions=1)
    (phase,) = named(read_phases(RunFolder(outcome.run_path).phases), "repetition")
    assert phase.window.duration_s >= 0.4
    assert phase.executions > 1
    assert f"in {phase.executions} executions" in runs.seen.getvalue()


FAILS_ONCE = "import sys; sys.exit('no luck' if sys.argv[1] == '2' else 0)"


def test_after_a_failure_the_run_goes_on(runs: Callable[..., object], python: Python) -> None:
    outcome = runs(python(FAILS_ONCE, "{repetition}"), repetitions=3)
    folder = RunFolder(outcome.run_path)
    status = read_status(folder.status)
    assert states(status) == [State.DONE, State.FAILED, State.DONE]
    assert status.of(2).result is not None
    assert status.of(2).result.reason == "exit code 1: no luck"
    assert status.state is State.DONE
    assert outcome.failures == [f"{folder.path}: 1 of 3 repetitions failed; the first: exit code 1: no luck"]
    assert len(named(read_phases(folder.phases), "repetition")) == 3  # so that times.txt keeps its order
    assert "repetition 2 of 3 failed: exit code 1: no luck\n  | no luck\n" in runs.seen.getvalue()


def test_after_a_failure_the_run_stops_when_asked(runs: Callable[..., object], python: Python) -> None:
    outcome = runs(
        python(FAILS_ONCE, "{repetition}"),
        python("pass"),
        repetitions=3,
        order=Order.SEQUENTIAL,
        on_failure=OnFailure.STOP,
    )
    first, second = (read_status(folder.status) for folder in scenario_folders(outcome.run_path))
    assert states(first) == [State.DONE, State.FAILED, State.PENDING]
    assert (first.state, second.state) == (State.FAILED, State.PENDING)
    assert "stopped there, as --on-failure stop asks" in first.reason
    assert len(outcome.failures) == 1


def test_a_scenario_of_failures_has_failed(runs: Callable[..., object], python: Python) -> None:
    outcome = runs(python("raise SystemExit(3)"), warmup=0)
    assert read_status(outcome.run_path / "status.json").state is State.FAILED


def test_a_warm_up_that_fails_ends_its_scenario_and_not_the_next(runs: Callable[..., object], python: Python) -> None:
    outcome = runs(python("raise SystemExit(3)"), python("pass"), repetitions=1)
    first, second = scenario_folders(outcome.run_path)
    assert read_status(first.status).reason == "warm-up 1 failed: exit code 3"
    assert states(read_status(first.status)) == [State.PENDING]
    assert [phase.name for phase in read_phases(first.phases)] == ["cold"]
    assert read_status(second.status).state is State.DONE


def test_each_scenario_of_several_stands_alone(runs: Callable[..., object], python: Python) -> None:
    outcome = runs(python("pass"), python("1"), repetitions=1)
    folders = scenario_folders(outcome.run_path)
    assert [folder.path.name for folder in folders] == ["group_1", "group_2"]
    for number, folder in enumerate(folders, start=1):
        manifest = read_manifest(folder.manifest)
        assert (manifest.run, manifest.group) == ("run_1", number)
        assert manifest.checksums["../telemetry.sqlite"] == sha256(folder.telemetry)
        assert [phase.name for phase in read_phases(folder.phases)] == ["cold", "warmup", "repetition", "idle"]


def test_runs_are_numbered(runs: Callable[..., object]) -> None:
    names = [runs(("true",), repetitions=1, warmup=0, cold_s=0.0, idle_after_s=0.0).run_path.name for _ in "ab"]
    assert names == ["run_1", "run_2"]


def test_no_idle_time_keeps_the_record_in_shape(runs: Callable[..., object]) -> None:
    outcome = runs(("true",), repetitions=1, warmup=0, cold_s=0.0, idle_after_s=0.0)
    assert [phase.name for phase in read_phases(outcome.run_path / "phases.jsonl")] == ["cold", "repetition"]


def test_the_last_window_has_a_reading_on_its_far_side(runs: Callable[..., object]) -> None:
    outcome = runs(("true",), repetitions=1, warmup=0, cold_s=0.3, idle_after_s=0.0)
    folder = RunFolder(outcome.run_path)
    last = read_phases(folder.phases)[-1].window
    (source,) = read_manifest(folder.manifest).sources
    with SqliteStore(folder.telemetry, read_only=True) as store:
        assert len(store.read(source.series, start_ns=last.end_ns)) >= 1


def test_the_caller_may_give_the_folder(runs: Callable[..., object], tmp_path: Path, results: Path) -> None:
    given = tmp_path / "results of qanat/run_7/group_0"
    outcome = runs(("true",), storage_path=given)
    manifest = read_manifest(given / "manifest.json")
    assert (outcome.run_path, manifest.run, manifest.group) == (given, "run_7", 0)
    assert not results.exists()


def test_a_folder_that_holds_a_run_is_not_overwritten(runs: Callable[..., object], tmp_path: Path) -> None:
    runs(("true",), storage_path=tmp_path / "mine", repetitions=1)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "mine").rglob("*")}
    with pytest.raises(RunFolderError, match="holds a run already"):
        runs(("true",), storage_path=tmp_path / "mine")
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "mine").rglob("*")} == before


def test_a_given_folder_in_which_nothing_was_measured_can_be_used_again(
    runs: Callable[..., object], settings: object, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/group_info.yaml").write_text("parameters: {}")
    source = settings.sources[0].model_copy(update={"kind": "no-such-kind"})
    runs.settings = settings.model_copy(update={"sources": (source,)})
    with pytest.raises(ProtocolError, match="no-such-kind"):
        runs(("true",), storage_path=tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["group_info.yaml"]
    runs.settings = settings
    assert runs(("true",), storage_path=tmp_path / "mine").failures == []


def test_a_second_run_on_the_machine_is_refused_in_one_line(
    runs: Callable[..., object], tmp_path: Path, results: Path
) -> None:
    with MachineLock(tmp_path / "lock") as lock:
        lock.acquire()
        lock.note(Path("/elsewhere/run_3"))
        with pytest.raises(ProtocolError, match=rf"process {os.getpid()} .*/elsewhere/run_3.*--wait"):
            runs(("true",))
    assert not results.exists()


@pytest.mark.parametrize("command", ["no-such-program", "/no/such/program", "./tests"])
def test_a_command_that_does_not_exist_leaves_nothing(runs: Callable[..., object], command: str, results: Path) -> None:
    with pytest.raises(UsageError, match=f"{command}: no such program"):
        runs((command,))
    assert not results.exists()


def test_a_results_folder_that_cannot_be_written_leaves_nothing(
    runs: Callable[..., object], results: Path, tmp_path: Path
) -> None:
    results.write_text("a file where the folder should be")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(RunFolderError, match=r"cannot make a run folder .*; choose another with --results"):
        runs(("true",))
    assert [path for path in sorted(tmp_path.rglob("*")) if path.name != "lock"] == before


def test_a_sampler_that_cannot_start_leaves_nothing(
    runs: Callable[..., object], settings: object, results: Path
) -> None:
    source = settings.sources[0].model_copy(update={"kind": "no-such-kind"})
    runs.settings = settings.model_copy(update={"sources": (source,)})
    with pytest.raises(ProtocolError, match="no-such-kind"):
        runs(("true",))
    assert not (results / "flying").exists()


def test_too_little_room_is_told_before(
    runs: Callable[..., object], results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "MIN_FREE_BYTES", 10**18)
    with pytest.raises(ProtocolError, match=r"only \d+ MB are free"):
        runs(("true",))
    assert not results.exists()


def test_a_disk_that_fills_up_ends_the_run_in_order(
    runs: Callable[..., object], results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = record.append_phases

    def full(path: Path, phases: list[Phase]) -> None:
        if phases[0].repetition == 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        append(path, phases)

    monkeypatch.setattr(record, "append_phases", full)
    with pytest.raises(ProtocolError, match=r"phases\.jsonl: No space left on device; what was measured before is in"):
        runs(("true",))
    folder = RunFolder(results / "flying/run_1")
    status = read_status(folder.status)
    assert (status.state, states(status)) == (State.FAILED, [State.INTERRUPTED, State.PENDING])
    assert [phase.name for phase in read_phases(folder.phases)] == ["cold", "warmup"]
    assert read_manifest(folder.manifest).checksums


def test_a_sampler_that_crashes_is_started_again(runs: Callable[..., object], python: Python) -> None:
    outcome = runs(
        python(KILL_CHILD, str(os.getpid()), "telemetry.sampler", "3"), warmup=0, repetitions=1, idle_after_s=0.0
    )
    folder = RunFolder(outcome.run_path)
    assert outcome.failures == []
    assert "the sampler ended (it was killed by signal 9" in folder.log.read_text()
    manifest = read_manifest(folder.manifest)
    (phase,) = named(read_phases(folder.phases), "repetition")
    store = SqliteStore(folder.telemetry, read_only=True)
    try:
        series = store.read(manifest.sources[0].series)
    finally:
        store.close()
    assert series.t_ns[-1] > phase.window.start_ns + 1_000_000_000  # it went on
    assert (series.t_ns[1:] - series.t_ns[:-1]).max() > 300_000_000  # the gap was not filled


def test_emissions_of_each_repetition_and_why_one_is_missing(
    runs: Callable[..., object], settings: object, python: Python
) -> None:
    emissions = settings.emissions.model_copy(update={"enabled": True})
    runs.settings = settings.model_copy(update={"emissions": emissions})
    program = "import sys; sys.argv.pop() == '2' or sys.exit(0)\n" + KILL_CHILD
    outcome = runs(python(program, str(os.getpid()), "emissions_process", "0.2", "{repetition}"), repetitions=3)
    folder = RunFolder(outcome.run_path)
    assert outcome.failures == []
    assert [path.name for path in folder.emissions.iterdir()] == ["emissions_1.csv"]
    manifest = read_manifest(folder.manifest)
    assert "emissions/emissions_1.csv" in manifest.checksums
    assert manifest.emissions["country_name"] == "France"
    assert manifest.emissions["missing"] == {
        "2": "CodeCarbon's process has ended",
        "3": "CodeCarbon's process has ended",
    }
    assert "repetition 2: no emissions: CodeCarbon's process has ended" in runs.seen.getvalue()


def test_the_manifest_is_there_before_anything_is_measured(runs: Callable[..., object], python: Python) -> None:
    program = "import json, sys; print(json.load(open(sys.argv[1] + '/../manifest.json'))['versions']['terrawatt'])"
    outcome = runs(python(program, "{output}"), warmup=0)
    assert outcome.failures == []
    versions = json.loads((outcome.run_path / "manifest.json").read_text())["versions"]
    assert versions["python"] == ".".join(map(str, sys.version_info[:3]))
