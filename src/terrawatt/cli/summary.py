"""`terrawatt summary`: the table, statistics, figures and report of one or several runs."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from terrawatt.cli.options import ConfigOption, parse_flag
from terrawatt.errors import UnusableError, UsageError

if TYPE_CHECKING:
    from terrawatt.config import ExperimentSettings
    from terrawatt.summary.export import Export
    from terrawatt.summary.summarise import SummaryResult
    from terrawatt.summary.tracking import Tracker

_FLAG = "True|False"  # taken as a word, since typer would make a switch without a value of a bool


def summary(
    runs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN...]", help="Runs: numbers, or folders; with --file True also a table."),
    ] = None,
    grouped: Annotated[
        str | None, typer.Option("--grouped", "-g", metavar=_FLAG, help="Whether runs have groups; default: look.")
    ] = None,
    file: Annotated[
        str, typer.Option("--file", "-f", metavar=_FLAG, help="Redo the analyses of an existing output_all.csv.")
    ] = "False",
    nodes: Annotated[
        bool, typer.Option("--nodes", help="The runs are of the nodes of one execution: add their energies.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Where to; default: RUN/summary, or summary_<numbers> for several."),
    ] = None,
    results: Annotated[
        Path | None, typer.Option("--results", metavar="DIR", help="Folder of results; default: experiment.results.")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="EXPERIMENT", help="Experiment; default: experiment.name.")
    ] = None,
    accept_changes: Annotated[
        bool, typer.Option("--accept-changes", help="Use runs whose files were changed since they were measured.")
    ] = False,
    intensity: Annotated[
        str | None,
        typer.Option(
            "--intensity", metavar="G|CSV", help="Carbon intensity in g/kWh, or its time series; default: as recorded."
        ),
    ] = None,
    table: Annotated[
        list[Path] | None,
        typer.Option("--table", metavar="CSV...", help="Instead of runs: any table of measurements.", dir_okay=False),
    ] = None,
    factors: Annotated[
        list[str] | None, typer.Option("--factors", metavar="COLUMN...", help="Columns of --table that are settings.")
    ] = None,
    performance: Annotated[
        list[str] | None, typer.Option("--performance", metavar="COLUMN...", help="Columns of --table that are scores.")
    ] = None,
    energy: Annotated[
        list[str] | None,
        typer.Option("--energy", metavar="COLUMN...", help="Energies (J) of --table; default: its Energy (<source>)."),
    ] = None,
    duration: Annotated[
        str | None, typer.Option("--duration", metavar="COLUMN", help="Duration (s) of --table; default: its Duration.")
    ] = None,
    exports: Annotated[
        list[str] | None,
        typer.Option(
            "--export", metavar="NAME,...", help="Also for papers and archives: latex, markdown, bibtex, ro-crate."
        ),
    ] = None,
    figures: Annotated[
        list[str] | None,
        typer.Option(
            "--figures", metavar="NAME,...", help="Only these figures, e.g. energy_performance, or none; default: all."
        ),
    ] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option("--format", metavar="NAME,...", help="Files of the figures: svg, png, pdf, html; default: all."),
    ] = None,
    theme: Annotated[
        str | None, typer.Option("--theme", metavar="paper|screen", help="What figures are for; default: screen.")
    ] = None,
    mlflow: Annotated[
        str | None, typer.Option("--mlflow", metavar="URI", help="Also log the summary to MLflow, e.g. sqlite:///FILE.")
    ] = None,
    language: Annotated[
        str | None, typer.Option("--lang", metavar="en|fr", help="Language of report and figures; default: en.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Compute output_all.csv, statistics, figures and report.html of runs, or of any table of measurements."""
    roles = (factors, performance, energy, duration)
    look = (figures, formats, theme, language)
    tracker = _tracker(mlflow)
    if table:
        _summarise_table(table, runs or [], out, roles, exports or [], look, tracker)
        return
    if any(roles):
        raise UsageError("--factors, --performance, --energy and --duration belong to --table, which is not given")
    if not runs:
        raise UsageError("no run is given: a number, or a folder; for a table that is not terrawatt's: --table")
    from terrawatt.config import load
    from terrawatt.runs.layout import find_run

    has_groups = None if grouped is None else parse_flag(grouped)
    from_file = parse_flag(file)
    in_force = load(config)
    settings = in_force.experiment
    places = [
        Path(run) if Path(run).is_file() else find_run(run, results or settings.results, name or settings.name)
        for run in runs
    ]
    _check_files(places, from_file)
    if nodes and from_file:
        raise UsageError("--nodes and --file True: a table that was written is of one node, or of all already")
    wanted = _wanted(exports or [])

    from terrawatt.report.look import parse_look
    from terrawatt.report.workers import cores
    from terrawatt.summary.intensity import given_intensity
    from terrawatt.summary.summarise import summarise

    command = _command(tracker)
    result = summarise(
        places,
        out or _default_out(places),
        grouped=has_groups,
        from_file=from_file,
        nodes=nodes,
        accept_changes=accept_changes,
        intensity=None if intensity is None else given_intensity(intensity),
        command=command,
        settings=in_force,
        look=parse_look(*look),
        processes=cores(),
    )
    print_result(result)
    if wanted:
        _export(result, wanted, places, settings)
    _log(result, tracker)
    _refuse_unusable(result)


