"""Which series of a database are meant, where somebody else, as Telegraf, writes them. Pure.

A series is looked for by measurement, field and some tags; the tag `host` is that of the settings, or the only one
there is. Of a meter it may be another machine's: that of the one that runs Telegraf's MQTT consumer.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from terrawatt.config import SamplingSettings
from terrawatt.errors import ConfigError, SourceError
from terrawatt.records import Semantics, Series, SeriesKey, SourceDescription
from terrawatt.telemetry.host import QUANTITIES
from terrawatt.telemetry.messages import SamplerReport
from terrawatt.units import ns_to_s

USUAL_S = 10.0  # between Telegraf's readings, by default; to be replaced by what the readings say
_MAX_LISTED = 8


def find_series(
    known: Sequence[SeriesKey], sampling: SamplingSettings, sources: Sequence[SourceDescription], when: str
) -> SamplerReport:
    """What is recorded: each source and quantity with its series, or why there is none. How often is not known here.

    Args:
        known: the series of the database that have readings in the time that matters.
        sampling: groups, sensor, disk and host.
        sources: their series have the measurement, the field and some of the tags.
        when: that time, in words.

    Raises:
        ConfigError: there are several hosts and none is chosen, or the chosen one is not there; lists them.
        SourceError: a source has no series, or several fit; lists them.
    """
    host = _host(known, sampling, when)
    found: dict[str, SeriesKey] = {}
    missing: dict[str, str] = {}
    for quantity, sought in _sought(sampling).items():
        of_host = list(_matching(known, SeriesKey.of(sought.group, sought.field, host=host)))
        if sought.group not in sampling.host:
            missing[quantity] = f"sampling.host does not name {sought.group!r}"
        elif not of_host:
            of = f" of host {host}" if host else ""
            missing[quantity] = f"the database has no reading of {sought.group} {sought.field}{of} {when}"
        elif isinstance(series := sought.among(of_host), SeriesKey):
            found[quantity] = series
        else:
            missing[quantity] = series
    described = tuple(replace(source, series=_source_series(known, source, host, when)) for source in sources)
    return SamplerReport(described, host, found, missing, interval_s=USUAL_S, slowest_s=USUAL_S)


def timed(report: SamplerReport, series: Iterable[Series]) -> SamplerReport:
    """The report with how often readings come, as some of them tell; those on change come as they like."""
    on_change = {source.series for source in report.sources if source.semantics is Semantics.ON_CHANGE}
    found_s = {one.key: found for one in series if (found := interval_s(one)) is not None}
    of_host = [found_s[key] for key in report.host_series.values() if key in found_s]
    slowest_s = max((found for key, found in found_s.items() if key not in on_change), default=report.slowest_s)
    return replace(report, interval_s=max(of_host, default=slowest_s), slowest_s=slowest_s)


def interval_s(series: Series) -> float | None:
    """The median time between readings in s; None where there are too few."""
    return ns_to_s(int(np.median(np.diff(series.t_ns)))) if len(series) > 1 else None


def _host(known: Sequence[SeriesKey], sampling: SamplingSettings, when: str) -> str:
    """The value of tag `host` of the machine's series."""
    hosts = sorted({key.tag("host") or "" for key in known if key.measurement in QUANTITIES} - {""})
    if sampling.host_name and (sampling.host_name in hosts or not hosts):
        return sampling.host_name
    if sampling.host_name:
        raise ConfigError(
            f"sampling.host_name: no host {sampling.host_name!r} in the database {when}, but {_listed(hosts)}"
        )
    if len(hosts) > 1:
        raise ConfigError(f"sampling.host_name: several hosts in the database {when}, choose one: {_listed(hosts)}")
    return hosts[0] if hosts else ""


@dataclass(frozen=True, slots=True)
class _Sought:
    """A quantity's series in Telegraf's schema, and how one of several is chosen.

    Attributes:
        group: of `sampling.host`; the measurement.
        field: of the series.
        tag: that tells one from others; empty: there are no others.
        value: that it must have; empty: that of the only one.
        setting: which says so; empty: it is fixed.
    """

    group: str
    field: str
    tag: str = ""
    value: str = ""
    setting: str = ""

    def among(self, of_host: Sequence[SeriesKey]) -> SeriesKey | str:
        """The one that is meant, of those of a machine (at least one); or why it cannot be told."""
        fitting = [key for key in of_host if not self.value or key.tag(self.tag) == self.value]
        if len(fitting) == 1:
            return fitting[0]
        if fitting and (self.value or not self.tag):
            return f"several series of the database fit: {_listed(map(str, fitting))}"
        there = _listed(sorted({key.tag(self.tag) or "none" for key in of_host}))
        what = "several are" if fitting else f"no {self.tag} {self.value!r} is"
        remedy = f"set {self.setting} to one of {there}" if self.setting else f"there are {there}"
        return f"{what} in the database; {remedy}"


def _sought(sampling: SamplingSettings) -> dict[str, _Sought]:
    """Quantity -> what is looked for."""
    choices = {
        "cpu": ("cpu", "cpu-total", ""),
        "temp": ("sensor", sampling.temp_sensor, "sampling.temp_sensor"),
        "diskio": ("name", sampling.disk.removeprefix("/dev/"), "sampling.disk"),
    }
    return {quantity: _Sought(group, field, *choices.get(group, ())) for group, (quantity, field) in QUANTITIES.items()}


def _source_series(known: Sequence[SeriesKey], source: SourceDescription, host: str, when: str) -> SeriesKey:
    """The series of a source: the only one that fits, or the only one of them that is of the machine itself."""
    fitting = list(_matching(known, source.series))
    own = [key for key in fitting if key.tag("host") == host]
    chosen = own if len(fitting) > 1 and len(own) == 1 else fitting
    if len(chosen) == 1:
        return chosen[0]
    if chosen:
        raise SourceError(
            f"sources[{source.name}]: several series of the database fit; name more tags: {_listed(map(str, chosen))}"
        )
    near = [str(key) for key in known if key.measurement == source.series.measurement]
    hint = f"of this measurement there are {_listed(sorted(near))}" if near else "it has none of this measurement"
    raise SourceError(f"sources[{source.name}]: the database has no reading of {source.series} {when}; {hint}")


def _matching(known: Iterable[SeriesKey], wanted: SeriesKey) -> Iterable[SeriesKey]:
    """The series with the name and at least the tags that are wanted."""
    tags: Mapping[str, str] = dict(wanted.tags)
    for key in known:
        has = dict(key.tags)
        is_named = (key.measurement, key.field) == (wanted.measurement, wanted.field)
        if is_named and all(has.get(name) == value for name, value in tags.items() if value):
            yield key


def _listed(names: Iterable[str]) -> str:
    """The first of some names, and how many there are beyond."""
    names = list(names)
    more = f" and {len(names) - _MAX_LISTED} more" if len(names) > _MAX_LISTED else ""
    return ", ".join(names[:_MAX_LISTED]) + more
