"""Runs that end when the interval of the net energy is narrow."""

import math
import sys
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

import pytest

import run_folders
from run_folders import T0, Recipe, S, make_scenario
from scattered_runs import with_powers
from terrawatt.config import ProtocolSettings
from terrawatt.errors import UsageError
from terrawatt.experiment.precision import Precision, PrecisionWatch, check, watch
from terrawatt.experiment.runner import Outcome
from terrawatt.runs.layout import RunFolder, prepare_run
from terrawatt.runs.manifest import read_manifest
from terrawatt.runs.phases import read_phases
from terrawatt.runs.status import State, read_status

PROTOCOL = ProtocolSettings(cold_s=60, until_ci_percent=2, min_repetitions=5, max_repetitions=20)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return prepare_run(tmp_path / "run_1")[0]


def watching(folder: RunFolder, **changes: object) -> PrecisionWatch:
    return PrecisionWatch(folder, run_folders.PLUG, PROTOCOL.model_copy(update=changes))


def test_energies_are_net_of_the_cold_level_and_their_interval_is_relative(folder: RunFolder) -> None:
    found = watching(with_powers(folder, [88, 92, 88, 92, 90])).judge({1, 2, 3, 4, 5})
    # Net 48, 52, 48, 52, 50 W: s = 2; the quantile of Student's t at 98.25 % on 4 degrees of freedom is 3.136.
    assert found.relative_half_width == pytest.approx(3.1355 * 2 / math.sqrt(5) / 50, rel=2e-3)
    assert (found.n, found.reason, found.is_enough) == (5, "", False)


def test_a_narrow_interval_must_be_confirmed(folder: RunFolder) -> None:
    with_powers(folder, [90.0, 90.1] * 6)
    judged = [watching(folder).judge(set(range(1, n + 1))).is_enough for n in range(1, 13)]
    assert judged.index(True) == 8  # narrow from 5 on, the least that is asked for; four more confirm it
    judged = [watching(folder, min_repetitions=7).judge(set(range(1, n + 1))).is_enough for n in range(1, 13)]
    assert judged.index(True) == 10


def test_a_repetition_that_failed_does_not_count(folder: RunFolder) -> None:
    with_powers(folder, [90.0, 150.0, 90.0, 90.1])
    found = watching(folder).judge({1, 3, 4})
    assert found.n == 3
    assert found.relative_half_width < 0.01


def test_without_net_energies_there_is_a_reason_and_no_end(folder: RunFolder) -> None:
    make_scenario(folder, Recipe(repetitions=2, is_trained=False, silent=("plug",)))
    found = watching(folder).judge({1, 2})
    assert (found.n, found.is_enough) == (0, False)
    assert found.reason.startswith("2 without: ")
    assert "?" in found.in_words(0.02)


def test_a_store_that_cannot_be_read_costs_one_look(folder: RunFolder) -> None:
    make_scenario(folder, Recipe(repetitions=2, is_trained=False, has_store=False))
    found = watching(folder).judge({1, 2})
    assert (found.n, found.is_enough) == (0, False)
    assert "telemetry.sqlite" in found.reason


def test_it_knows_whether_a_window_can_be_integrated(folder: RunFolder) -> None:
    make_scenario(folder, recipe := Recipe(repetitions=1, is_trained=False))
    end_ns = T0 + round(recipe.start_s(2) + recipe.idle_after_s) * S
    assert watching(folder).has_reading_after(end_ns)
    assert not watching(folder).has_reading_after(end_ns + 1)


def test_in_words() -> None:
    assert Precision(9, 0.0172, is_enough=True).in_words(0.02) == "net energy ± 1.7 % after 9 (asked: 2 %)"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cold_s": 0.0}, "--cold"),
        ({"cold_s": 5.0, "latency_s": 5.0}, "--cold"),
        ({"min_repetitions": 21}, "--min-repetitions 21 is more than --max-repetitions 20"),
    ],
)
def test_a_rule_that_cannot_be_followed_is_refused(changes: dict[str, float], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check(PROTOCOL.model_copy(update=changes))
    check(PROTOCOL.model_copy(update={**changes, "until_ci_percent": 0}))


def test_nobody_watches_a_fixed_number_and_a_source_is_needed(folder: RunFolder) -> None:
    assert watch(folder, (), ProtocolSettings()) is None
    with pytest.raises(UsageError, match="power source"):
        watch(folder, (), PROTOCOL)
    assert watch(folder, (replace(run_folders.PLUG, name="other"), run_folders.PLUG), PROTOCOL).source.name == "other"


def test_a_whole_run_ends_when_its_interval_is_narrow(
    runs: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What this machine takes meanwhile is not known, so the judgement is given."""

    def judge(_: PrecisionWatch, done: Collection[int]) -> Precision:
        return Precision(len(done), 0.01, is_enough=len(done) == 3)

    monkeypatch.setattr(PrecisionWatch, "judge", judge)
    protocol = {"cold_s": 0.3, "warmup": 0, "pause_s": 0.1, "until_ci_percent": 2.0, "max_repetitions": 30}
    outcome = runs((sys.executable, "-I", "-c", "pass"), **protocol)
    folder = RunFolder(outcome.run_path)
    status = read_status(folder.status)
    assert outcome.failures == []
    assert (status.state, [entry.state for entry in status.repetitions]) == (State.DONE, [State.DONE] * 3)
    assert [phase.name for phase in read_phases(folder.phases)] == ["cold", *["repetition"] * 3, "idle"]
    assert read_manifest(folder.manifest).protocol.until_ci_percent == 2
    seen = runs.seen.getvalue()
    assert "repetition 1 of at most 30" in seen
    assert "net energy ± 1 % after 3 (asked: 2 %): 3 repetitions are enough" in seen


def test_a_whole_run_ends_at_the_most(runs: Callable[..., Outcome]) -> None:
    protocol = {"cold_s": 0.3, "warmup": 0, "until_ci_percent": 1e-9, "min_repetitions": 5, "max_repetitions": 5}
    outcome = runs((sys.executable, "-I", "-c", "import time; time.sleep(0.3)"), **protocol)
    assert len(read_status(RunFolder(outcome.run_path).status).repetitions) == 5
    assert "not as narrow as asked, but 5 repetitions are the most" in runs.seen.getvalue()
