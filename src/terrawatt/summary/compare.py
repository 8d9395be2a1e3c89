"""`terrawatt compare`: scenarios against each other, each verdict with what it rests on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

from pydantic import TypeAdapter

from terrawatt.analysis.comparison import Comparison, compare, compare_all
from terrawatt.analysis.repetitions import CONFIDENCE, CommonError, Repeated, RepeatedMean, repeated_mean
from terrawatt.analysis.stopping import QUANTILE
from terrawatt.config import Settings
from terrawatt.errors import UsageError
from terrawatt.records import MeterError
from terrawatt.report.language import decimal, recorded, say, typeset
from terrawatt.report.numbers import plain
from terrawatt.summary.gather import Gathered, gather
from terrawatt.summary.likeness import remarks, unlike
from terrawatt.summary.limit import Decision, LimitVerdict, check_limited, judge_limit
from terrawatt.summary.scenarios import METER, By, ScenarioValues, column_of, scenarios_of
from terrawatt.summary.wording import verdict

FORMAT_VERSION = 1
_SAME_POWER = 0.1  # powers that differ by less are one power to a meter


@dataclass(frozen=True, slots=True)
class ComparedScenario:
    """One scenario: its runs, its mean over the usable repetitions, and those that are left out."""

    label: str
    runs: tuple[str, ...]
    mean: RepeatedMean
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One comparison, and what it says in words."""

    comparison: Comparison
    words: str


@dataclass(frozen=True, slots=True)
class ColumnComparison:
    """All comparisons of one column: one family."""

    column: str
    unit: str
    scenarios: tuple[ComparedScenario, ...]
    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ComparisonReport:
    """What `terrawatt compare --json` prints.

    Attributes:
        columns: each compared column.
        accepted_differences: what differs between the runs though they are compared.
        notes: other remarks.
        limits: each scenario against the first, as to the limit that is asked for.
    """

    columns: tuple[ColumnComparison, ...]
    accepted_differences: tuple[str, ...]
    notes: tuple[str, ...]
    limits: tuple[LimitVerdict, ...] = ()
    format_version: int = FORMAT_VERSION

    @property
    def has_numbers(self) -> bool:
        """Whether anything could be compared."""
        return any(one.comparison.ratio is not None for column in self.columns for one in column.verdicts)

    def limited(self, limit: float) -> "ComparisonReport":
        """The same with a verdict on each comparison: whether the second takes more than the first by that share.

        Raises:
            UsageError: more of a column is better.
        """
        check_limited([column.column for column in self.columns])
        found = [
            judge_limit(one.comparison, column.column, limit) for column in self.columns for one in column.verdicts
        ]
        return replace(self, limits=tuple(found))

    def decided(self, decision: Decision) -> tuple[LimitVerdict, ...]:
        """The verdicts of one kind."""
        return tuple(one for one in self.limits if one.decision is decision)

    def as_json(self) -> str:
        """All of it as JSON; what is not known is null."""
        return TypeAdapter(ComparisonReport).dump_json(self, indent=2).decode()


def compare_runs(
    runs: Sequence[Path],
    columns: Sequence[str] = (),
    *,
    by: By | None = None,
    all_pairs: bool = False,
    may_pair: bool = True,
    accept_differences: bool = False,
    accept_changes: bool = False,
    settings: Settings | None = None,
) -> ComparisonReport:
    """Compare the scenarios of some runs, the first with each other one.

    Args:
        runs: run folders, or folders of groups.
        columns: what is compared, each a family of its own; none: the main net energy.
        by: what counts as one scenario; None: equal parameters, or each run when all have the same ones.
        all_pairs: compare each pair.
        may_pair: pair by block where scenarios have blocks in common.
        accept_differences: compare runs of different machines, meters or data.
        accept_changes: use files that were changed since they were measured; a note says so.
        settings: of a database that has series which a folder lacks, as those of the older scripts do.

    Raises:
        UsageError: one scenario only, no such column, or the runs are unlike.
        RunFolderError: none of the folders can be read.
        ChangedFilesError: a file was changed or is gone since it was measured, and that is not accepted.
        AnalysisError: no repetition has ended.
    """
    gathered = gather(runs, accept_changes=accept_changes, settings=settings)
    manifests = [run.run.manifest for run in gathered.runs]
    differences = unlike(manifests)
    if differences and not accept_differences:
        raise UsageError(
            f"the runs differ in {'; '.join(differences)}; to compare them all the same: --accept-differences"
        )
    names = [column_of(gathered, name) for name in columns] or [column_of(gathered, None)]
    compared = [_column(gathered, name, by, all_pairs=all_pairs, may_pair=may_pair) for name in names]
    notes = (
        *map(_note_in_words, gathered.notes),
        *(say("the runs differ in {what}", what=remark) for remark in remarks(manifests)),
    )
    return ComparisonReport(tuple(compared), tuple(differences), notes)


