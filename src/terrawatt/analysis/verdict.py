"""What is wrong or doubtful with a repetition, as data, and as the one text of the table's column `Verdict`."""

import math
from collections.abc import Iterable, Sequence

from terrawatt.analysis.baseline import Baseline
from terrawatt.analysis.energy import Energy
from terrawatt.analysis.signal import Signal
from terrawatt.analysis.stability import Stability, stability
from terrawatt.analysis.uncertainty import accuracy_problem
from terrawatt.records import Severity, SourceDescription, Verdict
from terrawatt.units import format_duration

FEW_READINGS = 10  # below: doubtful (EE HPC power measurement methodology)
SMALL_DRIFT = 0.01  # share of the net power: of the idle level, up to it a note, above it doubtful
SMALL_GAP, LARGE_GAP = 0.01, 0.10  # shares of a window: up to the first a note, above the second unusable

_S_PER_H = 3600.0
_LONGER = "repeat the workload inside the window with protocol.min_window_s, or use a source that reads more often"
_RANK = {Severity.UNUSABLE: 0, Severity.DOUBTFUL: 1, Severity.NOTE: 2}


def energy_verdicts(energy: Energy, description: SourceDescription, idle: Baseline) -> tuple[Verdict, ...]:
    """What is to be said of one repetition's energy by one source."""
    column = f"Energy ({energy.source})"
    if energy.gross.reason:
        return (Verdict("no-energy", Severity.UNUSABLE, energy.gross.reason, _LONGER, column),)
    verdicts = [*_readings(energy, column), *_gap(energy, column), *_idle(energy, idle, column)]
    if problem := accuracy_problem(description.accuracy):
        advice = f"set accuracy of the source {energy.source}, as its data sheet gives it"
        verdicts.append(missing_verdict(f"u Energy ({energy.source})", problem, advice))
    if description.is_estimate:
        message = f"{energy.source} is a model of the power, not a meter"
        verdicts.append(Verdict("estimate", Severity.NOTE, message, "measure with a meter to publish joules"))
    return tuple(verdicts)


def stability_verdicts(energies: Iterable[Energy], idle: Baseline) -> tuple[tuple[Verdict, ...], ...]:
    """What is to be said of each repetition's energy when the idle level was not steady, beyond its noise."""
    found = stability(idle)
    idle_s = idle.before.window.duration_s if idle.before is not None else math.nan
    return tuple(() if energy.net.reason else tuple(_unsteady(energy, found, idle_s)) for energy in energies)


def restart_verdict(source: str, signal: Signal) -> tuple[Verdict, ...]:
    """What is to be said of a counter that began again while it was read."""
    if not signal.n_resets:
        return ()
    times = "once" if signal.n_resets == 1 else f"{signal.n_resets} times"
    message = f"the counter of {source} began again {times} during the run; what it counted meanwhile is bridged"
    return (Verdict("source-restarted", Severity.NOTE, message, "see why the meter restarted: power, network, update"),)


def missing_verdict(column: str, reason: str, advice: str = "") -> Verdict:
    """The note that explains an empty cell which is not an energy of the main kind."""
    return Verdict("missing", Severity.NOTE, reason, advice, column)


def source_verdict(source: str, reason: str) -> Verdict:
    """A power source without any reading."""
    advice = "see the source's settings and log.txt"
    return Verdict("no-source", Severity.UNUSABLE, reason, advice, f"Energy ({source})")


def ending_verdict(state: str, reason: str) -> Verdict:
    """A repetition that did not end well: its numbers would not be those of the workload."""
    message = f"{state}: {reason}" if reason not in ("", state) else state
    return Verdict(f"{state}-repetition", Severity.UNUSABLE, message, "see log.txt; run it again")


def is_unusable(verdicts: Iterable[Verdict], main_source: str) -> bool:
    """Whether a repetition's numbers must not be used: a verdict on all of it, or on the main source's energy."""
    decisive = {None, f"Energy ({main_source})"}
    return any(verdict.severity is Severity.UNUSABLE and verdict.column in decisive for verdict in verdicts)


def verdict_text(verdicts: Sequence[Verdict]) -> str:
    """The cell of the column `Verdict`: empty when good.

    First what is unusable, then what is doubtful, then why cells are empty; columns with the same reason together.
    Notes that explain no cell are left out.
    """
    told = [verdict for verdict in verdicts if verdict.severity is not Severity.NOTE or verdict.column]
    told.sort(key=lambda verdict: _RANK[verdict.severity])  # stable: else in the order given
    columns: dict[tuple[Severity, str], list[str]] = {}
    for verdict in told:
        columns.setdefault((verdict.severity, verdict.message), []).extend([verdict.column] if verdict.column else [])
    return "; ".join(_clause(severity, message, names) for (severity, message), names in columns.items())


