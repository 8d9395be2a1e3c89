"""Statements of InfluxQL, the query language that InfluxDB 1.x, 2.x and 3.x share. Every one is bounded in time.

Names are said with `::tag` and `::field`, since a tag and a field may be called the same.
"""

# ruff: noqa: S608  # names and values are quoted by the functions below

from collections.abc import Iterable

from terrawatt.records import SeriesKey
from terrawatt.store.line_protocol import MISSING

# The times that InfluxDB can keep.
FIRST_NS, LAST_NS = -(2**63) + 2, 2**63 - 2


def identifier(name: str) -> str:
    """A name of a measurement, field, tag or database, quoted."""
    return '"' + _escaped(name, '"') + '"'


def string(text: str) -> str:
    """A value of a tag, quoted."""
    return "'" + _escaped(text, "'") + "'"


def count_series(key: SeriesKey, start_ns: int, end_ns: int) -> str:
    """How many readings, and how many failed ones, each series has that has the key's tags, and maybe more."""
    counted = ", ".join(f"count({name})" for name in _fields(key))
    return f"SELECT {counted} FROM {identifier(key.measurement)} WHERE {_where(key, start_ns, end_ns)} GROUP BY *"


def select_series(key: SeriesKey, start_ns: int, end_ns: int, absent: Iterable[str] = ()) -> str:
    """The readings of a series, and where they failed.

    Args:
        key: the series.
        start_ns: the first time, included.
        end_ns: the last time, included.
        absent: tags that other series have, and this one has not.
    """
    where = _where(key, start_ns, end_ns) + "".join(f" AND {identifier(tag)}::tag = ''" for tag in absent)
    return f"SELECT {', '.join(_fields(key))} FROM {identifier(key.measurement)} WHERE {where}"


def count_all(start_ns: int, end_ns: int) -> str:
    """How many points each field of each series has."""
    return f"SELECT count(*) FROM /.*/ WHERE {_between(start_ns, end_ns)} GROUP BY *"


def _fields(key: SeriesKey) -> tuple[str, str]:
    return f"{identifier(key.field)}::field", f"{identifier(key.field + MISSING)}::field"


def _where(key: SeriesKey, start_ns: int, end_ns: int) -> str:
    tags = "".join(f"{identifier(name)}::tag = {string(value)} AND " for name, value in key.tags)
    return tags + _between(start_ns, end_ns)


def _between(start_ns: int, end_ns: int) -> str:
    return f"time >= {max(start_ns, FIRST_NS)} AND time <= {min(end_ns, LAST_NS)}"


def _escaped(text: str, quote: str) -> str:
    return text.replace("\\", "\\\\").replace(quote, f"\\{quote}").replace("\n", "\\n")