def _note_in_words(note: str) -> str:
    """A remark on a run, `run_1: …`, in the language that is spoken."""
    run, colon, remark = note.partition(": ")
    whole = recorded(note)
    return whole if whole != note or not colon else typeset(f"{run}: {recorded(remark)}")


def _column(gathered: Gathered, column: str, by: By | None, *, all_pairs: bool, may_pair: bool) -> ColumnComparison:
    scenarios = scenarios_of(gathered, column, by)
    if len(scenarios) < 2:
        raise UsageError(f"{scenarios[0].label}: one scenario, and nothing to compare it with; give another run")
    pairs = list(combinations(scenarios, 2)) if all_pairs else [(scenarios[0], other) for other in scenarios[1:]]
    found = compare_all([(first.values, second.values) for first, second in pairs], may_pair=may_pair)
    notes = [
        *(say("left out: {what}", what=text) for scenario in scenarios for text in scenario.values.left_out),
        *(note for pair, one in zip(pairs, found, strict=True) for note in _meter_note(gathered, pair, one, may_pair)),
        *_stopping_note(scenarios),
    ]
    return ColumnComparison(
        column=column,
        unit=gathered.table.unit(column),
        scenarios=tuple(_compared(scenario) for scenario in scenarios),
        verdicts=tuple(Verdict(one, verdict(one, column)) for one in found),
        notes=tuple(notes),
    )


def _compared(scenario: ScenarioValues) -> ComparedScenario:
    confidence = QUANTILE if scenario.stopped_by_interval else CONFIDENCE
    mean = repeated_mean(scenario.values, confidence)
    return ComparedScenario(scenario.label, scenario.runs, mean, scenario.values.left_out)


def _meter_note(
    gathered: Gathered, pair: tuple[ScenarioValues, ScenarioValues], found: Comparison, may_pair: bool
) -> list[str]:
    """What rests on the meter erring alike at two powers, where that is not known."""
    first, second = pair
    errors = {source.error for run in gathered.runs for source in run.run.manifest.sources[:1]}
    if found.ratio is None or first.power_w is None or second.power_w is None or errors != {MeterError.UNKNOWN}:
        return []
    if abs(first.power_w - second.power_w) <= _SAME_POWER * max(first.power_w, second.power_w):
        return []
    apart = compare(_with_own_meter(first.values), _with_own_meter(second.values), may_pair=may_pair)
    if apart.low is None or apart.high is None:
        return []
    note = say(
        "{first} and {second} draw {power} W and {power_2} W; were the errors of the meter at these powers unrelated, "
        "the ratio's interval would be {low} to {high}",
        first=first.label,
        second=second.label,
        power=decimal(first.power_w, ".0f"),
        power_2=decimal(second.power_w, ".0f"),
        low=plain(apart.low),
        high=plain(apart.high),
    )
    return [note]


def _with_own_meter(repeated: Repeated) -> Repeated:
    """The scenario as if measured with a meter of its own."""
    common = {
        CommonError(error.name, f"{error.bearer} for {repeated.label}") if error.name == METER else error: u
        for error, u in repeated.common.items()
    }
    return replace(repeated, common=common)


def _stopping_note(scenarios: Sequence[ScenarioValues]) -> list[str]:
    labels = [scenario.label for scenario in scenarios if scenario.stopped_by_interval]
    if not labels:
        return []
    return [
        say(
            "repeated until the interval was narrow (--until-ci), so with a wider interval: {scenarios}",
            scenarios=", ".join(labels),
        )
    ]
