"""Kind `shelly`: plugs of Shelly, second generation and later, over HTTP (`/rpc/Switch.GetStatus`)."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from terrawatt.config import SourceSettings
from terrawatt.errors import SourceError
from terrawatt.power import answers
from terrawatt.power.http import Ask, HttpClient, HttpOptions, HttpSource
from terrawatt.power.login import login
from terrawatt.power.options import describe, describe_power_and_counter, parse_options, wrong
from terrawatt.records import Semantics


class ShellyOptions(HttpOptions):
    """`id`: which of the device's switches. `component`: `pm1` for meters without one. `counter`: its energy too."""

    id: int = Field(default=0, ge=0)
    component: Literal["switch", "pm1"] = "switch"
    counter: bool = True
    password_file: Path | None = None


def create(settings: SourceSettings, host: str) -> HttpSource:
    """The source of an entry of kind `shelly`: its power and its counter.

    Raises:
        SourceError: an option is wrong.
        ConfigError: the password's file cannot be used.
    """
    options = parse_options(ShellyOptions, settings)
    path = "/rpc/Switch.GetStatus" if options.component == "switch" else "/rpc/PM1.GetStatus"
    try:
        client = HttpClient(options, login(settings, None, options.password_file))
    except SourceError as error:
        raise wrong(settings, str(error)) from error

    def take(ask: Ask) -> tuple[float, ...]:
        return answers.shelly(ask(path, {"id": str(options.id)}))

    if not options.counter:
        power = describe(settings, host, Semantics.INSTANTANEOUS)
        return HttpSource((power,), client, lambda ask: take(ask)[:1])
    return HttpSource(describe_power_and_counter(settings, host, Semantics.INSTANTANEOUS), client, take)
