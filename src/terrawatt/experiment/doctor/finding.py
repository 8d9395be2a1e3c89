"""What the doctor finds: one line, with what to do about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How good a finding is. `UNKNOWN`: it cannot be told on this machine, so nothing is claimed."""

    GOOD = "good"
    DOUBTFUL = "doubtful"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's report.

    Attributes:
        section: what it belongs to: `sources`, `noise`.
        name: what was looked at: `plug`, `governor`.
        level: how good it is.
        what: what was found.
        advice: what to do; empty when there is nothing to do.
    """

    section: str
    name: str
    level: Level
    what: str
    advice: str = ""


def is_unwise(findings: Sequence[Finding]) -> bool:
    """Whether measuring now would give numbers that cannot be used."""
    return any(finding.level is Level.BAD for finding in findings)
