"""Whether the series can be kept. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from terrawatt.experiment.doctor.finding import Finding, Level

SECTION = "store"
SLOW_COMMIT_S = 0.5  # the sampler commits once a second


@dataclass(frozen=True, slots=True)
class EmbeddedFacts:
    """A store that was made in the folder of results, written, read, and removed.

    Attributes:
        where: the folder.
        error: why that failed; empty when it did not.
        commit_s: how long a commit took.
    """

    where: str
    error: str = ""
    commit_s: float = 0.0


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """What the database of `store.url` said.

    Attributes:
        where: its address.
        version: of its program.
        error: why it cannot be used; empty when it can.
        is_refused: whether it answered, and refused; else it did not answer.
        is_needed: whether there is no run without it: it holds what somebody else reads.
    """

    where: str
    version: str = ""
    error: str = ""
    is_refused: bool = False
    is_needed: bool = False


def judge_embedded(facts: EmbeddedFacts) -> Finding:
    """Whether a run's own file can be written."""
    if facts.error:
        advice = "correct the permissions, or give another folder (experiment.results, --results)"
        return Finding(SECTION, "sqlite", Level.BAD, facts.error, advice)
    what = f"can be written in {facts.where}, {1000 * facts.commit_s:.2g} ms a commit"
    if facts.commit_s > SLOW_COMMIT_S:
        advice = "use a local disk; the sampler commits once a second"
        return Finding(SECTION, "sqlite", Level.DOUBTFUL, what, advice)
    return Finding(SECTION, "sqlite", Level.GOOD, what)


def judge_database(facts: DatabaseFacts) -> Iterator[Finding]:
    """Whether the database can be written and read."""
    if not facts.error:
        yield Finding(SECTION, "influxdb", Level.GOOD, f"{facts.where}: {facts.version}, can be read and written")
    elif facts.is_refused or facts.is_needed:
        advice = "correct store.url, user, password or token; see docs/use-your-telegraf.md"
        if not facts.is_refused:
            advice = "start the database, or correct store.url: the readings are there only"
        yield Finding(SECTION, "influxdb", Level.BAD, facts.error, advice)
    else:
        advice = "start it; a run can begin without it, and terrawatt store forward sends the series later"
        yield Finding(SECTION, "influxdb", Level.DOUBTFUL, facts.error, advice)
