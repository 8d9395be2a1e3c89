"""The decision on a limit, by the interval of a ratio."""

import pytest

from terrawatt.analysis.comparison import Comparison, Method
from terrawatt.errors import UsageError
from terrawatt.summary.limit import Decision, check_limited, judge_limit


def found(low: float | None, high: float | None) -> Comparison:
    """A comparison of `old` with `new` whose interval of new by old is [low, high]."""
    ends = (None, None) if low is None or high is None else (1 / high, 1 / low)
    ratio = None if ends[0] is None or ends[1] is None else (ends[0] * ends[1]) ** 0.5
    reason = "" if ratio is not None else "too few repetitions"
    return Comparison("old", "new", Method.WELCH, n=(5, 5), ratio=ratio, low=ends[0], high=ends[1], reason=reason)


@pytest.mark.parametrize(
    ("low", "high", "decision"),
    [
        (1.06, 1.10, Decision.ABOVE),
        (1.02, 1.10, Decision.UNDECIDED),
        (1.01, 1.04, Decision.WITHIN),
        (0.90, 0.95, Decision.WITHIN),
        (1.04, 1.06, Decision.UNDECIDED),
        (None, None, Decision.UNDECIDED),
    ],
)
def test_the_whole_interval_decides(low: float | None, high: float | None, decision: Decision) -> None:
    assert judge_limit(found(low, high), "Energy (plug)", 0.05).decision is decision


def test_the_ends_are_those_of_the_scenario_by_the_reference() -> None:
    verdict = judge_limit(found(1.06, 1.10), "Energy (plug)", 0.05)
    assert (verdict.reference, verdict.scenario) == ("old", "new")
    assert (verdict.low, verdict.high) == (pytest.approx(1.06), pytest.approx(1.10))
    assert verdict.words == (
        "new: above the limit: Energy (plug) +6.0 to +10.0 % against old, and up to +5 % are allowed"
    )


def test_without_an_interval_the_reason_is_told() -> None:
    verdict = judge_limit(found(None, None), "Energy (plug)", 0.05)
    assert (verdict.low, verdict.high) == (None, None)
    assert verdict.words == "new: undecided: too few repetitions"


def test_a_score_has_no_limit() -> None:
    check_limited(["Energy (plug)", "Duration"])
    with pytest.raises(UsageError, match="macro_f1 is a score"):
        check_limited(["Duration", "macro_f1"])
