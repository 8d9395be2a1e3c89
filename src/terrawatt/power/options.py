"""What all kinds of source share: options that are checked, and the description of a source."""

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from terrawatt.config import SourceSettings
from terrawatt.errors import SourceError, did_you_mean
from terrawatt.records import AccuracyBand, Semantics, SeriesKey, SourceDescription


class Options(BaseModel):
    """The keys of one kind of source in `[[sources]]`: frozen, and closed to unknown ones."""

    model_config = ConfigDict(frozen=True, extra="forbid")


OptionsType = TypeVar("OptionsType", bound=Options)


def parse_options(model: type[OptionsType], settings: SourceSettings) -> OptionsType:
    """The options of a source, checked.

    Raises:
        SourceError: a key is unknown, missing or wrong; names source and key.
    """
    try:
        return model.model_validate(settings.options)
    except ValidationError as error:
        unknown = [detail for detail in error.errors() if detail["type"] == "extra_forbidden"]
        detail = (unknown or error.errors())[0]  # a mistyped key is missing as well: its near names help more
        key = ".".join(str(part) for part in detail["loc"])
        if detail["type"] == "extra_forbidden":
            hint = did_you_mean(key, tuple(model.model_fields)) if model.model_fields else ""
            raise wrong(settings, f"unknown key {key!r} of kind {settings.kind!r}.{hint}") from error
        about = f"{key}: " if key else ""
        raise wrong(settings, f"{about}{detail['msg'].removeprefix('Value error, ')}") from error


def wrong(settings: SourceSettings, what: str) -> SourceError:
    """The error of one entry of `[[sources]]`, to be raised."""
    return SourceError(f"sources[{settings.name}]: {what}")


def describe(
    settings: SourceSettings,
    host: str,
    semantics: Semantics,
    accuracy: tuple[AccuracyBand, ...] = (),
    *,
    is_estimate: bool = False,
    note: str = "",
    wrap_j: float | None = None,
    resolution_w: float = 0.0,
    has_device_time: bool = False,
) -> SourceDescription:
    """A source's description: what its kind says, unless the settings know better.

    Power is kept as `power power_w`, a counter as `power energy_j`, with tags `host` and `source`.

    Args:
        settings: the entry.
        host: the value of tag `host`.
        semantics: what a reading means by default.
        accuracy: the meter's limits of error, where its maker says them for all of the kind.
        is_estimate: whether it is no measurement.
        note: for people.
        wrap_j: the range of a counter.
        resolution_w: the smallest step of the power; 0: not known.
        has_device_time: whether the meter itself times its readings.

    Raises:
        SourceError: the settings make a counter of a power or a power of a counter, or give a power a counter's range.
    """
    meant = settings.semantics or semantics
    if (meant is Semantics.COUNTER) != (semantics is Semantics.COUNTER):
        gives = "energy (counter)" if semantics is Semantics.COUNTER else "power"
        raise wrong(settings, f"semantics: it gives {gives}, which cannot be read as {meant.value!r}")
    if settings.wrap_j is not None and meant is not Semantics.COUNTER:
        raise wrong(settings, "wrap_j: only a counter has a range after which it begins at 0 again")
    field = "energy_j" if meant is Semantics.COUNTER else "power_w"
    return SourceDescription(
        name=settings.name,
        kind=settings.kind,
        semantics=meant,
        accuracy=accuracy if settings.accuracy is None else settings.accuracy,
        series=SeriesKey.of("power", field, host=host, source=settings.name),
        resolution_w=resolution_w if settings.resolution_w is None else settings.resolution_w,
        error=settings.error,
        timing_s=settings.timing_s,
        is_estimate=is_estimate,
        note=note,
        same_as=settings.same_as,
        wrap_j=wrap_j if settings.wrap_j is None else settings.wrap_j,
        has_device_time=has_device_time,
    )


def describe_power_and_counter(
    settings: SourceSettings,
    host: str,
    semantics: Semantics,
    *,
    note: str = "",
    wrap_j: float | None = None,
    resolution_w: float = 0.0,
    has_device_time: bool = False,
) -> tuple[SourceDescription, SourceDescription]:
    """The descriptions of a device that gives its power and counts its energy.

    The power has the entry's name; the counter is called `<name> counter` and compared with it (`same_as`). Accuracy
    and error are the meter's, so those of both; `wrap_j` is the counter's.

    Raises:
        SourceError: the settings make a counter of the power.
    """
    power = describe(
        settings.model_copy(update={"wrap_j": None}),
        host,
        semantics,
        note=note,
        resolution_w=resolution_w,
        has_device_time=has_device_time,
    )
    of_counter = {"name": f"{settings.name} counter", "same_as": settings.name, "semantics": None, "resolution_w": None}
    counter = describe(
        settings.model_copy(update=of_counter),
        host,
        Semantics.COUNTER,
        note=note,
        wrap_j=wrap_j,
        has_device_time=has_device_time,
    )
    return power, counter
