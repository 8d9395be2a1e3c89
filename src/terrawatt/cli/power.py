"""`terrawatt power`: power sources. Calibration is here; each other command has a file of its own."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from terrawatt.cli import power_list, power_read, power_simulate
from terrawatt.cli.options import ConfigOption, parse_number, parse_positive
from terrawatt.errors import UnusableError, UsageError

if TYPE_CHECKING:
    from terrawatt.experiment.calibrate import Calibrated

app = typer.Typer(help="Power sources: what there is, what they give, how late it comes.", no_args_is_help=True)
app.command("list")(power_list.list_sources)
app.command("read")(power_read.read)
app.command("simulate")(power_simulate.simulate)


@app.command()
def calibrate(
    hold: Annotated[
        float,
        typer.Option("--hold", metavar="SECONDS", parser=parse_number, help="How long each load lasts."),
    ] = 20.0,
    repeats: Annotated[
        int, typer.Option("--repeats", metavar="N", parser=parse_positive, help="How often the processors are busy.")
    ] = 4,
    results: Annotated[
        Path | None,
        typer.Option("--results", metavar="DIR", help="Folder of results; calibration/ is made beside it."),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Measure the delay of each source: all processors busy and idle in turn, while it is read.

    Writes calibration/SOURCE.json beside the results. Later runs on this machine shift the readings by it.
    """
    from terrawatt.config import load
    from terrawatt.experiment.calibrate import Plan
    from terrawatt.experiment.calibrate import calibrate as measure
    from terrawatt.units import format_duration

    if hold <= 0:
        raise UsageError(f"--hold {hold:g}: each load must last longer than 0 s")
    settings = load(config)
    if results is not None:
        experiment = settings.experiment.model_copy(update={"results": results})
        settings = settings.model_copy(update={"experiment": experiment})
    plan = Plan(hold, repeats)
    typer.echo(f"about {format_duration(plan.duration_s)}; leave the machine alone meanwhile")
    found = measure(settings, plan, typer.echo)
    for one in found:
        _print(one)
    if not any(one.path for one in found):
        raise UnusableError("no source could be calibrated; see above")


def _print(found: "Calibrated") -> None:
    """One line a source, and its file."""
    from terrawatt.report.numbers import mean_and_half_width

    name, latency = found.source.name, found.latency
    if found.path is None:
        typer.echo(f"{name}: not calibrated: {latency.reason}")
        return
    delay, tau, lag = (
        f"{mean_and_half_width(part.value, 2 * part.u)} s" for part in (latency.delay_s, latency.tau_s, latency.lag_s)
    )
    typer.echo(f"{name}: readings are late by {lag} (delay {delay}, time constant {tau}; ± U, k = 2)")
    typer.echo(f"  from {latency.n_steps} steps of {latency.step_w.value:.3g} W: {found.path}")
