"""`terrawatt power simulate`: a plug that is not there, whose energy is known exactly."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from terrawatt.cli.option_groups import takes_groups
from terrawatt.cli.simulate_options import FaultOptions, PlaceOptions, PowerOptions, ReadingOptions

if TYPE_CHECKING:
    from terrawatt.power.simulator.meter import MeterSettings
    from terrawatt.power.simulator.simulation import Simulation
    from terrawatt.power.simulator.truth import Triggered

_LOOK_S = 0.1


@takes_groups(power=PowerOptions, reading=ReadingOptions, faults=FaultOptions, place=PlaceOptions)
def simulate(
    protocol: Annotated[str, typer.Option("--protocol", help="How it speaks; `list` shows all.")],
    power: PowerOptions,
    reading: ReadingOptions,
    faults: FaultOptions,
    place: PlaceOptions,
) -> None:
    """Be a smart plug: publish or answer as a real one does, and write down what is truly drawn.

    Secrets come from files, or from TERRAWATT_SOURCE_<NAME>_USER, _PASSWORD and _TOKEN.
    """
    from terrawatt.power.simulator.protocols import check_protocol
    from terrawatt.power.simulator.simulation import Simulation

    if protocol == "list":
        _list_protocols()
        return
    check_protocol(protocol)
    settings = reading.meter(protocol, faults, power.seed)
    speaker = place.speaker(protocol)
    true_power, switched = power.power(time.time_ns())
    simulation = Simulation(true_power, settings, speaker, power.truth)
    with _signals() as ended, simulation:
        _say_hello(protocol, power, place, settings, simulation)
        _watch(simulation, switched, power.duration, ended)
    _say_goodbye(simulation)


def _list_protocols() -> None:
    from terrawatt.power.simulator.dialects import DIALECTS
    from terrawatt.power.simulator.protocols import PROTOCOLS, semantics_of

    for protocol in PROTOCOLS:
        topics = " ".join(DIALECTS[protocol].topics_of("NAME")) if protocol in DIALECTS else "over HTTP"
        typer.echo(f"{protocol:<20}{semantics_of(protocol):<15}{topics}")


def _say_hello(
    protocol: str, power: PowerOptions, place: PlaceOptions, settings: "MeterSettings", simulation: "Simulation"
) -> None:
    from terrawatt.power.simulator.dialects import DIALECTS
    from terrawatt.power.simulator.protocols import semantics_of, source_entry

    trigger = power.busy_file or power.busy_while
    draws = f"{power.profile} while {str(trigger)!r} is there, else {power.idle:g} W" if trigger else power.profile
    address = place.broker if protocol in DIALECTS else simulation.speaker.where
    further: dict[str, object] = {"resolution_w": settings.resolution_w}
    if settings.semantics is not semantics_of(protocol):
        further["semantics"] = str(settings.semantics)
    typer.echo(f"simulated plug ({protocol}): {simulation.speaker.where}")
    typer.echo(f"draws {draws}; readings: {settings.semantics}, every {settings.interval_s:g} s")
    typer.echo(f"true energy: {power.truth}")
    typer.echo(f"to read it, in terrawatt.toml:\n\n{source_entry(protocol, place.name, address, further)}")
    typer.echo("Ctrl-C ends it." if power.duration is None else f"It ends after {power.duration:g} s, or with Ctrl-C.")


@contextmanager
def _signals() -> Iterator[list[int]]:
    """Ctrl-C and SIGTERM end it in good order: those that came so far."""
    came: list[int] = []
    handlers = {number: signal.signal(number, lambda *_: came.append(1)) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _watch(simulation: "Simulation", switched: "Triggered | None", duration_s: float | None, ended: list[int]) -> None:
    """Wait for its end, and tell when its power is switched."""
    end_s = float("inf") if duration_s is None else time.monotonic() + duration_s
    was_on = False
    while not ended and time.monotonic() < end_s:
        simulation.wait(min(_LOOK_S, max(0.0, end_s - time.monotonic())))
        if switched is not None and switched.is_on != was_on:
            was_on = switched.is_on
            typer.echo(f"{time.strftime('%H:%M:%S')}  {'busy' if was_on else 'idle again'}")


def _say_goodbye(simulation: "Simulation") -> None:
    from terrawatt.power.simulator.truth import read_truth
    from terrawatt.units import with_si_prefix

    counts = simulation.counts
    truth = read_truth(simulation.truth_file)
    typer.echo(
        f"{counts.taken} readings: {counts.lost} lost, {counts.doubled} doubled; "
        f"{simulation.speaker.sent} messages or answers sent"
    )
    typer.echo(f"drew {with_si_prefix(float(truth.energy_j[-1]), 'J')}; {simulation.truth_file} has it by time")
