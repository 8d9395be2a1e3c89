"""The power curves that a report shows: of which repetitions, and their parts."""

import math
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

import numpy as np

from terrawatt.analysis.baseline import Baseline
from terrawatt.analysis.scenarios import scenario_rows
from terrawatt.analysis.signal import Signal, source_signal
from terrawatt.records import (
    Float64Array,
    Int64Array,
    Phase,
    PhaseName,
    Semantics,
    Severity,
    SourceDescription,
)
from terrawatt.report.content import BudgetPart, CurveEnergy, CurveWindow, PowerCurve
from terrawatt.report.workers import MANY_ROWS, Here
from terrawatt.summary.beside import shown
from terrawatt.summary.gather import Gathered
from terrawatt.summary.reader import Reader
from terrawatt.summary.rows import Row, RunRows
from terrawatt.units import NS_PER_S

MAX_CURVES = 16  # of some 80 kB each: the page of a large experiment stays below 5 MB
TYPICAL = "the repetition nearest to the median of its scenario"
_OF_THE_RUN = {
    PhaseName.COLD: "idle",
    PhaseName.IDLE: "idle",
    PhaseName.WARMUP: "warm-up",
    PhaseName.REPETITION: "repetition",
}
_RANK = {Severity.UNUSABLE: 0, Severity.DOUBTFUL: 1}


@dataclass(frozen=True, slots=True)
class _Choice:
    """A row that is worth a curve: its position, its scenario, why, and how much it matters (0 first)."""

    row: int
    scenario: str
    why: str
    rank: int


def power_curves(gathered: Gathered, executor: Executor | None = None) -> tuple[tuple[PowerCurve, ...], int]:
    """The curves of a typical repetition of each scenario, and of each with a verdict that the typical one has not.

    At most `MAX_CURVES`: the typical ones first, then by the weight of the verdicts.

    Returns:
        The curves in the order of the rows, and the number of those left out for their number.
    """
    choices = [choice for choice in _choices(gathered) if _main_source(gathered, choice.row) is not None]
    kept = sorted(choices, key=lambda choice: choice.rank)[:MAX_CURVES]
    kept.sort(key=lambda choice: choice.row)
    runs = [_run(gathered, choice.row) for choice in kept]
    rows = [gathered.rows[choice.row] for choice in kept]
    executor = executor if executor is not None and len(gathered.rows) >= MANY_ROWS else Here()
    curves = executor.map(partial(_curve, gathered.reader), runs, rows, kept)
    return tuple(curves), len(choices) - len(kept)


def _choices(gathered: Gathered) -> list[_Choice]:
    scenarios = scenario_rows(gathered.table)
    found: list[_Choice] = []
    for scenario in scenarios:
        label = scenario.label if len(scenarios) > 1 else ""
        typical = _typical(gathered, [int(row) for row in scenario.rows])
        known: set[tuple[str, str | None]] = set()
        if typical is not None:
            found.append(_Choice(typical, label, TYPICAL, -1))
            known = _weighing(gathered.rows[typical])
        for row in map(int, scenario.rows):
            further = _weighing(gathered.rows[row]) - known
            if row != typical and further:
                found.append(_Choice(row, label, *_why(gathered.rows[row], further)))
    return found


def _typical(gathered: Gathered, rows: Sequence[int]) -> int | None:
    """The usable row whose net energy is nearest to the median; None where no row has one."""
    energies = {row: _net_j(gathered, row) for row in rows if not gathered.rows[row].is_unusable}
    known = {row: energy for row, energy in energies.items() if math.isfinite(energy)}
    if not known:
        return None
    median = float(np.median(list(known.values())))
    return min(known, key=lambda row: (abs(known[row] - median), row))


def _net_j(gathered: Gathered, row: int) -> float:
    source = _main_source(gathered, row)
    energy = gathered.rows[row].energies.get(source.name) if source is not None else None
    return energy.net.energy_j if energy is not None else math.nan


def _weighing(row: Row) -> set[tuple[str, str | None]]:
    """The verdicts of a row that are more than notes, by what they are and what they are about."""
    return {(verdict.code, verdict.column) for verdict in row.verdicts if verdict.severity in _RANK}


