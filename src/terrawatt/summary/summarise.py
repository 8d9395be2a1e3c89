"""Run folders in; the table, its files, the figures and the report out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from terrawatt import __version__
from terrawatt.analysis.table import TABLE_VERSION, Table
from terrawatt.errors import AnalysisError, RunFolderError, UsageError
from terrawatt.records import Verdict
from terrawatt.report.content import RepetitionKey, ReportContent
from terrawatt.report.page import write_report
from terrawatt.runs.layout import RunFolder, scenario_folders
from terrawatt.summary.collect import collect
from terrawatt.summary.describe import METHODS, repetition_records, run_notes, run_record
from terrawatt.summary.record import SummaryRecord, read_record
from terrawatt.summary.rows import RunRows, run_rows
from terrawatt.summary.tables import build_table, read_table
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
    command: str = "",
) -> SummaryResult:
    """Compute the table of some runs, write it, and make the report.

    Args:
        runs: run folders; with `from_file` also one table.
        out: where everything goes.
        grouped: whether the runs have groups, one a scenario; None: as each folder has it.
        from_file: compute only figures and report, from the table given, or from the `output_all.csv` in `out`.
        figures: make the figures and the report.
        command: the command line that makes this summary, for the report.

    Raises:
        UsageError: `grouped` does not fit a folder, or two runs have one number.
        RunFolderError: none of the folders can be read.
        AnalysisError: no repetition has ended, or the existing table cannot be used.
    """
    files = TableFiles(out)
    if from_file:
        csv = runs[0] if runs and runs[0].is_file() else files.csv
        table, record = read_table(csv), read_record(csv.with_suffix(".json")) or _bare_record(csv, command)
    else:
        table, record = _compute(runs, grouped, command)
        write_tables(table, record, out)
    verdicts = {entry.key: entry.verdicts for entry in record.repetitions}
    report = write_report(_content(table, record, verdicts, command), out) if figures else None
    unusable = frozenset(entry.key for entry in record.repetitions if entry.is_unusable)
    return SummaryResult(table, files, report, verdicts, unusable, record.notes)


def _compute(runs: Sequence[Path], grouped: bool | None, command: str) -> tuple[Table, SummaryRecord]:
    found, notes = _rows(runs, grouped)
    rows = [row for run in found for row in run.rows]
    if not rows:
        raise AnalysisError(f"{', '.join(map(str, runs))}: no repetition has ended yet; {'; '.join(notes)}")
    parameters = dict.fromkeys(name for run in found for name in run.run.manifest.scenario.parameters)
    sources = dict.fromkeys(source.name for run in found for source in run.run.manifest.sources)
    table = build_table([row.values for row in rows], parameters, sources)
    record = SummaryRecord(
        title=", ".join(dict.fromkeys(run.run.manifest.experiment for run in found)),
        created=_now(),
        terrawatt=__version__,
        command=command,
        table_version=TABLE_VERSION,
        columns=tuple(table.columns.values()),
        methods=METHODS,
        runs=tuple(run_record(run) for run in found),
        repetitions=repetition_records(rows),
        notes=tuple(notes),
    )
    return table, record


def _rows(runs: Sequence[Path], grouped: bool | None) -> tuple[list[RunRows], list[str]]:
    """The rows of all runs and groups that can be read, and remarks on the others.

    Raises:
        RunFolderError: none can be read.
    """
    found: list[RunRows] = []
    notes: list[str] = []
    problems: list[RunFolderError] = []
    for run in {path.resolve(): path for path in runs}.values():  # one given twice counts once
        folders = _scenarios(run, grouped)
        notes += _missing_groups(run, folders)
        for folder in folders:
            try:
                data = collect(folder)
            except RunFolderError as error:
                problems.append(error)
                continue
            found.append(run_rows(data))
            notes += [f"{data.name}: {note}" for note in run_notes(data)]
    if not found:
        raise problems[0]
    _check_distinct(found)
    return found, [*(f"left out: {problem}" for problem in problems), *notes, *_unlike(found)]


def _scenarios(run: Path, grouped: bool | None) -> list[RunFolder]:
    folders = scenario_folders(run)
    has_groups = folders[0].path != run
    if grouped is True and not has_groups:
        raise UsageError(f"{run}: has no group_<i> folders; leave out --grouped, or write --grouped False")
    if grouped is False and has_groups:
        raise UsageError(f"{run}: has {len(folders)} groups; write --grouped True, or name one of its folders")
    return folders


def _missing_groups(run: Path, folders: Iterable[RunFolder]) -> list[str]:
    numbers = {folder.group for folder in folders if folder.group is not None}
    missing = sorted(set(range(1, max(numbers, default=0) + 1)) - numbers)
    return [f"{run.name}: group_{number} is missing" for number in missing]


def _check_distinct(found: Iterable[RunRows]) -> None:
    """Refuse two runs that cannot be told apart in the table.

    Raises:
        UsageError: they have one number.
    """
    seen: dict[tuple[int | None, int | None], Path] = {}
    for run in found:
        path = run.run.folder.path
        other = seen.setdefault((run.run.folder.run_id, run.run.folder.group), path)
        if other != path:
            raise UsageError(f"{other} and {path} have the same run number; summarise them one by one")


def _unlike(found: Sequence[RunRows]) -> list[str]:
    """Runs whose energies may not be compared: made on several machines."""
    hosts = dict.fromkeys(run.run.manifest.host for run in found)
    return [f"the runs are of several machines: {', '.join(hosts)}"] if len(hosts) > 1 else []


def _content(
    table: Table, record: SummaryRecord, verdicts: Mapping[RepetitionKey, tuple[Verdict, ...]], command: str
) -> ReportContent:
    return ReportContent(
        title=record.title,
        table=table,
        runs=tuple(run.facts for run in record.runs),
        verdicts=verdicts,
        created=_now(),
        command=command,
    )


def _bare_record(csv: Path, command: str) -> SummaryRecord:
    """Of a table that stands alone: nothing is known of its runs."""
    note = f"{csv.name} stands alone: nothing is known of its runs"
    return SummaryRecord(csv.parent.name, _now(), __version__, command, TABLE_VERSION, (), {}, (), (), (note,))


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
