"""Run folders in; the table, its files, the figures and the report out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from threadpoolctl import threadpool_limits

from terrawatt import __version__
from terrawatt.analysis.effects import effects
from terrawatt.analysis.emissions import CarbonIntensity
from terrawatt.analysis.relations import relations
from terrawatt.analysis.table import TABLE_VERSION, Table
from terrawatt.config import Settings
from terrawatt.records import Verdict
from terrawatt.report.content import PowerCurve, RepetitionKey, ReportContent
from terrawatt.report.look import Look
from terrawatt.report.page import write_report
from terrawatt.report.verdicts import without_unusable
from terrawatt.report.workers import workers
from terrawatt.summary.curves import power_curves
from terrawatt.summary.describe import METHODS, repetition_records, run_record
from terrawatt.summary.existing import OLDER_NOTE, check_record, is_older, read_cells
from terrawatt.summary.gather import Gathered, gather
from terrawatt.summary.nodes import as_nodes
from terrawatt.summary.record import SummaryRecord, read_record
from terrawatt.summary.sweep import sweep_facts, sweep_record
from terrawatt.summary.tables import read_table
from terrawatt.summary.write import TableFiles, write_tables


@dataclass(frozen=True, eq=False)
class SummaryResult:
    """What a summary made.

    Attributes:
        table: one row a repetition.
        files: the table's files.
        report: the page; None when it was not asked for.
        verdicts: of each repetition.
        unusable: repetitions whose numbers must not be used.
        notes: what was left out, and other remarks.
    """

    table: Table
    files: TableFiles
    report: Path | None
    verdicts: Mapping[RepetitionKey, tuple[Verdict, ...]]
    unusable: frozenset[RepetitionKey]
    notes: tuple[str, ...]

    @property
    def is_unusable(self) -> bool:
        """Whether no repetition at all can be used."""
        return len(self.unusable) == len(self.table.frame)


def summarise(
    runs: Sequence[Path],
    out: Path,
    *,
    grouped: bool | None = None,
    from_file: bool = False,
    figures: bool = True,
    nodes: bool = False,
    accept_changes: bool = False,
    intensity: CarbonIntensity | None = None,
    command: str = "",
    settings: Settings | None = None,
    look: Look | None = None,
    processes: int = 1,
) -> SummaryResult:
    """Compute the table of some runs, write it, and make the report.

    Matrices are so small here that threads of linear algebra only wait for each other: while it lasts, one is used.

    Args:
        runs: run folders; with `from_file` also one table.
        out: where everything goes.
        grouped: whether the runs have groups, one a scenario; None: as each folder has it.
        from_file: compute only figures and report, from the table given, or from the `output_all.csv` in `out`.
        figures: make the figures and the report.
        nodes: the runs are of the nodes of one execution, and become one; the report then has no power curves.
        accept_changes: use files that were changed since they were measured; a note says so.
        intensity: the carbon intensity to take instead of those in the manifests.
        command: the command line that makes this summary, for the report.
        settings: of a database that has series which a folder lacks, as those of the older scripts do.
        look: which figures, in which formats; None: all.
        processes: that read runs and draw figures, if there are many (`report.workers`).

    Raises:
        UsageError: `grouped` does not fit a folder, two runs have one number, or the runs cannot be nodes of one.
        RunFolderError: none of the folders can be read.
        ChangedFilesError: a file was changed or is gone since it was measured, and that is not accepted.
        AnalysisError: no repetition has ended, or the existing table cannot be used.
    """
    files = TableFiles(out)
    with threadpool_limits(1), workers(processes) as executor:
        if from_file:
            csv = runs[0] if runs and runs[0].is_file() else files.csv
            record = read_record(csv.with_suffix(".json")) or _bare_record(csv, command)
            table = _with_hosts(read_table(csv), record)
            check_record(csv.with_suffix(".json"), table, record)
            curves: tuple[tuple[PowerCurve, ...], int] = ((), 0)
        else:
            gathered = gather(
                runs,
                grouped,
                accept_changes=accept_changes,
                intensity=intensity,
                settings=settings,
                executor=executor,
            )
            if nodes:
                gathered = as_nodes(gathered)
            table, record = gathered.table, _record(gathered, command)
            write_tables(table, record, out)
            curves = power_curves(gathered, executor) if figures and not nodes else ((), 0)
        verdicts = {entry.key: entry.verdicts for entry in record.repetitions}
        report = None
        if figures:
            content = _content(table, record, verdicts, curves, command)
            report = write_report(content, out, look=look, executor=executor)
    unusable = frozenset(entry.key for entry in record.repetitions if entry.is_unusable)
    return SummaryResult(table, files, report, verdicts, unusable, record.notes)


def _record(gathered: Gathered, command: str) -> SummaryRecord:
    usable = _usable(gathered)
    return SummaryRecord(
        title=", ".join(dict.fromkeys(run.run.manifest.experiment for run in gathered.runs)),
        created=now(),
        terrawatt=__version__,
        command=command,
        table_version=TABLE_VERSION,
        columns=tuple(gathered.table.columns.values()),
        methods=METHODS,
        runs=tuple(run_record(run) for run in gathered.runs),
        repetitions=repetition_records(gathered.rows),
        notes=gathered.notes,
        relations=relations(usable),
        effects=effects(usable),
        sweep=sweep_record(gathered),
    )


def _usable(gathered: Gathered) -> Table:
    verdicts = {entry.key: entry.verdicts for entry in repetition_records(gathered.rows)}
    return without_unusable(gathered.table, verdicts)


def _content(
    table: Table,
    record: SummaryRecord,
    verdicts: Mapping[RepetitionKey, tuple[Verdict, ...]],
    curves: tuple[tuple[PowerCurve, ...], int],
    command: str,
) -> ReportContent:
    return ReportContent(
        title=record.title,
        table=table,
        runs=tuple(run.facts for run in record.runs),
        verdicts=verdicts,
        created=now(),
        command=command,
        curves=curves[0],
        curves_left_out=curves[1],
        relations=record.relations or relations(without_unusable(table, verdicts)),
        effects=record.effects or effects(without_unusable(table, verdicts)),
        sweep=sweep_facts(record.sweep, record.repetitions, record.runs),
    )


def _with_hosts(table: Table, record: SummaryRecord) -> Table:
    """A table that was read, with the machine of each row, where the record knows it."""
    host_of = {(run.run, run.group): run.machine.get("host") for run in record.runs}
    keys = [entry.key[:2] for entry in record.repetitions]
    if len(keys) != len(table.frame) or not all(host_of.get(key) for key in keys):
        return table
    return replace(table, hosts=tuple(str(host_of[key]) for key in keys))


def _bare_record(csv: Path, command: str) -> SummaryRecord:
    """Of a table that stands alone: nothing is known of its runs."""
    notes = [f"{csv.name} stands alone: nothing is known of its runs"]
    if is_older(read_cells(csv)):
        notes.append(OLDER_NOTE)
    return SummaryRecord(csv.parent.name, now(), __version__, command, TABLE_VERSION, (), {}, (), (), tuple(notes))


def now() -> str:
    """The time, UTC, as a report prints it."""
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