def _why(row: Row, further: Iterable[tuple[str, str | None]]) -> tuple[str, int]:
    """The gravest of some verdicts of a row in words, and its rank."""
    wanted = set(further)
    verdicts = [verdict for verdict in row.verdicts if (verdict.code, verdict.column) in wanted]
    gravest = min(verdicts, key=lambda verdict: _RANK[verdict.severity])
    return f"{gravest.severity}: {gravest.message}", _RANK[gravest.severity]


def _run(gathered: Gathered, row: int) -> RunRows:
    return gathered.runs[gathered.run_of[row]]


def _main_source(gathered: Gathered, row: int) -> SourceDescription | None:
    """The first source with readings; None where there is none, or the repetition has no window."""
    return _drawn_source(_run(gathered, row), gathered.rows[row])


def _drawn_source(run: RunRows, row: Row) -> SourceDescription | None:
    name = run.beside.drawable.get(row.key[2])
    return next((source for source in run.run.manifest.sources if source.name == name), None)


def _curve(reader: Reader, run: RunRows, row: Row, choice: _Choice) -> PowerCurve:
    number, source = row.key[2], _drawn_source(run, row)
    repetition = run.run.repetition(number)
    if source is None or repetition is None:
        raise ValueError(f"row {choice.row} has no curve")
    data, zero_ns = reader.power_of(run.run, repetition.sitting), repetition.window.start_ns
    signal = source_signal(shown(data, source), source)
    windows = [_window(phase, _OF_THE_RUN[PhaseName(phase.name)], zero_ns) for phase in _of_the_run(data.phases)]
    inner = [phase for phase in data.phases if phase.repetition == number and phase.name not in _OF_THE_RUN]
    t_ns, power_w = _points(signal)
    return PowerCurve(
        key=row.key,
        name=f"{data.name}, repetition {number}",
        scenario=choice.scenario,
        why=choice.why,
        source=source,
        t_s=_seconds_since(t_ns, zero_ns),
        power_w=power_w,
        windows=tuple(windows),
        this=_window(repetition, "this repetition", zero_ns),
        phases=tuple(_window(phase, phase.name, zero_ns) for phase in inner),
        gaps=_gaps(signal, zero_ns),
        baseline=_baseline(run.sources[source.name].idles.get(repetition.sitting), zero_ns),
        energy=_energy(row, source.name),
    )


def _of_the_run(phases: Iterable[Phase]) -> list[Phase]:
    return [phase for phase in phases if phase.name in _OF_THE_RUN]


def _window(phase: Phase, name: str, zero_ns: int) -> CurveWindow:
    return CurveWindow(name, (phase.window.start_ns - zero_ns) / NS_PER_S, (phase.window.end_ns - zero_ns) / NS_PER_S)


def _points(signal: Signal) -> tuple[Int64Array, Float64Array]:
    """Times and powers as they are drawn: at a reading, or for means and counters the level of the cell before it."""
    if signal.semantics in (Semantics.INSTANTANEOUS, Semantics.ON_CHANGE):
        return signal.t_ns, signal.value
    return signal.t_ns, np.concatenate((signal.level[:1], signal.level))


def _seconds_since(t_ns: Int64Array, zero_ns: int) -> Float64Array:
    return np.asarray((t_ns - zero_ns) / np.float64(NS_PER_S))


def _gaps(signal: Signal, zero_ns: int) -> tuple[tuple[float, float], ...]:
    """Cells of which no reading speaks, neighbours joined."""
    edges = np.diff(np.concatenate(([0], signal.is_bridged.astype(np.int8), [0])))
    starts, ends = (_seconds_since(signal.t_ns[np.flatnonzero(edges == kind)], zero_ns) for kind in (1, -1))
    return tuple(zip(starts.tolist(), ends.tolist(), strict=True))


def _baseline(idle: Baseline | None, zero_ns: int) -> tuple[tuple[float, float], ...]:
    """The corners of the idle level: constant outside the middles of the idle periods, linear between them."""
    levels = [level for level in (idle.before, idle.after) if level is not None] if idle is not None else []
    return tuple(((level.middle_ns - zero_ns) / NS_PER_S, level.level) for level in levels)


def _energy(row: Row, source: str) -> CurveEnergy:
    energy = row.energies.get(source)
    if energy is None:
        return CurveEnergy(math.nan, math.nan, math.nan, (), "the repetition did not end well")
    net = energy.net
    budget = tuple(BudgetPart(part.name, part.u_j) for part in net.budget)
    return CurveEnergy(net.energy_j, net.u_j, net.half_width_j, budget, net.reason)
