"""What a reader must know before any number: verdicts on repetitions, and what makes a measurement only a trial."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from terrawatt.analysis.table import ColumnKind, Table
from terrawatt.records import Severity, Verdict
from terrawatt.report.content import RepetitionKey, RunFacts
from terrawatt.report.language import recorded, say

# What publishable work needs (docs/protocol.md); below it, the report says that it shows a trial.
PUBLISHABLE_IDLE_S = 120
PUBLISHABLE_REPETITIONS = 10

_RANK = {Severity.UNUSABLE: 0, Severity.DOUBTFUL: 1, Severity.NOTE: 2}
_NUMBER = re.compile(r"\d+(\.\d+)?")

_MEASURED = (
    ColumnKind.ENERGY,
    ColumnKind.UNCERTAINTY,
    ColumnKind.GROSS,
    ColumnKind.DERIVED,
    ColumnKind.EMISSIONS,
    ColumnKind.HOST,
    ColumnKind.PERFORMANCE,
    ColumnKind.PHASE,
)


@dataclass(frozen=True, slots=True)
class VerdictLine:
    """One verdict with all the repetitions that it is about."""

    severity: Severity
    message: str
    advice: str
    columns: tuple[str, ...]
    repetitions: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How many of a table's repetitions are good, doubtful and unusable."""

    total: int
    doubtful: int
    unusable: int

    @property
    def good(self) -> int:
        """Repetitions without a verdict that weighs."""
        return self.total - self.doubtful - self.unusable


def standing(table: Table, verdicts: Mapping[RepetitionKey, tuple[Verdict, ...]]) -> Standing:
    """The repetitions, those without a row included, by their gravest verdict; notes do not weigh."""
    repetitions = dict.fromkeys([*_keys(table), *verdicts])
    gravest = [min((_RANK[verdict.severity] for verdict in verdicts.get(key, ())), default=2) for key in repetitions]
    return Standing(len(gravest), gravest.count(1), gravest.count(0))


def verdict_lines(table: Table, verdicts: Mapping[RepetitionKey, tuple[Verdict, ...]]) -> tuple[VerdictLine, ...]:
    """All verdicts, the gravest first; those that differ in numbers, columns or repetitions only are one line."""
    alike: dict[tuple[Severity, str, str], list[tuple[RepetitionKey, Verdict]]] = {}
    for key, of_repetition in verdicts.items():
        for verdict in of_repetition:
            kind = (verdict.severity, verdict.code, _NUMBER.sub("#", verdict.message))
            alike.setdefault(kind, []).append((key, verdict))
    n_repetitions = len(set(_keys(table)) | set(verdicts))
    lines = []
    for (severity, _, _), found in sorted(alike.items(), key=lambda item: _RANK[item[0][0]]):
        first = found[0][1]
        varies = any(verdict.message != first.message for _, verdict in found)
        lines.append(
            VerdictLine(
                severity=severity,
                message=say("{message} (the numbers vary)", message=first.message)
                if varies
                else recorded(first.message),
                advice=recorded(first.advice),
                columns=tuple(dict.fromkeys(verdict.column for _, verdict in found if verdict.column)),
                repetitions=_repetitions_in_words([key for key, _ in found], n_repetitions),
            )
        )
    return tuple(lines)


def without_unusable(table: Table, verdicts: Mapping[RepetitionKey, tuple[Verdict, ...]]) -> Table:
    """The table with the values taken out that a verdict forbids to use.

    A verdict on a column takes that cell and its uncertainty; one on the whole repetition takes all that was measured.
    """
    frame = table.frame.copy()
    measured = table.of_kind(*_MEASURED)
    for position, key in enumerate(_keys(table)):
        for verdict in verdicts.get(key, ()):
            if verdict.severity is not Severity.UNUSABLE:
                continue
            names = measured if verdict.column is None else [verdict.column, f"u {verdict.column}"]
            for name in names:
                if name in frame:
                    frame[name] = frame[name].where(np.arange(len(frame)) != position)
    return replace(table, frame=frame)


def trial_reasons(run: RunFacts) -> tuple[str, ...]:
    """What makes a run a trial rather than publishable work; empty when nothing does."""
    reasons = [
        say(
            "{name} {protocol:g} s (≥ {publishable_idle_s} s asked)",
            name=name,
            protocol=run.protocol[key],
            publishable_idle_s=PUBLISHABLE_IDLE_S,
        )
        for key, name in (("cold_s", say("idle before")), ("idle_after_s", say("idle after")))
        if _is_below(run.protocol.get(key), PUBLISHABLE_IDLE_S)
    ]
    key, at_least = (
        ("min_repetitions", say("at least ")) if run.protocol.get("until_ci_percent") else ("repetitions", "")
    )
    if _is_below(run.protocol.get(key), PUBLISHABLE_REPETITIONS):
        reasons.append(
            say(
                "{at_least}{protocol} repetitions (≥ {publishable_repetitions} asked)",
                at_least=at_least,
                protocol=run.protocol[key],
                publishable_repetitions=PUBLISHABLE_REPETITIONS,
            )
        )
    return tuple(reasons)


def estimates(runs: Iterable[RunFacts]) -> tuple[str, ...]:
    """The names of the sources that are a model of the power, not a meter."""
    return tuple(dict.fromkeys(source.name for run in runs for source in run.sources if source.is_estimate))


def _is_below(value: object, least: float) -> bool:
    """Whether a setting is known and too small."""
    return isinstance(value, int | float) and value < least


def _keys(table: Table) -> list[RepetitionKey]:
    """The key of each row; a table without repetitions' numbers, as of foreign measurements, counts its rows."""
    runs, groups, repetitions = (_integers(table, name) for name in ("Run", "Group", "Repetition"))
    return [
        (run, group, position if repetition is None else repetition)
        for position, (run, group, repetition) in enumerate(zip(runs, groups, repetitions, strict=True), start=1)
    ]


def _integers(table: Table, name: str) -> list[int | None]:
    if name not in table.frame:
        return [None] * len(table.frame)
    return [None if pd.isna(cell) else int(cell) for cell in table.frame[name]]


def _repetitions_in_words(keys: list[RepetitionKey], n_repetitions: int) -> str:
    """`all repetitions`, or `run 1, group 2: 1, 3; run 2: 1`, cut where it gets long."""
    distinct = list(dict.fromkeys(keys))
    if len(distinct) == n_repetitions:
        return say("all repetitions") if n_repetitions > 1 else say("the only repetition")
    by_run: dict[tuple[int | None, int | None], list[int]] = {}
    for run, group, repetition in distinct:
        by_run.setdefault((run, group), []).append(repetition)
    parts = [
        say("{run}repetition {numbers}", run=_run_in_words(run, group), numbers=_numbers(numbers))
        for (run, group), numbers in by_run.items()
    ]
    shown, hidden = parts[:4], len(parts) - 4
    return "; ".join(shown) + (say("; and in {hidden} more", hidden=hidden) if hidden > 0 else "")


def _run_in_words(run: int | None, group: int | None) -> str:
    words = [f"{name} {number}" for name, number in ((say("run"), run), (say("group"), group)) if number is not None]
    return f"{', '.join(words)}, " if words else ""


def _numbers(numbers: list[int]) -> str:
    shown = ", ".join(map(str, sorted(numbers)[:10]))
    return f"{shown}, …" if len(numbers) > 10 else shown
