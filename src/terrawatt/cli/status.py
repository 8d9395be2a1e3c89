"""`terrawatt status`: a run or sweep under way, here or on another machine that shares the results folder."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from terrawatt.cli.options import ConfigOption, NameOption, ResultsOption, run_folders
from terrawatt.errors import RunFolderError, UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from terrawatt.config import Settings
    from terrawatt.experiment.standing import Standing

_LOOK_S = 2.0  # with --watch: how often the folder is read
_REASONS = 5  # of scenarios that failed, the most that are shown


def status(
    run: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="A run's number or folder; default: those under way.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Go on looking until the run has ended.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")] = False,
    results: ResultsOption = None,
    name: NameOption = None,
    config: ConfigOption = None,
) -> None:
    """How far a run is: what is done and left, what happens now, and whether its process is alive."""
    if watch and as_json:
        raise UsageError("--watch and --json: give one of them")
    from terrawatt.config import load
    from terrawatt.experiment.standing import read_standing

    runs = _given(run, results, name, config) if run else _default(load(config), results, name)
    if watch:
        _watch(runs[0])
        return
    standings = [read_standing(one) for one in runs]
    if as_json:
        _print_json(standings)
        return
    for standing in standings:
        typer.echo("\n".join(lines(standing)))


def _given(run: str, results: Path | None, name: str | None, config: Path | None) -> list[Path]:
    """The folder of the whole run that is named, also by one of its groups."""
    from terrawatt.runs.layout import RunFolder

    return [RunFolder(folder).run_path for folder in run_folders([run], results, name, config)]


def _default(settings: "Settings", results: Path | None, name: str | None) -> list[Path]:
    """The runs under way: of the experiment, and the one that holds this machine; if there are none, the last one.

    Raises:
        RunFolderError: there is no run.
    """
    from terrawatt.experiment.lock import MachineLock
    from terrawatt.experiment.standing import under_way
    from terrawatt.runs.layout import all_runs

    parent = (results or settings.experiment.results) / (name or settings.experiment.name)
    runs = all_runs(parent)
    holder = MachineLock(settings.experiment.lock).holder()
    if holder and not any(one.absolute() == Path(holder.run) for one in runs):
        runs = [Path(holder.run), *runs]
    found = [standing.run for standing in under_way(runs)]
    if not runs:
        raise RunFolderError(f"{parent}: no run yet; start one, or give the folder of another")
    return found or runs[-1:]


def lines(standing: "Standing") -> list[str]:
    """A run in words: a headline, then name and value in columns."""
    found = [headline(standing)]
    found += [f"  {name:<12}{value}" for name, value in facts(standing)]
    return found


def headline(standing: "Standing") -> str:
    """Which run, whether somebody measures, and what to do when nobody does who should."""
    from terrawatt.experiment.standing import Life
    from terrawatt.units import format_duration

    beat, where = standing.heartbeat, f"{standing.run}: "
    if beat is None and standing.parts:
        return f"{where}{standing.life}; {len(standing.parts)} parts are measured now, or should be"
    if beat is None:
        begun = "begun and not ended; it gives no signs of life" if standing.life is Life.UNKNOWN else standing.life
        return where + begun
    who, age = f"process {beat.pid} on {beat.host}", format_duration(standing.age_s or 0.0)
    match standing.life:
        case Life.RUNNING:
            return f"{where}running, {who}; last sign of life {age} ago"
        case Life.SILENT:
            return f"{where}should be running, but {who} has given no sign of life for {age}"
        case Life.GONE:
            return (
                f"{where}{who} is gone, last sign of life {age} ago; go on with: terrawatt run --resume {standing.run}"
            )
    return f"{where}{standing.life}, {age} ago ({who})"


def facts(standing: "Standing") -> list[tuple[str, str]]:
    """What is known of a run, name and value."""
    from terrawatt.experiment import outlook

    beat, found = standing.heartbeat, []
    if beat is None:
        done, failed, all_of_them = (
            sum(getattr(one, name) for one in standing.scenarios) for name in ("done", "failed", "repetitions")
        )
        found.append(("repetitions", f"{done} of {all_of_them} done, {failed} failed"))
        found += [(f"group_{part.scenarios[0].group}", _part(part)) for part in standing.parts]
    else:
        found.append(("repetitions", outlook.counts(beat)))
        found += _now(standing)
        found.append(("so far", outlook.spent(beat)))
        if beat.left_s:
            found.append(("left", outlook.left(beat, _running_s(standing))))
    return found + _failures(standing)


def _part(part: "Standing") -> str:
    """A part of a launched sweep that is measured now, in one line."""
    from terrawatt.experiment.standing import Life

    beat, now = part.heartbeat, dict(_now(part))
    if beat is None or not now:
        return str(part.life)
    alive = "" if part.life is Life.RUNNING else f"{part.life}: "
    return f"{alive}{beat.title}: {now['phase']}, {now['power']}, on {beat.host}"


def _failures(standing: "Standing") -> list[tuple[str, str]]:
    """Why scenarios failed, of the first few."""
    found = [
        ("failed", one.reason if one.group is None else f"group_{one.group}: {one.reason}")
        for one in standing.scenarios
        if one.reason
    ]
    more = len(found) - _REASONS
    return [*found[:_REASONS], ("", f"and {more} more; --json tells all")] if more > 0 else found


def _now(standing: "Standing") -> list[tuple[str, str]]:
    """What happened at the last sign of life of a run that has not ended."""
    from terrawatt.units import format_duration, ns_to_s, with_si_prefix

    beat = standing.heartbeat
    if beat is None or not beat.step:
        return []
    block = f"block {beat.block}, " if standing.order in ("blocks", "interleaved") else ""
    number = f" {beat.repetition}" if beat.step == "repetition" else ""
    lasted = format_duration(ns_to_s(beat.t_ns - beat.step_start_ns) + _running_s(standing))
    power = "no reading" if beat.power_w is None else with_si_prefix(beat.power_w, "W")
    return [
        ("scenario", f"{beat.scenario} of {beat.scenarios}: {beat.title}"),
        ("phase", f"{block}{beat.step}{number}, {lasted}"),
        ("power", f"{power} at the last sign of life ({beat.source})"),
    ]


def _running_s(standing: "Standing") -> float:
    """How long the run has gone on since the last sign of life; 0 where it is not known to have."""
    from terrawatt.experiment.standing import Life

    return (standing.age_s or 0.0) if standing.life is Life.RUNNING else 0.0


def _print_json(standings: "Sequence[Standing]") -> None:
    import json
    from dataclasses import asdict

    found: list[dict[str, Any]] = [asdict(standing) | {"run": str(standing.run)} for standing in standings]
    typer.echo(json.dumps(found, indent=2, ensure_ascii=False, default=str))


def _watch(run: Path) -> None:
    """Look again and again until nobody measures any more: a page in a terminal, else a line for each repetition."""
    from rich.console import Console
    from rich.live import Live

    from terrawatt.experiment.standing import Life, read_standing

    console, waited_for = Console(), (Life.RUNNING, Life.SILENT)
    standing = read_standing(run)
    if not console.is_terminal:
        told = -1
        while True:
            told = _tell_news(standing, told)
            if standing.life not in waited_for:
                break
            time.sleep(_LOOK_S)
            standing = read_standing(run)
        typer.echo("\n".join(lines(standing)))
        return
    with Live(_page(standing), console=console, auto_refresh=False) as live:
        while standing.life in waited_for:
            time.sleep(_LOOK_S)
            standing = read_standing(run)
            live.update(_page(standing), refresh=True)


def _tell_news(standing: "Standing", told: int) -> int:
    """Print a line when repetitions have ended since the last one; gives how many have."""
    from terrawatt.experiment import outlook

    beat = standing.heartbeat
    if beat is None or beat.done + beat.failed == told:
        return told
    typer.echo(f"{outlook.counts(beat)}; left {outlook.left(beat, _running_s(standing))}")
    return beat.done + beat.failed


def _page(standing: "Standing") -> "RenderableType":
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from terrawatt.experiment.progress import bar

    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for name, value in facts(standing):
        table.add_row(name, Text(value))
    if standing.heartbeat is not None:
        table.add_row("", bar(standing.heartbeat))
    return Group(Text(headline(standing)), table)
