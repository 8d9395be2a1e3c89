"""Kind `homeassistant`: entities of Home Assistant, over HTTP (`/api/states/<entity>`).

Home Assistant keeps the last state of a plug that it has lost, so a state that is too old is no reading. Its age is by
Home Assistant's own clock, which comes with each answer.
"""

import time
from datetime import UTC, datetime
from pathlib import Path

from pydantic import Field

from terrawatt.config import SourceSettings
from terrawatt.errors import SourceError
from terrawatt.power.answers import home_assistant
from terrawatt.power.http import Ask, HttpClient, HttpOptions, HttpSource, measured_by
from terrawatt.power.login import source_secret
from terrawatt.power.options import parse_options, wrong
from terrawatt.power.payloads.reading import Quantity
from terrawatt.records import Semantics

_ENTITY = r"^[a-z0-9_]+\.[a-z0-9_]+$"


class HomeAssistantOptions(HttpOptions):
    """`entity`: of the power. `counter_entity`: of the energy. `max_age_s`: an older state is not a reading of now."""

    entity: str = Field(pattern=_ENTITY)
    counter_entity: str = Field(default="", pattern=rf"^$|{_ENTITY}")
    max_age_s: float = Field(default=120.0, gt=0, allow_inf_nan=False)
    token_file: Path | None = None


def create(settings: SourceSettings, host: str) -> HttpSource:
    """The source of an entry of kind `homeassistant`: its power, and its counter if that is named.

    Raises:
        SourceError: an option is wrong.
        ConfigError: the token's file cannot be used.
    """
    options = parse_options(HomeAssistantOptions, settings)
    try:
        client = HttpClient(options, token=source_secret(settings, "token", options.token_file))
    except SourceError as error:
        raise wrong(settings, str(error)) from error

    def state(ask: Ask, entity: str, quantity: Quantity) -> float:
        answer = ask(f"/api/states/{entity}", {})
        return home_assistant(answer, quantity, _now(client), options.max_age_s)

    def power_w(ask: Ask) -> float:
        return state(ask, options.entity, Quantity.POWER)

    def energy_j(ask: Ask) -> float:
        return state(ask, options.counter_entity, Quantity.ENERGY)

    return measured_by(
        settings, host, Semantics.ON_CHANGE, client, power_w, energy_j if options.counter_entity else None
    )


def _now(client: HttpClient) -> datetime:
    """The time of Home Assistant's clock, as its answers tell it; else of this machine's."""
    offset_s = 0.0 if client.clock is None else (client.clock.low_s + client.clock.high_s) / 2
    return datetime.fromtimestamp(time.time() + offset_s, UTC)
