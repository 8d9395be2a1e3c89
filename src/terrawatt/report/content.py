"""What a report says, as data: the table, the runs behind it, and the verdicts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from terrawatt.analysis.table import Table
from terrawatt.records import Scalar, SourceDescription, Verdict

# Which repetition a verdict is about: (run, group, repetition), as in the table's columns of these names.
RepetitionKey = tuple[int | None, int | None, int]


@dataclass(frozen=True)
class RunFacts:
    """What one run was, for readers: how, on what, with which meters.

    Attributes:
        name: as the page calls it, e.g. `run_3/group_1`.
        scenario: parameter -> value.
        machine: what is known of the machine; values may be nested mappings or lists.
        versions: software -> version.
        protocol: the keys of `[protocol]` (`cold_s`, `repetitions`, …).
        sources: the power sources, the main one first.
        notes: remarks about this run, e.g. series without a sensor, with the reason.
    """

    name: str
    scenario: Mapping[str, Scalar]
    machine: Mapping[str, Any]
    versions: Mapping[str, str]
    protocol: Mapping[str, Any]
    sources: tuple[SourceDescription, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class ReportContent:
    """Everything that the page shows.

    Attributes:
        title: of the page.
        table: one row a repetition.
        runs: the runs behind the table, in its order.
        verdicts: (run, group, repetition) -> its verdicts; repetitions without any may be absent.
        created: when the report was made, UTC, as the page prints it.
        command: the command line that makes this report again.
    """

    title: str
    table: Table
    runs: tuple[RunFacts, ...]
    verdicts: Mapping[RepetitionKey, tuple[Verdict, ...]]
    created: str
    command: str
