"""The rows of one run: one a repetition that has ended, well or not."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from terrawatt.analysis.energy import Energy
from terrawatt.analysis.table import CHANGE, UNCHANGED, factor_column
from terrawatt.analysis.verdict import ending_verdict, is_unusable, missing_verdict, verdict_text
from terrawatt.records import Order, Phase, Scalar, Verdict
from terrawatt.report.content import RepetitionKey
from terrawatt.runs.manifest import Change
from terrawatt.runs.status import RepetitionStatus, State
from terrawatt.summary.beside import Beside, beside
from terrawatt.summary.cells import Cells
from terrawatt.summary.collect import RunData
from terrawatt.summary.conditions import condition_cells
from terrawatt.summary.emissions import emissions_cells
from terrawatt.summary.energies import SourceResult, source_results
from terrawatt.summary.estimators import agreement_cells
from terrawatt.summary.hosts import host_cells
from terrawatt.summary.performance import model_cells, performance_cells

_HASH = re.compile(r"\b[0-9a-f]{40}\b")  # of a commit; so many digits tell it from others, as git shows it
_HASH_DIGITS = 7


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One repetition.

    Attributes:
        key: run, group, repetition.
        values: column -> value; a column that is not there is empty.
        verdicts: what is to be said of it.
        energies: source -> its energy, with its budget.
        is_unusable: whether its numbers must not be used.
    """

    key: RepetitionKey
    values: Mapping[str, Scalar | None]
    verdicts: tuple[Verdict, ...]
    energies: Mapping[str, Energy]
    is_unusable: bool


@dataclass(frozen=True, slots=True, eq=False)
class RunRows:
    """The rows of one run, what each source says of it, and what else its series tell."""

    run: RunData
    rows: tuple[Row, ...]
    sources: Mapping[str, SourceResult]
    beside: Beside

    def without_series(self) -> "RunRows":
        """The same without the readings, which take most of the memory."""
        return replace(self, run=replace(self.run, series={}))


def run_rows(run: RunData) -> RunRows:
    """Compute the rows of a run.

    A repetition that failed or was interrupted has a row without numbers: they would not be those of the workload.
    """
    measured = [phase for entry in run.ended if (phase := _measured(run, entry)) is not None]
    sources = source_results(run, measured)
    of_sources = {name: result.energies for name, result in sources.items()}
    others = zip(
        agreement_cells(run.manifest.sources, of_sources, [phase.repetition or 0 for phase in measured]),
        host_cells(run, measured),
        condition_cells(run, measured),
        strict=True,
    )
    numbers = {
        phase.repetition: _numbers(run, phase, sources, cells) for phase, cells in zip(measured, others, strict=True)
    }
    energies = {
        number: {name: result.energies[number] for name, result in sources.items() if number in result.energies}
        for number in (phase.repetition or 0 for phase in measured)
    }
    rows = [
        _row(run, entry, numbers.get(entry.repetition) or _none(entry), energies.get(entry.repetition, {}))
        for entry in run.ended
    ]
    return RunRows(run, tuple(rows), sources, beside(run))


def _measured(run: RunData, entry: RepetitionStatus) -> Phase | None:
    return run.repetition(entry.repetition) if entry.state is State.DONE else None


def _numbers(run: RunData, phase: Phase, sources: Mapping[str, SourceResult], others: Iterable[Cells]) -> Cells:
    repetition = phase.repetition or 0
    return Cells.joined(
        [
            *(result.cells[repetition] for result in sources.values()),
            emissions_cells(run.folder, run.manifest.emissions, repetition, phase.executions),
            *others,
            performance_cells(run.folder, repetition),
            model_cells(run.folder, repetition),
            Cells(verdicts=tuple(missing_verdict(column, reason) for column, reason in run.unknown.items())),
        ]
    )


def _none(entry: RepetitionStatus) -> Cells:
    """Of a repetition without numbers: why."""
    if entry.state is State.DONE:
        return Cells(verdicts=(ending_verdict("unrecorded", "phases.jsonl holds no window of it"),))
    return Cells(verdicts=(ending_verdict(entry.state, entry.result.reason if entry.result else ""),))


def _row(run: RunData, entry: RepetitionStatus, cells: Cells, energies: Mapping[str, Energy]) -> Row:
    key = (run.folder.run_id, run.folder.group, entry.repetition)
    values = {**_identity(run, entry.repetition), **cells.values, "Verdict": verdict_text(cells.verdicts)}
    main = run.manifest.sources[0].name if run.manifest.sources else ""
    return Row(key, values, cells.verdicts, energies, is_unusable(cells.verdicts, main))


def _identity(run: RunData, repetition: int) -> dict[str, Scalar | None]:
    """Which repetition of which scenario: run, group, block, number, parameters, its own seed."""
    parameters = {factor_column(name).name: value for name, value in run.manifest.scenario.parameters.items()}
    manifest = run.manifest
    has_blocks = manifest.order != Order.SEQUENTIAL and repetition <= len(manifest.blocks)
    seed = manifest.seed_of(repetition)
    return {
        "Run": run.folder.run_id,
        "Group": run.folder.group,
        "Block": manifest.blocks[repetition - 1] if has_blocks else None,
        "Repetition": repetition,
        **parameters,
        **({} if seed is None else {"Seed": seed}),
        **({CHANGE: _changes(manifest.changes, repetition)} if manifest.changes else {}),
    }


def _changes(changes: Iterable[Change], repetition: int) -> str:
    """What was another one in a repetition than at the beginning of the run, in words."""
    latest = {change.what: change for change in changes if change.from_repetition <= repetition}
    named = (f"{change.what}: {change.before or 'none'} → {change.after or 'none'}" for change in latest.values())
    return _HASH.sub(lambda found: found[0][:_HASH_DIGITS], ", ".join(named)) or UNCHANGED
