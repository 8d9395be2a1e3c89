"""Kind `tasmota`: plugs with Tasmota, over HTTP (`/cm?cmnd=Status 10`).

Tasmota takes user and password as a part of the address, so the address is never shown.
"""

from pathlib import Path

from terrawatt.config import SourceSettings
from terrawatt.errors import SourceError
from terrawatt.power import answers
from terrawatt.power.http import Ask, HttpClient, HttpOptions, HttpSource
from terrawatt.power.login import login
from terrawatt.power.options import describe, describe_power_and_counter, parse_options, wrong
from terrawatt.records import Semantics


class TasmotaOptions(HttpOptions):
    """`counter`: its energy too. The user is `admin` if nothing else is said."""

    counter: bool = True
    user_file: Path | None = None
    password_file: Path | None = None


def create(settings: SourceSettings, host: str) -> HttpSource:
    """The source of an entry of kind `tasmota`: its power and its counter.

    Raises:
        SourceError: an option is wrong.
        ConfigError: a file of a secret cannot be used.
    """
    options = parse_options(TasmotaOptions, settings)
    who = login(settings, options.user_file, options.password_file)
    try:
        client = HttpClient(options)
    except SourceError as error:
        raise wrong(settings, str(error)) from error

    def take(ask: Ask) -> tuple[float, ...]:
        secrets = {} if who is None else {"user": who.user, "password": who.password.get_secret_value()}
        return answers.tasmota(ask("/cm", secrets | {"cmnd": "Status 10"}))

    if not options.counter:
        power = describe(settings, host, Semantics.INSTANTANEOUS)
        return HttpSource((power,), client, lambda ask: take(ask)[:1])
    return HttpSource(describe_power_and_counter(settings, host, Semantics.INSTANTANEOUS), client, take)
