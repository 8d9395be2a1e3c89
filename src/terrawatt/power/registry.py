"""The kinds of power source: those built in, and other packages' by the entry points `terrawatt.power_sources`."""

from collections.abc import Callable
from importlib.metadata import entry_points

from terrawatt.config import SourceSettings
from terrawatt.errors import did_you_mean
from terrawatt.power import counters, esphome, estimate, external, homeassistant, mqtt, replay, shelly, tasmota
from terrawatt.power.options import wrong
from terrawatt.power.source import PowerSource

ENTRY_POINTS = "terrawatt.power_sources"

Factory = Callable[[SourceSettings, str], PowerSource]

BUILT_IN: dict[str, Factory] = {
    "counters": counters.create,
    "esphome": esphome.create,
    "estimate": estimate.create,
    "external": external.create,
    "homeassistant": homeassistant.create,
    "mqtt": mqtt.create,
    "replay": replay.create,
    "shelly": shelly.create,
    "tasmota": tasmota.create,
}


def create(settings: SourceSettings, host: str) -> PowerSource:
    """The source of one entry of `[[sources]]`.

    Args:
        settings: the entry; its kind is looked up among those built in, then among the entry points.
        host: the value of tag `host`.

    Raises:
        SourceError: there is no such kind, or its package or options are wrong.
    """
    return _factory(settings)(settings, host)


def _factory(settings: SourceSettings) -> Factory:
    if settings.kind in BUILT_IN:
        return BUILT_IN[settings.kind]
    others = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
    if settings.kind not in others:
        known = tuple(sorted({*BUILT_IN, *others}))
        raise wrong(settings, f"there is no kind {settings.kind!r}.{did_you_mean(settings.kind, known)}")
    try:
        factory: Factory = others[settings.kind].load()
    except (ImportError, AttributeError) as error:
        raise wrong(settings, f"kind {settings.kind!r}: its package cannot be loaded ({error})") from error
    return factory
