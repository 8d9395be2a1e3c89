"""`terrawatt compare`: runs or scenarios against each other, with a verdict in words."""

from typing import TYPE_CHECKING, Annotated

import typer

from terrawatt.cli.options import (
    AcceptChangesOption,
    ConfigOption,
    NameOption,
    ResultsOption,
    parse_excess,
    run_folders,
)
from terrawatt.errors import AboveLimitError, UndecidedError, UnusableError, UsageError

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
    fail_above: Annotated[
        float | None,
        typer.Option(
            "--fail-above",
            metavar="SHARE",
            parser=parse_excess,
            help="Exit code 4 when a scenario takes more than the first by more than this, e.g. 5%.",
        ),
    ] = None,
    fail_undecided: Annotated[
        bool, typer.Option("--fail-undecided", help="With --fail-above: exit code 5 when that cannot be told.")
    ] = False,
    language: Annotated[
        str | None, typer.Option("--lang", metavar="en|fr", help="Language of what is printed; default: en.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")] = False,
    results: ResultsOption = None,
    name: NameOption = None,
    config: ConfigOption = None,
) -> None:
    """Compare runs, or the scenarios in them: ratio, interval, and whether a difference is shown."""
    kind = parse_by(by)
    _check_limit(fail_above, fail_undecided=fail_undecided, all_pairs=all_pairs)
    folders = run_folders(runs, results, name, config)

    from terrawatt.config import load
    from terrawatt.report.language import parse_language, speaking
    from terrawatt.summary.compare import compare_runs

    with speaking(parse_language(language)):
        report = compare_runs(
            folders,
            column or (),
            by=kind,
            all_pairs=all_pairs,
            may_pair=not unpaired,
            accept_differences=accept_differences,
            accept_changes=accept_changes,
            settings=load(config),
        )
        if fail_above is not None:
            report = report.limited(fail_above)
        if as_json:
            typer.echo(report.as_json())
        else:
            _print(report)
    if not report.has_numbers:
        raise UnusableError("nothing could be compared; the reasons are above")
    _fail(report, fail_undecided=fail_undecided)


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


def _check_limit(limit: float | None, *, fail_undecided: bool, all_pairs: bool) -> None:
    if fail_undecided and limit is None:
        raise UsageError("--fail-undecided: give what may be taken more with --fail-above")
    if all_pairs and limit is not None:
        raise UsageError("--fail-above compares the first with each other one; leave out --all-pairs")


def _fail(report: "ComparisonReport", *, fail_undecided: bool) -> None:
    """End as the limits ask for it.

    Raises:
        AboveLimitError: a scenario takes more than is allowed.
        UndecidedError: it is not decided whether one does, and that is to fail.
    """
    from terrawatt.summary.limit import Decision

    if above := report.decided(Decision.ABOVE):
        raise AboveLimitError("; ".join(one.words for one in above))
    if fail_undecided and (undecided := report.decided(Decision.UNDECIDED)):
        raise UndecidedError("; ".join(one.words for one in undecided))


def _print(report: "ComparisonReport") -> None:
    """A table of the scenarios, then each verdict with what it rests on, then the notes."""
    from rich.console import Console

    from terrawatt.report.language import say

    console = Console(soft_wrap=True, highlight=False, markup=False)
    for compared in report.columns:
        _print_scenarios(console, compared)
        _print_verdicts(console, compared)
    for limit in report.limits:
        console.print(limit.words)
    for difference in report.accepted_differences:
        console.print(say("accepted: the runs differ in {what}", what=difference))
    for note in report.notes:
        console.print(say("note: {text}", text=note))


def _print_scenarios(console: "Console", compared: "ColumnComparison") -> None:
    from rich.table import Table

    from terrawatt.report.language import say
    from terrawatt.report.numbers import mean_and_half_width, plain

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(say("scenario"), overflow="fold")
    unit = f" ({compared.unit})" if compared.unit else ""
    for title in ("n", f"{compared.column}{unit}", say("with common errors"), say("sd")):
        table.add_column(title, justify="right")
    for scenario in compared.scenarios:
        mean = scenario.mean
        total = mean.n + len(scenario.left_out)
        n = str(mean.n) if total == mean.n else say("{n} of {total}", n=mean.n, total=total)
        cells = ["" if mean.mean is None else plain(mean.mean), "", ""]
        if mean.mean is not None and mean.half_width is not None:
            cells[0] = mean_and_half_width(mean.mean, mean.half_width)
        if mean.expanded is not None:
            cells[1] = f"± {plain(mean.expanded, 2)}"
        if mean.sd is not None:
            cells[2] = plain(mean.sd, 2)
        table.add_row(scenario.label, n, *cells)
    console.print(table)
    console.print(say("n: usable repetitions; ±: 95 % interval of the mean"), style="dim")


def _print_verdicts(console: "Console", compared: "ColumnComparison") -> None:
    from terrawatt.report.language import say
    from terrawatt.summary.wording import details

    for verdict in compared.verdicts:
        console.print(verdict.words)
        if text := details(verdict.comparison):
            console.print(f"  {text}", style="dim")
    for note in compared.notes:
        console.print(say("note: {text}", text=note))