def _summarise_table(
    tables: list[Path],
    runs: list[str],
    out: Path | None,
    roles: tuple[list[str] | None, list[str] | None, list[str] | None, str | None],
    exports: list[str],
    look: tuple[list[str] | None, list[str] | None, str | None, str | None],
    tracker: "Tracker | None",
) -> None:
    """The summary of tables that are not terrawatt's; by default into a folder here, since theirs may be read-only."""
    if runs:
        raise UsageError(f"{runs[0]}: either runs or --table; a name with spaces must stand in quotes")
    from terrawatt.report.look import parse_look
    from terrawatt.summary.measurements import Roles
    from terrawatt.summary.summarise_table import summarise_table

    factors, performance, energy, duration = roles
    found = Roles(tuple(factors or ()), tuple(performance or ()), tuple(energy or ()), duration or "")
    folder = out or Path(f"summary_{'_'.join(path.stem for path in tables)}")
    wanted = _wanted(exports)
    command = _command(tracker)
    result = summarise_table(tables, found, folder, command=command, look=parse_look(*look))
    print_result(result)
    if wanted:
        from terrawatt.config import ExperimentSettings

        _export(result, wanted, [], ExperimentSettings())
    _log(result, tracker)
    _refuse_unusable(result)


def _wanted(words: list[str]) -> "tuple[Export, ...]":
    """What is to be exported; asked before the summary, since a mistyped name shall not cost its time."""
    if not words:
        return ()
    from terrawatt.summary.export import parse_exports

    return parse_exports(words)


def _export(
    result: "SummaryResult", exports: "tuple[Export, ...]", places: list[Path], settings: "ExperimentSettings"
) -> None:
    from terrawatt.summary.export import export

    for path in export(result, exports, places, settings):
        typer.echo(f"export: {path}")


def _tracker(uri: str | None) -> "Tracker | None":
    """MLflow, where it is asked for; before the summary, since a wrong address shall not cost its time."""
    if uri is None:
        return None
    from terrawatt.summary.tracking import Tracker

    return Tracker(uri)


def _command(tracker: "Tracker | None") -> str:
    """The command line for the report, without a password that it has."""
    words = sys.argv[1:] if tracker is None else [tracker.without_credentials(word) for word in sys.argv[1:]]
    return shlex.join(["terrawatt", *words])


def _log(result: "SummaryResult", tracker: "Tracker | None") -> None:
    if tracker is not None:
        typer.echo(f"mlflow: {tracker.log(result)}")


def _refuse_unusable(result: "SummaryResult") -> None:
    if result.is_unusable:
        raise UnusableError(f"{result.files.csv}: no repetition can be used; see its column Verdict")


def print_result(result: "SummaryResult") -> None:
    """Print one line a scenario, what was left out, and where everything is."""
    from rich.console import Console
    from rich.table import Table as TerminalTable

    from terrawatt.report.numbers import mean_and_half_width, plain
    from terrawatt.summary.overview import main_energy, overview

    def mean(value: float | None) -> str:
        return "" if value is None else plain(value)

    table = TerminalTable(box=None, pad_edge=False, header_style="bold")
    table.add_column("scenario", overflow="fold")
    for title in ("n", f"{main_energy(result.table)} (J)", "Duration (s)", "Accuracy", "Recall"):
        table.add_column(title, justify="right")
    for row in overview(result):
        energy = row.energy_j
        text = mean(energy.mean)
        if energy.mean is not None and energy.expanded is not None:
            text = mean_and_half_width(energy.mean, energy.expanded)
        n = str(row.n) if row.n == row.total else f"{row.n} of {row.total}"
        table.add_row(row.label, n, text, mean(row.duration_s.mean), mean(row.accuracy.mean), mean(row.recall.mean))
    console = Console(soft_wrap=False, highlight=False)
    console.print(table)
    console.print("n: usable repetitions; energy net of idle, mean ± U (95 %)", style="dim")
    for note in result.notes:
        typer.echo(f"note: {note}")
    typer.echo(f"table: {result.files.csv}")
    if result.report is not None:
        typer.echo(f"report: {result.report}")


def _check_files(places: list[Path], from_file: bool) -> None:
    """A table can be given only alone, and only to be read."""
    tables = [place for place in places if place.is_file()]
    if tables and not from_file:
        raise UsageError(f"{tables[0]}: not a run's folder; to analyse a table again, add --file True")
    if tables and len(places) > 1:
        raise UsageError(f"{tables[0]}: a table is analysed alone; give one, or runs")


def _default_out(places: list[Path]) -> Path:
    """`RUN/summary`; of several runs `summary_<numbers>`, beside the first; of a table the folder that holds it."""
    first = places[0]
    if first.is_file():
        return first.parent
    if len(places) == 1:
        return first / "summary"
    return first.parent / f"summary_{'_'.join(place.name.removeprefix('run_') for place in places)}"
