"""`terrawatt power list`: the configured sources with what they give now, and the counters of this machine."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from terrawatt.cli.options import ConfigOption, parse_number
from terrawatt.errors import UsageError

if TYPE_CHECKING:
    from rich.text import Text

    from terrawatt.power.counters import Survey
    from terrawatt.records import SourceDescription
    from terrawatt.telemetry.observe import Observed


def list_sources(
    wait: Annotated[
        float,
        typer.Option("--wait", metavar="SECONDS", parser=parse_number, help="How long to wait for the first readings."),
    ] = 5.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")] = False,
    config: ConfigOption = None,
) -> None:
    """The configured sources and what they give now, and the energy counters of this machine."""
    if wait <= 0:
        raise UsageError(f"--wait {wait:g}: a source needs some time to answer")
    import json
    import socket

    from terrawatt.config import load
    from terrawatt.experiment.doctor.read_database import observe_external
    from terrawatt.power.counters import survey
    from terrawatt.telemetry.observe import observe

    settings = load(config)
    host = settings.sampling.host_name or socket.gethostname()
    if settings.sampling.is_external:
        observed = observe_external(settings, host)
    else:
        observed = observe(settings.sources, host, interval_s=1.0, patience_s=wait)
    counters = survey()
    if as_json:
        found = {
            "sources": [entry for one in observed for entry in _entries(one)],
            "counters": [{"device": one.device, "counters": one.counters, "reason": one.reason} for one in counters],
        }
        typer.echo(json.dumps(found, indent=2))
        return
    _print(observed, counters)


def _print(observed: "tuple[Observed, ...]", counters: "tuple[Survey, ...]") -> None:
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    for one in observed:
        for line in _lines(one):
            console.print(line)
    console.print()
    console.print('energy counters of this machine (kind "counters")', style="bold")
    for survey in counters:
        console.print(f"  {survey.device:<7} {', '.join(survey.counters) or f'none: {survey.reason}'}")


def _lines(one: "Observed") -> "Iterator[Text]":
    """The lines of one source: each of its series with its present value; or why there is none."""
    from rich.text import Text

    if not one.descriptions:
        yield _headline(one.settings.name, f"cannot be used: {one.reason}", is_good=False)
        yield Text(f"  kind {one.settings.kind}", style="dim")
        return
    failure = one.failure()
    for description in one.descriptions:
        readings = one.readings(description)
        missing = failure or "none in its answers"
        value = _value(description, readings[-1].value) if readings else f"no reading: {missing}"
        yield _headline(description.name, value, is_good=bool(readings))
        yield Text(f"  {', '.join(_words(one, description))}", style="dim")
        yield Text(f"  series {description.series}", style="dim")
        if description.note:
            yield Text(f"  {description.note}", style="dim")


def _headline(name: str, what: str, *, is_good: bool) -> "Text":
    from rich.text import Text

    return Text.assemble((f"{name}: ", "bold"), (what, "green" if is_good else "red"))


def _words(one: "Observed", description: "SourceDescription") -> "Iterator[str]":
    """What is known of a series, in short words."""
    from terrawatt.records import Semantics
    from terrawatt.report.facts import accuracy_in_words

    yield f"kind {description.kind}"
    yield description.semantics.value
    yield accuracy_in_words(description.accuracy) if description.accuracy else "accuracy not stated"
    if description.resolution_w:
        yield f"steps of {description.resolution_w:g} W"
    if description.semantics is Semantics.COUNTER and description.wrap_j is not None:
        yield f"begins again after {_energy(description.wrap_j)}"
    if description.same_as:
        yield f"same device as {description.same_as}"
    if description.has_device_time:
        yield "times its readings"
    answers_s = [look.took_s for look in one.looks if not look.reason]
    if answers_s and not one.is_pushed and max(answers_s) >= 0.001:
        yield f"answers in {1000 * max(answers_s):.0f} ms"


def _value(description: "SourceDescription", value: float) -> str:
    from terrawatt.records import Semantics

    return _energy(value) if description.semantics is Semantics.COUNTER else f"{value:.4g} W"


def _energy(energy_j: float) -> str:
    from terrawatt.units import with_si_prefix

    return with_si_prefix(energy_j, "J", digits=6)


def _entries(one: "Observed") -> Iterator[dict[str, Any]]:
    """The same as data."""
    from terrawatt.records import Semantics
    from terrawatt.report.facts import accuracy_in_words

    if not one.descriptions:
        yield {"name": one.settings.name, "kind": one.settings.kind, "reading": None, "reason": one.reason}
    for description in one.descriptions:
        readings = one.readings(description)
        yield {
            "name": description.name,
            "kind": description.kind,
            "series": str(description.series),
            "semantics": description.semantics.value,
            "unit": "J" if description.semantics is Semantics.COUNTER else "W",
            "accuracy": accuracy_in_words(description.accuracy) if description.accuracy else None,
            "resolution_w": description.resolution_w or None,
            "wrap_j": description.wrap_j,
            "same_as": description.same_as or None,
            "has_device_time": description.has_device_time,
            "reading": readings[-1].value if readings else None,
            "t_ns": readings[-1].t_ns if readings else None,
            "reason": None if readings else one.failure() or "none in its answers",
        }
