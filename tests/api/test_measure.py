"""Blocks of this very process, with the real sampler and a short protocol."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import terrawatt
from terrawatt.errors import ProtocolError, UsageError
from terrawatt.experiment.lock import MachineLock
from terrawatt.runs.environment import PHASES_VARIABLE
from terrawatt.runs.integrity import check_files
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.manifest import read_manifest
from terrawatt.runs.phases import read_phases
from terrawatt.runs.status import State, read_status
from terrawatt.summary.summarise import summarise

TOML = """
[experiment]
name = "own"
results = "results"
lock = "lock"

[protocol]
cold_s = 0.5
idle_after_s = 0.3
warmup = 3
repetitions = 5

[sampling]
interval_s = 0.1
host = ["cpu"]

[emissions]
enabled = false
"""


@pytest.fixture(autouse=True)
def _settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("terrawatt.toml").write_text(TOML)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def say(said: list[str]) -> Callable[[str], None]:
    return said.append


def work(duration_s: float = 0.5) -> None:
    end_s = time.monotonic() + duration_s
    while time.monotonic() < end_s:
        sum(range(1000))


def test_a_block_leaves_a_run_that_the_summary_reads(said: list[str], say: Callable[[str], None]) -> None:
    with terrawatt.measure({"model": "own", "batch": 8}, say=say) as measured, terrawatt.phase("train"):
        work()
    folder = RunFolder(measured.path)
    assert folder.path == Path("results/own/run_1").absolute()
    phases = {phase.name: phase for phase in read_phases(folder.phases)}
    assert list(phases) == ["cold", "repetition", "train", "idle"]
    assert phases["train"].repetition == 1
    assert phases["cold"].window.duration_s >= 0.5
    manifest = read_manifest(folder.manifest)
    assert (manifest.protocol.warmup, manifest.protocol.repetitions, manifest.blocks) == (0, 1, (1,))
    assert check_files(folder, manifest).is_sealed
    assert check_files(folder, manifest).is_intact
    assert read_status(folder.status).state is State.DONE
    assert any("cold" in line for line in said)

    energy = measured.energy
    assert energy.gross.energy_j > 0
    assert energy.source == manifest.sources[0].name
    result = summarise([measured.path], measured.path / "summary", figures=False)
    assert list(result.table.frame["Model"]) == ["own"]
    assert result.table.frame[f"Energy gross ({energy.source})"][0] == energy.gross.energy_j
    assert measured.run.table["Batch size"][0] == 8


def test_phases_of_a_child_process_are_recorded_too(say: Callable[[str], None]) -> None:
    program = "import terrawatt\nwith terrawatt.phase('child'):\n    pass"
    with terrawatt.measure(cold_s=0.2, idle_after_s=0, say=say) as measured:
        subprocess.run([sys.executable, "-c", program], check=True)
    assert [phase.name for phase in measured.run.phases] == ["cold", "repetition", "child"]
    assert "command" in measured.run.only.parameters


def test_a_block_that_raises_is_a_failed_repetition(say: Callable[[str], None]) -> None:
    with pytest.raises(ZeroDivisionError), terrawatt.measure(cold_s=0.1, say=say):
        _ = 1 / 0
    status = read_status(Path("results/own/run_1/status.json"))
    assert (status.state, status.of(1).state) == (State.FAILED, State.FAILED)
    assert status.reason == "ZeroDivisionError: division by zero"
    with terrawatt.measure(cold_s=0.1, idle_after_s=0, say=say) as measured:  # the lock is free again
        work(0.2)
    assert measured.path.name == "run_2"


def test_a_wish_to_end_is_an_interruption(say: Callable[[str], None]) -> None:
    with pytest.raises(KeyboardInterrupt), terrawatt.measure(cold_s=0.1, say=say):
        raise KeyboardInterrupt
    status = read_status(Path("results/own/run_1/status.json"))
    assert (status.state, status.of(1).state) == (State.INTERRUPTED, State.INTERRUPTED)


def test_the_energy_is_known_only_behind_the_block(say: Callable[[str], None]) -> None:
    with terrawatt.measure(cold_s=0.1, idle_after_s=0, say=say) as measured:
        with pytest.raises(ProtocolError, match="behind the `with` block"):
            _ = measured.energy
        work(0.2)


def test_a_program_that_is_measured_already_is_told_so(
    monkeypatch: pytest.MonkeyPatch, say: Callable[[str], None]
) -> None:
    monkeypatch.setenv(PHASES_VARIABLE, "phases.jsonl")
    with pytest.raises(ProtocolError, match=r"mark its parts with terrawatt\.phase"), terrawatt.measure(say=say):
        pass
    assert not Path("results").exists()


def test_another_run_on_the_machine_is_respected(say: Callable[[str], None]) -> None:
    with MachineLock(Path("lock")) as lock:
        lock.acquire()
        with pytest.raises(ProtocolError, match="measures on this machine"), terrawatt.measure(say=say):
            pass
    assert not Path("results").exists()


def test_a_cold_period_below_zero_is_refused(say: Callable[[str], None]) -> None:
    with (
        pytest.raises(UsageError, match=r"cold_s: .*greater than or equal to 0"),
        terrawatt.measure(cold_s=-1, say=say),
    ):
        pass


def test_a_sampler_that_cannot_start_leaves_no_folder(say: Callable[[str], None]) -> None:
    with Path("terrawatt.toml").open("a") as file:
        file.write('\n[[sources]]\nname = "plug"\nkind = "replay"\nfile = "nothing.csv"\n')
    with pytest.raises(ProtocolError, match="cannot start"), terrawatt.measure(cold_s=0.1, say=say):
        pass
    assert not Path("results/own").exists()
