"""Any table of measurements in; the same analyses, figures and report out as of terrawatt's own runs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from terrawatt import __version__
from terrawatt.analysis.effects import effects
from terrawatt.analysis.relations import relations
from terrawatt.analysis.table import TABLE_VERSION
from terrawatt.report.content import ReportContent
from terrawatt.report.look import Look
from terrawatt.report.page import write_report
from terrawatt.report.verdicts import without_unusable
from terrawatt.summary.measurements import Measurements, Roles, read_measurements
from terrawatt.summary.record import RepetitionRecord, SummaryRecord
from terrawatt.summary.summarise import SummaryResult, now
from terrawatt.summary.write import write_tables

METHODS: Mapping[str, str] = {
    "documentation": "docs/statistics.md, docs/table.md",
    "energy": "as the table gives it, in J; exactly 0 is below the reach of the meter, and missing",
    "scenario": "rows with equal factors are repetitions of one scenario",
}


def summarise_table(
    paths: Sequence[Path], roles: Roles, out: Path, *, figures: bool = True, command: str = "", look: Look | None = None
) -> SummaryResult:
    """Analyse tables that are not terrawatt's.

    Args:
        paths: one table, or several that are put under each other.
        roles: what their columns are.
        out: where everything goes.
        figures: make the figures and the report.
        command: the command line that makes this summary, for the report.
        look: which figures, in which formats; None: all.

    Raises:
        UsageError: a column has two roles, or no factor is named.
        AnalysisError: a table cannot be read, or lacks a column; names the line or column.
    """
    found = read_measurements(paths, roles)
    title = ", ".join(path.stem for path in paths)
    usable = without_unusable(found.table, found.verdicts)
    results, of_factors = relations(usable), effects(usable)
    record = replace(_record(found, title, command), relations=results, effects=of_factors)
    files = write_tables(found.table, record, out)
    content = ReportContent(
        title, found.table, (), found.verdicts, now(), command, relations=results, effects=of_factors
    )
    report = write_report(content, out, look=look) if figures else None
    return SummaryResult(found.table, files, report, found.verdicts, found.unusable, found.notes)


def _record(found: Measurements, title: str, command: str) -> SummaryRecord:
    repetitions = tuple(
        RepetitionRecord(run, group, number, (run, group, number) in found.unusable, verdicts, {})
        for (run, group, number), verdicts in found.verdicts.items()
    )
    columns = tuple(found.table.columns.values())
    return SummaryRecord(
        title, now(), __version__, command, TABLE_VERSION, columns, METHODS, (), repetitions, found.notes
    )
