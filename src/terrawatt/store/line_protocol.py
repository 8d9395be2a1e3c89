"""InfluxDB's line protocol: `measurement,tag=value field=1.5 1790000000000000000`, one field a line.

One field a line, so that a field which the database refuses costs no other one. Numbers are always floats, since a
field's type is fixed by the first who writes it. The protocol has no word for a reading that failed: it becomes the
number 1 in a field of its own, `<field>_missing`, at its time.
"""

import math
import re
from collections.abc import Iterator

from terrawatt.errors import StoreError
from terrawatt.records import Sample, SeriesKey

MISSING = "_missing"  # behind the name of a field: its reading failed
_SPECIAL_IN_MEASUREMENT = re.compile(r"([, ])")
_SPECIAL = re.compile(r"([,= ])")
_ESCAPED = re.compile(r"\\([,= ])")
_UNESCAPED_COMMA = re.compile(r"(?<!\\),")
_UNESCAPED_EQUALS = re.compile(r"(?<!\\)=")


class LineEncoder:
    """Samples to lines; remembers the beginning of each series' lines."""

    def __init__(self) -> None:
        self._beginnings: dict[SeriesKey, tuple[str, str]] = {}

    def line(self, sample: Sample) -> str:
        """The line of one sample, without its end.

        Raises:
            StoreError: a name of the series cannot be said in the protocol.
        """
        beginnings = self._beginnings.get(sample.key)
        if beginnings is None:
            beginnings = self._beginnings[sample.key] = _beginnings(sample.key)
        if math.isfinite(sample.value):
            return f"{beginnings[0]}{float(sample.value)!r} {sample.t_ns}"
        return f"{beginnings[1]}1.0 {sample.t_ns}"


def parse_series(text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Measurement and tags, sorted, of a series as `SHOW SERIES` names it: `cpu,cpu=cpu-total,host=lab`."""
    measurement, *tags = _UNESCAPED_COMMA.split(text)
    pairs = (_UNESCAPED_EQUALS.split(tag, maxsplit=1) for tag in tags)
    return _unescaped(measurement), tuple(sorted((_unescaped(name), _unescaped(value)) for name, value in pairs))


def _beginnings(key: SeriesKey) -> tuple[str, str]:
    """A line up to its number, of a reading and of one that failed."""
    for problem in _problems(key):
        raise StoreError(f"{str(key)!r}: cannot be kept in InfluxDB, {problem}")
    tags = "".join(f",{_escaped(name)}={_escaped(value)}" for name, value in sorted(key.tags))
    series = _SPECIAL_IN_MEASUREMENT.sub(r"\\\1", key.measurement) + tags
    return f"{series} {_escaped(key.field)}=", f"{series} {_escaped(key.field + MISSING)}="


def _problems(key: SeriesKey) -> Iterator[str]:
    """What of a series' names the protocol has no way to say."""
    names = [key.measurement, key.field, *(part for tag in key.tags for part in tag)]
    if not all(names):
        yield "since a name or tag is empty"
    if any(not name.isprintable() for name in names):
        yield "since a name or tag has a line break or another character that cannot be printed"
    if any(name.endswith("\\") for name in names):
        yield "since a name or tag ends with a backslash"
    if key.measurement.startswith("#"):
        yield "since a line with # at its beginning is a comment"
    if key.field.endswith(MISSING):
        yield f"where a field that ends with {MISSING} says that a reading failed"
    if "time" in (key.field, *dict(key.tags)):
        yield "where `time` is the name of the time"


def _escaped(name: str) -> str:
    return _SPECIAL.sub(r"\\\1", name)


def _unescaped(name: str) -> str:
    return _ESCAPED.sub(r"\1", name)
