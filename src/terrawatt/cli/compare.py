"""`terrawatt compare`: runs or scenarios against each other, with a verdict in words."""

from typing import TYPE_CHECKING, Annotated

import typer

from terrawatt.cli.options import AcceptChangesOption, ConfigOption, NameOption, ResultsOption, run_folders
from terrawatt.errors import UnusableError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from terrawatt.summary.compare import ColumnComparison, ComparisonReport
    from terrawatt.summary.scenarios import By


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="A [B...]", help="Runs: numbers, a number with a group (3/1), or folders."),
    ],
    column: Annotated[
        list[str] | None,
        typer.Option("--column", metavar="NAME", help="What is compared; default: the net energy; may be repeated."),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="scenario|run", help="What counts as one; default: what differs."),
    ] = None,
    all_pairs: Annotated[
        bool, typer.Option("--all-pairs", help="Each with each; default: the first with each.")
    ] = False,
    unpaired: Annotated[bool, typer.Option("--unpaired", help="Do not pair by block.")] = False,
    accept_differences: Annotated[
        bool, typer.Option("--accept-differences", help="Compare runs of different machines, meters or data.")
    ] = False,
    accept_changes: AcceptChangesOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")] = False,
    results: ResultsOption = None,
    name: NameOption = None,
    config: ConfigOption = None,
) -> None:
    """Compare runs, or the scenarios in them: ratio, interval, and whether a difference is shown."""
    kind = parse_by(by)
    folders = run_folders(runs, results, name, config)

    from terrawatt.summary.compare import compare_runs

    report = compare_runs(
        folders,
        column or (),
        by=kind,
        all_pairs=all_pairs,
        may_pair=not unpaired,
        accept_differences=accept_differences,
        accept_changes=accept_changes,
    )
    if as_json:
        typer.echo(report.as_json())
    else:
        _print(report)
    if not report.has_numbers:
        raise UnusableError("nothing could be compared; the reasons are above")


def parse_by(text: str | None) -> "By | None":
    """What counts as one scenario; None where it is not given.

    Raises:
        UsageError: neither of the words.
    """
    from terrawatt.summary.scenarios import By

    if text is None:
        return None
    if text not in tuple(By):
        raise UsageError(f"--by {text}: give scenario or run")
    return By(text)


def _print(report: "ComparisonReport") -> None:
    """A table of the scenarios, then each verdict with what it rests on, then the notes."""
    from rich.console import Console

    console = Console(soft_wrap=True, highlight=False, markup=False)
    for compared in report.columns:
        _print_scenarios(console, compared)
        _print_verdicts(console, compared)
    for difference in report.accepted_differences:
        console.print(f"accepted: the runs differ in {difference}")
    for note in report.notes:
        console.print(f"note: {note}")


def _print_scenarios(console: "Console", compared: "ColumnComparison") -> None:
    from rich.table import Table

    from terrawatt.report.numbers import mean_and_half_width, plain

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("scenario", overflow="fold")
    unit = f" ({compared.unit})" if compared.unit else ""
    for title in ("n", f"{compared.column}{unit}", "with common errors", "sd"):
        table.add_column(title, justify="right")
    for scenario in compared.scenarios:
        mean = scenario.mean
        n = str(mean.n) if not scenario.left_out else f"{mean.n} of {mean.n + len(scenario.left_out)}"
        cells = ["" if mean.mean is None else plain(mean.mean), "", ""]
        if mean.mean is not None and mean.half_width is not None:
            cells[0] = mean_and_half_width(mean.mean, mean.half_width)
        if mean.expanded is not None:
            cells[1] = f"± {plain(mean.expanded, 2)}"
        if mean.sd is not None:
            cells[2] = plain(mean.sd, 2)
        table.add_row(scenario.label, n, *cells)
    console.print(table)
    console.print("n: usable repetitions; ±: 95 % interval of the mean", style="dim")


def _print_verdicts(console: "Console", compared: "ColumnComparison") -> None:
    from terrawatt.summary.wording import details

    for verdict in compared.verdicts:
        console.print(verdict.words)
        if text := details(verdict.comparison):
            console.print(f"  {text}", style="dim")
    for note in compared.notes:
        console.print(f"note: {note}")
