"""Kind `esphome`: sensors of ESPHome's web server, over HTTP (`/sensor/<id>`)."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from terrawatt.config import SourceSettings
from terrawatt.errors import SourceError
from terrawatt.power.answers import esphome
from terrawatt.power.http import Ask, HttpClient, HttpOptions, HttpSource, measured_by
from terrawatt.power.login import login
from terrawatt.power.options import parse_options, wrong
from terrawatt.power.payloads.reading import Quantity
from terrawatt.records import Semantics


class EspHomeOptions(HttpOptions):
    """`sensor`: the id of the sensor of power. `counter_sensor`: that of the energy, if there is one."""

    sensor: str = Field(min_length=1)
    counter_sensor: str = ""
    counter_unit: Literal["", "J", "Wh", "kWh"] = ""
    user_file: Path | None = None
    password_file: Path | None = None


def create(settings: SourceSettings, host: str) -> HttpSource:
    """The source of an entry of kind `esphome`: its power, and its counter if that is named.

    Raises:
        SourceError: an option is wrong.
        ConfigError: a file of a secret cannot be used.
    """
    options = parse_options(EspHomeOptions, settings)
    try:
        client = HttpClient(options, login(settings, options.user_file, options.password_file))
    except SourceError as error:
        raise wrong(settings, str(error)) from error

    def power_w(ask: Ask) -> float:
        return esphome(ask(f"/sensor/{options.sensor}", {}), Quantity.POWER, "W")

    def energy_j(ask: Ask) -> float:
        return esphome(ask(f"/sensor/{options.counter_sensor}", {}), Quantity.ENERGY, options.counter_unit)

    return measured_by(
        settings, host, Semantics.INSTANTANEOUS, client, power_w, energy_j if options.counter_sensor else None
    )