def _clause(severity: Severity, message: str, columns: Sequence[str]) -> str:
    about = f"{', '.join(dict.fromkeys(columns))}: " if columns else ""
    weight = "" if severity is Severity.NOTE else f"{severity}: "
    return f"{weight}{about}{message}"


def _readings(energy: Energy, column: str) -> Iterable[Verdict]:
    n_readings = energy.integral.n_readings
    if n_readings < FEW_READINGS:
        message = f"only {n_readings} readings in the window, {FEW_READINGS} wanted"
        yield Verdict("too-few-readings", Severity.DOUBTFUL, message, _LONGER, column)


def _gap(energy: Energy, column: str) -> Iterable[Verdict]:
    gap_s, share = energy.integral.gap_s, energy.integral.gap_share
    if gap_s <= 0:
        return
    length = format_duration(gap_s) if gap_s >= 1 else f"{gap_s:.2g} s"
    of_energy = energy.integral.gap_value_share
    shares = f"{share:.1%} of the window" + ("" if math.isnan(of_energy) else f", {of_energy:.1%} of its energy")
    message = f"{length} without readings ({shares})"
    severity = Severity.UNUSABLE if share > LARGE_GAP else Severity.DOUBTFUL if share > SMALL_GAP else Severity.NOTE
    about = column if severity is not Severity.NOTE else None
    yield Verdict("gap", severity, message, "see whether the source was reachable all the time", about)


def _idle(energy: Energy, idle: Baseline, column: str) -> Iterable[Verdict]:
    if energy.net.reason:
        advice = "lengthen protocol.cold_s: 300 s for publishable work"
        yield Verdict("no-baseline", Severity.UNUSABLE, energy.net.reason, advice, column)
        return
    if idle.before is not None and idle.before.n_readings < FEW_READINGS:
        message = f"only {idle.before.n_readings} readings in the idle period, {FEW_READINGS} wanted"
        yield Verdict("short-baseline", Severity.DOUBTFUL, message, "lengthen protocol.cold_s", column)
    if idle.after is None:
        message = f"{energy.source}: idle was measured only before, so a drift of the idle level is not seen"
        yield Verdict("single-baseline", Severity.NOTE, message, "set protocol.idle_after_s")
    if not math.isnan(energy.net.energy_j) and energy.net.energy_j < -2 * energy.net.u_j:
        message = "less power than when idle"
        yield Verdict("below-idle", Severity.DOUBTFUL, message, "see what else ran in the idle period", column)


def _unsteady(energy: Energy, found: Stability, idle_s: float) -> Iterable[Verdict]:
    """Each way in which the idle level was not steady, by how far the level may be off because of it."""
    level = f"the idle level of {energy.source}"
    if "baseline-change" in found.codes:
        severity, share, column = _weight(energy, found.change / 2)
        message = f"{level} changed by {found.change:+.3g} W (u = {found.u_change:.2g} W): {share}"
        advice = "warm the machine up longer before the cold period, and see what else ran"
        yield Verdict("baseline-change", severity, message, advice, column)
    if "baseline-slope" in found.codes:
        severity, share, column = _weight(energy, found.slope_per_h * idle_s / _S_PER_H / 2)
        message = f"{level} was not at rest ({found.slope_per_h:+.3g} W/h, u = {found.u_slope_per_h:.2g} W/h): {share}"
        advice = "lengthen protocol.cold_s, and let the machine come to rest before a run"
        yield Verdict("baseline-slope", severity, message, advice, column)
    if "baseline-bursts" in found.codes:
        severity, share, column = _weight(energy, found.burst_lift)
        message = f"single high readings lift {level} by {found.burst_lift:.2g} W: {share}"
        advice = "end other programs, services and updates; measure again when the machine is idle"
        yield Verdict("baseline-bursts", severity, message, advice, column)


def _weight(energy: Energy, off_w: float) -> tuple[Severity, str, str | None]:
    """How much an idle level that may be off weighs, by its share of the net power: severity, in words, column."""
    power_w = energy.integral.mean - energy.baseline_w
    share = abs(off_w) / abs(power_w) if power_w else math.inf
    words = f"up to {share:.1%} of the net energy" if share < 1 else "more than the net power"
    if share <= SMALL_DRIFT:
        return Severity.NOTE, words, None
    return Severity.DOUBTFUL, words, f"Energy ({energy.source})"
