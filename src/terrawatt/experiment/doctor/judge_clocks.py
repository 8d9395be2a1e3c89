"""This machine's clock against those of meters and the database. Pure."""

from dataclasses import dataclass

from terrawatt.experiment.doctor.finding import Finding, Level
from terrawatt.units import format_duration

SECTION = "clocks"
TOLERATED_S = 2.0


@dataclass(frozen=True, slots=True)
class ClockFacts:
    """A clock minus this machine's lies between two values, in s; None: it does not tell its time.

    Attributes:
        name: whose clock.
        low_s: at least.
        high_s: at most.
        why: why there is none.
    """

    name: str
    low_s: float | None = None
    high_s: float | None = None
    why: str = "it does not tell its time"


def judge_clock(facts: ClockFacts) -> Finding:
    """Whether the clocks agree, as far as that can be told."""
    if facts.low_s is None or facts.high_s is None:
        return Finding(SECTION, facts.name, Level.UNKNOWN, f"not known: {facts.why}")
    if facts.low_s <= TOLERATED_S and facts.high_s >= -TOLERATED_S:
        largest_s = max(abs(facts.low_s), abs(facts.high_s))
        return Finding(SECTION, facts.name, Level.GOOD, f"agrees with this machine's to within {largest_s:.2g} s")
    is_ahead = facts.low_s > 0
    least_s = facts.low_s if is_ahead else -facts.high_s
    what = f"{'ahead of' if is_ahead else 'behind'} this machine's by {format_duration(least_s)}"
    advice = "one of them is wrong: let NTP steer both (timedatectl shows this one)"
    return Finding(SECTION, facts.name, Level.DOUBTFUL, what, advice)
