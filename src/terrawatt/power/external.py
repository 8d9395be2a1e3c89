"""A meter that somebody else reads, as Telegraf: a description only, which says where its readings are.

[[sources]]
name = "plug"
kind = "external"
measurement = "mqtt_consumer"
field = "value"
tags = { topic = "zwave/Smart_switch_PC/50/0/value/66049" }
unit = "W"
"""

from dataclasses import replace
from typing import Literal

from pydantic import Field

from terrawatt.config import SourceSettings
from terrawatt.errors import SourceError
from terrawatt.power.options import Options, describe, parse_options
from terrawatt.power.payloads.reading import UNITS, Quantity
from terrawatt.records import Semantics, SeriesKey, SourceDescription

Unit = Literal["W", "mW", "kW", "J", "Wh", "kWh"]


class ExternalOptions(Options):
    """Where the readings are: `tags` need not name all tags of the series, but enough to tell it from others.

    `unit`: of the readings; an energy is a counter. `interval_s`: how often the meter reports, where that is fixed.
    """

    measurement: str
    field: str = "value"
    tags: dict[str, str] = Field(default_factory=dict)
    unit: Unit = "W"
    interval_s: float | None = Field(default=None, gt=0)


class ExternalSource:
    """What is known of a meter that somebody else reads."""

    def __init__(self, description: SourceDescription) -> None:
        self.descriptions = (description,)

    def read(self) -> tuple[float, ...]:
        """There is nothing to ask.

        Raises:
            SourceError: always; says where the readings are.
        """
        raise SourceError(f"somebody else reads it, into the database: {self.descriptions[0].series}")

    def close(self) -> None:
        """Nothing is held."""


def create(settings: SourceSettings, host: str) -> ExternalSource:
    """The source of an entry of kind `external`. The series' tags are those of the entry, to be completed.

    Raises:
        SourceError: an option is wrong.
    """
    options = parse_options(ExternalOptions, settings)
    unit = UNITS[options.unit]
    semantics = Semantics.COUNTER if unit.quantity is Quantity.ENERGY else Semantics.INSTANTANEOUS
    description = replace(
        describe(settings, host, semantics, note=f"read by others, in {options.unit}"),
        series=SeriesKey(options.measurement, options.field, tuple(sorted(options.tags.items()))),
        scale=unit.factor,
        interval_s=options.interval_s,
    )
    return ExternalSource(description)
