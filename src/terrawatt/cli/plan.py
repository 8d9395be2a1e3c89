"""`terrawatt plan`: what an experiment takes, before it is made."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from terrawatt.cli.compare import parse_by
from terrawatt.cli.forecast import tell_forecast
from terrawatt.cli.options import parse_share, run_folders
from terrawatt.cli.run_options import RunOptions, takes_run_options
from terrawatt.cli.scenario_options import Given, takes_scenario
from terrawatt.errors import UnusableError, UsageError

if TYPE_CHECKING:
    from terrawatt.summary.pilot import DetectionReport

_DETECT = "Repetitions for a difference"


@takes_scenario
@takes_run_options
def plan(
    scenario: Given,
    options: RunOptions,
    param_file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A parameter file; else the options of one scenario.")
    ] = None,
    pilot: Annotated[
        bool, typer.Option("--pilot", help="Measure one repetition of one epoch of each kind of scenario first.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether very many scenarios are meant.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")] = False,
    detect: Annotated[
        float | None,
        typer.Option(
            "--detect",
            metavar="PERCENT",
            parser=parse_share,
            help="The difference to find, e.g. 5%.",
            rich_help_panel=_DETECT,
        ),
    ] = None,
    runs: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            metavar="RUN",
            help="A run whose scatter is known; may be repeated.",
            rich_help_panel=_DETECT,
        ),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option("--scenario", metavar="LABEL", help="One of that run's; default: each.", rich_help_panel=_DETECT),
    ] = None,
    column: Annotated[
        str | None,
        typer.Option(
            "--column", metavar="NAME", help="What is compared; default: the net energy.", rich_help_panel=_DETECT
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            "--by",
            metavar="scenario|run",
            help="What counts as one scenario; default: what differs.",
            rich_help_panel=_DETECT,
        ),
    ] = None,
) -> None:
    """What a sweep takes: scenarios, time, energy, emissions, disk, and the smallest difference that it finds.

    With --detect and --from: how many repetitions it takes to find a difference, from the scatter of a run.
    """
    if options.resume is not None:
        raise UsageError("--resume belongs to terrawatt run")
    if detect is None and not runs:
        if param_file is None and not scenario:
            raise UsageError("give a parameter file, a scenario (--model …), or --detect with --from")
        if pilot and as_json:
            raise UsageError("--pilot tells what it measures; make it first, then ask for --json without it")
        tell_forecast(options, scenario, param_file, pilot=pilot, yes=yes, as_json=as_json)
        return
    if param_file is not None or scenario or pilot:
        raise UsageError("--detect and --from plan by a run that is there; give no scenarios, and no --pilot")
    kind = parse_by(by)
    _check_detection(options, detect, runs)
    folders = run_folders(runs or [], options.results, options.name, options.config)

    from terrawatt.config import load
    from terrawatt.summary.pilot import plan_detection

    report = plan_detection(
        folders,
        detect,
        options.repetitions,
        column=column,
        scenario=label,
        by=kind,
        accept_changes=options.accept_changes,
        settings=load(options.config),
    )
    if as_json:
        typer.echo(report.as_json())
    else:
        _print(report)
    if not report.has_numbers:
        raise UnusableError("the pilot says nothing; the reasons are above")


def _check_detection(options: RunOptions, detect: float | None, runs: list[str] | None) -> None:
    """See that there is a question, and something to answer it by.

    Raises:
        UsageError: there is not.
    """
    if not runs:
        raise UsageError("give a run whose scatter is known with --from")
    if detect is None and options.repetitions is None:
        raise UsageError("give the difference to find with --detect, or a number of --repetitions")
    if options.repetitions is not None and options.repetitions < 3:
        raise UsageError(f"--repetitions {options.repetitions}: fewer than 3 show no scatter, so they find nothing")


def _print(report: "DetectionReport") -> None:
    from terrawatt.summary.wording import detection_lines

    for detection in report.plans:
        for line in detection_lines(detection, report.column, report.difference):
            typer.echo(line)
    for note in report.notes:
        typer.echo(f"note: {note}")
