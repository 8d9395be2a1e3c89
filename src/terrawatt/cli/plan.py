"""`terrawatt plan`: what an experiment takes, before it is made."""

from typing import TYPE_CHECKING, Annotated

import typer

from terrawatt.cli.compare import parse_by
from terrawatt.cli.options import (
    AcceptChangesOption,
    ConfigOption,
    NameOption,
    ResultsOption,
    parse_positive,
    parse_share,
    run_folders,
)
from terrawatt.errors import UnusableError, UsageError

if TYPE_CHECKING:
    from terrawatt.summary.pilot import DetectionReport


def plan(
    detect: Annotated[
        float | None,
        typer.Option("--detect", metavar="PERCENT", parser=parse_share, help="The difference to find, e.g. 5%."),
    ] = None,
    pilot: Annotated[
        list[str] | None,
        typer.Option("--from", metavar="RUN", help="The pilot: a run that is there; may be repeated."),
    ] = None,
    repetitions: Annotated[
        int | None,
        typer.Option("--repetitions", "-n", metavar="N", parser=parse_positive, help="What do so many find?"),
    ] = None,
    scenario: Annotated[
        str | None, typer.Option("--scenario", metavar="LABEL", help="One of the pilot's; default: each.")
    ] = None,
    column: Annotated[
        str | None, typer.Option("--column", metavar="NAME", help="What is compared; default: the net energy.")
    ] = None,
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="scenario|run", help="What counts as one scenario; default: what differs."),
    ] = None,
    accept_changes: AcceptChangesOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")] = False,
    results: ResultsOption = None,
    name: NameOption = None,
    config: ConfigOption = None,
) -> None:
    """How many repetitions it takes to find a difference, or what some find, from the scatter of a pilot."""
    if not pilot:
        raise UsageError("give a run whose scatter is known with --from")
    if detect is None and repetitions is None:
        raise UsageError("give the difference to find with --detect, or a number of --repetitions")
    if repetitions is not None and repetitions < 3:
        raise UsageError(f"--repetitions {repetitions}: fewer than 3 show no scatter, so they find nothing")
    kind = parse_by(by)
    folders = run_folders(pilot, results, name, config)

    from terrawatt.config import load
    from terrawatt.summary.pilot import plan_detection

    report = plan_detection(
        folders,
        detect,
        repetitions,
        column=column,
        scenario=scenario,
        by=kind,
        accept_changes=accept_changes,
        settings=load(config),
    )
    if as_json:
        typer.echo(report.as_json())
    else:
        _print(report)
    if not report.has_numbers:
        raise UnusableError("the pilot says nothing; the reasons are above")


def _print(report: "DetectionReport") -> None:
    from terrawatt.summary.wording import detection_lines

    for detection in report.plans:
        for line in detection_lines(detection, report.column, report.difference):
            typer.echo(line)
    for note in report.notes:
        typer.echo(f"note: {note}")
