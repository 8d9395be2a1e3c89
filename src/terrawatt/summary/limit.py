"""Whether a scenario takes more than another by more than is allowed: what lets a CI job pass or fail.

The interval of the ratio decides, not its value: wholly above the limit fails, wholly up to it passes, and one that
holds the limit is undecided.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from terrawatt.analysis.comparison import Comparison
from terrawatt.analysis.table import PERFORMANCE
from terrawatt.errors import UsageError
from terrawatt.report.language import localised, mark, say
from terrawatt.summary.wording import percents


class Decision(StrEnum):
    """What an interval says of a limit."""

    WITHIN = "within"
    ABOVE = "above"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class LimitVerdict:
    """One scenario against the first, as to a limit.

    Attributes:
        column: what is compared.
        reference: the first scenario.
        scenario: the one that is judged.
        limit: the share that it may take more.
        low: lower end of the 95 % interval of scenario by reference; None where there is no comparison.
        high: upper end.
        decision: what that says.
        words: the same in words.
    """

    column: str
    reference: str
    scenario: str
    limit: float
    low: float | None
    high: float | None
    decision: Decision
    words: str


def check_limited(columns: Sequence[str]) -> None:
    """See that more of each column is worse.

    Raises:
        UsageError: it is a score.
    """
    scores = {column.name for column in PERFORMANCE}
    if found := [column for column in columns if column in scores]:
        raise UsageError(f"--fail-above: {found[0]} is a score, of which more is better; give an energy or a duration")


def judge_limit(comparison: Comparison, column: str, limit: float) -> LimitVerdict:
    """Judge the second scenario of a comparison against the first.

    Args:
        comparison: the reference first.
        column: what is compared.
        limit: the share that the second may take more, e.g. 0.05.
    """
    reference, scenario = comparison.first, comparison.second
    if comparison.low is None or comparison.high is None or comparison.low <= 0:
        reason = comparison.reason or say("no interval")
        words = say("{scenario}: undecided: {reason}", scenario=scenario, reason=reason)
        return LimitVerdict(column, reference, scenario, limit, None, None, Decision.UNDECIDED, words)
    low, high = 1 / comparison.high, 1 / comparison.low
    decision = _decide(low, high, 1 + limit)
    low_text, high_text = percents(100 * (low - 1), 100 * (high - 1), signed=True)
    words = say(
        "{scenario}: {decision}: {column} {low} to {high} % against {reference}, and up to {limit} % are allowed",
        scenario=scenario,
        decision=say(_WORDS[decision]),
        column=column,
        low=low_text,
        high=high_text,
        reference=reference,
        limit=localised(f"{100 * limit:+g}"),
    )
    return LimitVerdict(column, reference, scenario, limit, low, high, decision, words)


_WORDS = {
    Decision.WITHIN: mark("within the limit"),
    Decision.ABOVE: mark("above the limit"),
    Decision.UNDECIDED: mark("undecided"),
}


def _decide(low: float, high: float, limit: float) -> Decision:
    if low > limit:
        return Decision.ABOVE
    return Decision.WITHIN if high <= limit else Decision.UNDECIDED
