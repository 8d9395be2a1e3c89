"""`terrawatt store`: the series of runs and of the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from terrawatt.cli.options import ConfigOption, NameOption, ResultsOption
from terrawatt.errors import PartialWriteError, UsageError

if TYPE_CHECKING:
    from terrawatt.config import Settings
    from terrawatt.records import Sample
    from terrawatt.runs.layout import RunFolder
    from terrawatt.store.exchange import Format
    from terrawatt.store.influxdb import InfluxStore

app = typer.Typer(help="Series: what there is, exchange with other programs, sending on.", no_args_is_help=True)

_RUN_HELP = "A run: its number, also with its group (3/1), or its folder."
_IMPORT_BATCH = 50_000  # readings in one commit


@app.command()
def info(
    run: Annotated[str | None, typer.Argument(metavar="[RUN]", help=f"{_RUN_HELP} Default: the database.")] = None,
    results: ResultsOption = None,
    name: NameOption = None,
    config: ConfigOption = None,
) -> None:
    """Show the series of a run, or what the database of store.url says of itself."""
    from terrawatt.cli.store_tables import print_database, print_run

    settings = _load(config)
    if run is None:
        if settings.store.url == "sqlite":
            typer.echo("store.url: sqlite, so series are in the run folders alone; name a run to see them")
            return
        with _database(settings) as influx:
            print_database(influx)
        return
    for folder in _one_a_store(_folders(run, settings, results, name)):
        print_run(folder, settings.store.url)


@app.command()
def export(
    run: Annotated[str, typer.Argument(metavar="RUN", help=_RUN_HELP)],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="Where to; replaced when it is there.")],
    form: Annotated[
        str | None,
        typer.Option("--format", metavar="parquet|csv|line", help="Default: by the ending of FILE, else parquet."),
    ] = None,
    results: ResultsOption = None,
    name: NameOption = None,
    config: ConfigOption = None,
) -> None:
    """Write the series of a run as Parquet, CSV, or InfluxDB's line protocol."""
    from terrawatt.runs.atomic import replacing
    from terrawatt.store.exchange import write
    from terrawatt.store.sqlite import SqliteStore

    chosen = _format(form, out)
    folders = _one_a_store(_folders(run, _load(config), results, name))
    if len(folders) > 1:
        groups = ", ".join(f"{run}/{folder.group}" for folder in folders)
        raise UsageError(f"{run}: has {len(folders)} groups, and a file takes one: {groups}")
    with SqliteStore(folders[0].telemetry, read_only=True) as store, replacing(out) as file:
        count = write(store, file, chosen)
    typer.echo(f"{out}: {count} readings")


@app.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Parquet or CSV, as `export` writes them.")],
    into: Annotated[
        str | None, typer.Option("--into", metavar="RUN", help=f"{_RUN_HELP} Default: the database.")
    ] = None,
    results: ResultsOption = None,
    name: NameOption = None,
    config: ConfigOption = None,
) -> None:
    """Read series into the store of a run, or into the database of store.url. Doing it twice changes nothing."""
    from terrawatt.store.exchange import read

    settings = _load(config)
    for file in files:  # all of them are right before anything is written
        for _ in read(file):
            pass
    if into is None:
        with _database(settings) as influx:
            for file in files:
                typer.echo(f"{file}: {influx.write(read(file))} readings to {influx}")
        return
    folders = _one_a_store(_folders(into, settings, results, name))
    if len(folders) > 1:
        raise UsageError(f"{into}: has {len(folders)} groups; name one, e.g. {into}/{folders[0].group}")
    for file in files:
        typer.echo(f"{file}: {_import(read(file), folders[0])} readings to {folders[0].telemetry}")
    _tell_seal(folders[0])


@app.command()
def forward(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help=_RUN_HELP)],
    again: Annotated[
        bool, typer.Option("--again", help="From the beginning, e.g. since the database was emptied.")
    ] = False,
    results: ResultsOption = None,
    name: NameOption = None,
    config: ConfigOption = None,
) -> None:
    """Send to the database of store.url what it lacks of runs, and their phases. Doing it twice changes nothing."""
    from terrawatt.experiment.forwarding import forward as send

    settings = _load(config)
    folders = [folder for run in runs for folder in _folders(run, settings, results, name)]
    complaints: list[str] = []
    refused = 0
    first_of_each = {folder.telemetry: folder for folder in reversed(folders)}  # a sweep's rows are sent once
    with _database(settings) as influx:
        for folder in folders:
            done = send(folder, influx, again=again and folder is first_of_each[folder.telemetry])
            earlier = f", {done.refused} refused for good" if done.refused else ""
            typer.echo(f"{folder.path}: {done.sent} rows sent, {done.remaining} remain{earlier}; {done.phases} phases")
            complaints += done.complaints
            refused += done.refused
    if complaints:
        raise PartialWriteError("; ".join(dict.fromkeys(complaints)), refused)


def _load(config: Path | None) -> "Settings":
    from terrawatt.config import load

    return load(config)


def _folders(run: str, settings: "Settings", results: Path | None, name: str | None) -> "list[RunFolder]":
    """The folders of a run's scenarios.

    Raises:
        RunFolderError: there is no such run.
    """
    from terrawatt.runs.layout import find_run, scenario_folders

    path = find_run(run, results or settings.experiment.results, name or settings.experiment.name)
    return scenario_folders(path)


def _one_a_store(folders: "list[RunFolder]") -> "list[RunFolder]":
    """A folder of each store: those of a sweep share one."""
    return list({folder.telemetry: folder for folder in reversed(folders)}.values())[::-1]


@contextmanager
def _database(settings: "Settings") -> "Iterator[InfluxStore]":
    """The database of the settings.

    Raises:
        UsageError: they name none.
    """
    from terrawatt.store.influxdb import open_influx

    if settings.store.url == "sqlite":
        raise UsageError("store.url names no database; set it to influxdb://HOST:PORT/DATABASE in terrawatt.toml")
    with open_influx(settings.store) as influx:
        yield influx


def _format(form: str | None, out: Path) -> "Format":
    from terrawatt.errors import did_you_mean
    from terrawatt.store.exchange import Format

    endings = {".csv": Format.CSV, ".line": Format.LINE, ".lp": Format.LINE}
    if form is None:
        return endings.get(out.suffix, Format.PARQUET)
    if form not in list(Format):
        raise UsageError(f"--format {form}: no such format.{did_you_mean(form, [*Format])}")
    return Format(form)


def _import(samples: "Iterator[Sample]", folder: "RunFolder") -> int:
    from terrawatt.store.sqlite import SqliteStore

    count = 0
    with SqliteStore(folder.telemetry) as store:
        while batch := [sample for _, sample in zip(range(_IMPORT_BATCH), samples, strict=False)]:
            count += store.write(batch)
    return count


def _tell_seal(folder: "RunFolder") -> None:
    """Say when a run's files are no longer those that were measured."""
    from terrawatt.runs.integrity import check_files
    from terrawatt.runs.manifest import read_manifest

    if folder.manifest.exists() and not check_files(folder, read_manifest(folder.manifest)).is_intact:
        typer.echo("note: the series are no longer those that were measured; summary takes them with --accept-changes")
