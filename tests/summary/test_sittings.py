"""Repetitions of several sittings: each by its own idle periods."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from run_folders import PLUG, T0, S
from scattered_runs import change_manifest
from sweep_folders import GAP_S, WINDOW_S, Sweep, make_sweep
from terrawatt.analysis.comparison import Method
from terrawatt.records import Phase, PhaseName
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.manifest import Change
from terrawatt.runs.phases import read_phases, write_phases
from terrawatt.runs.status import RunStatus, write_status
from terrawatt.summary.collect import RunData, collect
from terrawatt.summary.compare import compare_runs
from terrawatt.summary.curves import power_curves
from terrawatt.summary.describe import run_record
from terrawatt.summary.gather import Gathered, gather
from terrawatt.summary.rows import run_rows
from terrawatt.summary.series import stretches

ENERGY, COMMON = "Energy (plug)", "u common Energy (plug)"


@pytest.fixture
def sweep(tmp_path: Path) -> Callable[..., Path]:
    return lambda **changes: make_sweep(tmp_path / "results", 1, Sweep(**changes))


def group(path: Path, number: int) -> RunData:
    return collect(RunFolder(path / f"group_{number}"))


def cells(gathered: Gathered, column: str) -> list[float]:
    return [float(value) for value in gathered.table.frame[column]]


def test_each_repetition_has_the_idle_level_of_its_own_sitting(sweep: Callable[..., Path]) -> None:
    path = sweep(idle_w=(40.0, 41.0, 42.0, 45.0, 47.0, 48.0, 50.0), net_w={"b": 80.0})
    gathered = gather([path])
    net = dict(zip([row.key[1:] for row in gathered.rows], cells(gathered, ENERGY), strict=True))
    for block in (1, 2, 3):
        assert net[1, block] == pytest.approx(50 * WINDOW_S, rel=2e-3)
        assert net[2, block] == pytest.approx(80 * WINDOW_S, rel=2e-3)
    assert cells(gathered, "Block") == cells(gathered, "Repetition")


def test_the_idle_level_of_other_sittings_is_no_common_error(sweep: Callable[..., Path]) -> None:
    data = group(sweep(), 1)
    rows = run_rows(data)
    whole = replace(data, phases=tuple(replace(phase, sitting=1) for phase in data.phases))
    in_one = run_rows(whole)
    for apart, together in zip(rows.rows, in_one.rows, strict=True):
        parts = {part.name: part for part in apart.energies["plug"].net.budget}
        assert parts["baseline"].u_j > 0
        assert parts["baseline"].shared_u_j == 0
        assert parts["meter"].shared_u_j == parts["meter"].u_j
        assert {part.name: part.shared_u_j for part in together.energies["plug"].net.budget}["baseline"] > 0
        assert float(apart.values[COMMON] or 0) == pytest.approx(
            math.hypot(*(part.shared_u_j for name, part in parts.items() if name != "baseline"))
        )


def test_a_resumed_scenario_shares_within_its_sittings_only(sweep: Callable[..., Path]) -> None:
    path = sweep(models=("a",), blocks=4, between_s=1000)
    folder = RunFolder(path)
    phases = read_phases(folder.phases)
    write_phases(folder.phases, [_joined(phase) for phase in phases if not _is_inner_idle(phase)])
    rows = run_rows(collect(folder)).rows
    shares = [
        part.shared_u_j / part.u_j
        for row in rows
        for part in row.energies["plug"].net.budget
        if part.name == "baseline"
    ]
    assert len(shares) == 4
    assert all(0 < share < 1 for share in shares)


def _joined(phase: Phase) -> Phase:
    """Four sittings as two: 1 and 2, 3 and 4."""
    return replace(phase, sitting=(phase.sitting + 1) // 2)


def _is_inner_idle(phase: Phase) -> bool:
    return (phase.name == PhaseName.IDLE and phase.sitting % 2 == 1) or (
        phase.name == PhaseName.COLD and phase.sitting % 2 == 0
    )


def test_a_sitting_reads_the_series_around_it_only(sweep: Callable[..., Path]) -> None:
    path = sweep(between_s=5000, models=("a",))
    data = collect(RunFolder(path))
    assert len(stretches(data.phases)) == 3
    assert len(data.series[PLUG.series]) == 3 * (2 * GAP_S + WINDOW_S)
    for sitting in data.sittings:
        assert len(sitting.series[PLUG.series]) == 2 * GAP_S + WINDOW_S
        assert [phase.sitting for phase in sitting.phases] == list(sitting.sitting_numbers) * 4


def test_sittings_next_to_each_other_are_read_once(sweep: Callable[..., Path]) -> None:
    data = group(sweep(), 2)
    (read,) = stretches(data.phases)
    assert read[0] < data.phases[0].window.start_ns
    times = data.series[PLUG.series].t_ns
    assert (np.diff(times) > 0).all()


def test_a_run_in_one_sitting_is_its_own_sitting(make_run: Callable[..., Path]) -> None:
    data = collect(RunFolder(make_run()))
    assert data.sittings == (data,)
    assert data.sitting(1) is data
    assert run_record(run_rows(data)).sittings == ()


def test_the_record_has_the_idle_levels_of_each_sitting(sweep: Callable[..., Path]) -> None:
    record = run_record(run_rows(group(sweep(idle_w=(40.0, 41.0, 42.0, 43.0, 44.0, 45.0, 46.0)), 1)))
    before = [one.baselines["plug"].before for one in record.sittings]
    assert [level.level_w for level in before if level] == pytest.approx([40, 42, 44], abs=0.05)
    assert record.baselines == record.sittings[0].baselines
    assert [one.cold_levels["CPU"] for one in record.sittings] == [5.0, 5.0, 5.0]


def test_verdicts_on_an_idle_level_are_those_of_its_sitting(sweep: Callable[..., Path]) -> None:
    rows = run_rows(group(sweep(idle_w=(40.0, 40.0, 40.0, 40.0, 40.0, 55.0, 55.0)), 1)).rows
    changed = [any(verdict.code == "baseline-change" for verdict in row.verdicts) for row in rows]
    assert changed == [False, False, True]


def test_a_restart_of_the_sampler_is_seen_in_a_late_sitting(sweep: Callable[..., Path]) -> None:
    start_s = 5000 + 2 * GAP_S + WINDOW_S
    path = sweep(models=("a",), between_s=5000, starts_s=(start_s + GAP_S + 10,))
    rows = run_rows(collect(RunFolder(path))).rows
    restarted = [any(verdict.code == "sampler-restarted" for verdict in row.verdicts) for row in rows]
    assert restarted == [False, True, False]


def test_scenarios_of_a_sweep_are_compared_within_its_blocks(sweep: Callable[..., Path]) -> None:
    path = sweep(net_w={"b": 60.0}, idle_w=(40.0, 41.0, 43.0, 42.0, 44.0, 46.0, 45.0))
    (verdict,) = compare_runs([path]).columns[0].verdicts
    comparison = verdict.comparison
    assert (comparison.method, comparison.n_pairs) == (Method.PAIRED, 3)
    assert comparison.ratio == pytest.approx(50 / 60, rel=5e-3)
    assert "baseline" not in comparison.u_common


def test_a_curve_shows_its_sitting_and_no_neighbour(sweep: Callable[..., Path]) -> None:
    curves, _ = power_curves(gather([sweep(net_w={"b": 500.0})]))
    of_a = next(curve for curve in curves if curve.key[1] == 1)
    assert of_a.power_w.max() < 100
    assert {window.name for window in of_a.windows} == {"idle", "repetition"}
    assert len(of_a.baseline) == 2
    assert of_a.t_s.min() == pytest.approx(-GAP_S, abs=1.5)
    assert of_a.t_s.max() == pytest.approx(WINDOW_S + GAP_S, abs=1.5)


def test_what_changed_at_a_resume_is_a_factor(sweep: Callable[..., Path]) -> None:
    path = sweep()
    change_manifest(path / "group_1", changes=(Change(3, "versions.torch", "2.4", f"2.5+{'a' * 40}"),))
    gathered = gather([path], accept_changes=True)
    assert list(gathered.table.frame["Change"]) == ["none", "none", "versions.torch: 2.4 → 2.5+aaaaaaa", *["none"] * 3]
    assert "Change" not in gather([path / "group_2"]).table.frame


def test_a_repetition_that_is_alone_in_its_folder_has_others_in_other_blocks(sweep: Callable[..., Path]) -> None:
    path = sweep(models=("a",), blocks=1)
    (row,) = run_rows(collect(RunFolder(path))).rows
    change_manifest(path, blocks=(1, 2, 3))
    (of_many,) = run_rows(collect(RunFolder(path))).rows
    shared = [
        {part.name: part.shared_u_j for part in one.energies["plug"].net.budget}["baseline"] for one in (row, of_many)
    ]
    assert shared[0] > shared[1] == 0


def test_a_scenario_whose_turn_has_not_come_has_no_rows(sweep: Callable[..., Path]) -> None:
    path = sweep()
    folder = RunFolder(path / "group_2")
    folder.phases.unlink()
    write_status(folder.status, RunStatus.pending(3))
    gathered = gather([path])
    assert [row.key[1] for row in gathered.rows] == [1, 1, 1]
    assert any("group_2" in note and "have not ended" in note for note in gathered.notes)


def test_the_first_reading_of_a_store_is_before_all_sittings(sweep: Callable[..., Path]) -> None:
    assert group(sweep(), 1).phases[0].window.start_ns == T0
    assert S == 10**9
