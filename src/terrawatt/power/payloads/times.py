"""The times that devices write: since 1970, or as text."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from terrawatt.power.payloads.reading import Reason, RefusedError, excerpt, number

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)

# Below some number and its unit in µs, the finest that a float resolves of today's times: of the times between 1973 and
# 5138 one number means one time only.
_UNITS_US = ((1e11, 1e6), (1e14, 1e3), (1e17, 1.0), (1e20, 1e-3))


def time_of(value: object) -> int | None:
    """A time in ns: a number since 1970 in s, ms, µs or ns, or ISO 8601 with its offset; None where there is none.

    Raises:
        RefusedError: it is no time, or a local one without its offset.
    """
    if value is None:
        return None
    if not isinstance(value, str):
        return _since_1970(number(value))
    time = _iso(value)
    if time.tzinfo is None:
        raise RefusedError(Reason.WRONG_TIME, excerpt(value))
    return _ns(time)


def local_time_of(value: object, zone: ZoneInfo, near_ns: int) -> int:
    """A time in ns of a local time without its offset.

    Args:
        value: as ISO 8601.
        zone: where it is.
        near_ns: of the two times that a text means in the hour when summer time ends, the nearer one to this.

    Raises:
        RefusedError: it is no such time.
    """
    if not isinstance(value, str):
        raise RefusedError(Reason.WRONG_TIME, excerpt(value))
    local = _iso(value)
    if local.tzinfo is not None:
        return _ns(local)
    candidates = [_ns(local.replace(tzinfo=zone, fold=fold)) for fold in (0, 1)]
    return min(candidates, key=lambda t_ns: abs(t_ns - near_ns))


def _since_1970(value: float) -> int:
    for limit, unit_us in _UNITS_US:
        if 0 <= value < limit:
            return round(value * unit_us) * 1_000
    raise RefusedError(Reason.WRONG_TIME, f"{value:g}")


def _iso(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise RefusedError(Reason.WRONG_TIME, excerpt(text)) from None


def _ns(time: datetime) -> int:
    try:
        return (time - _EPOCH) // _US * 1_000
    except OverflowError:  # the first and the last day of all, away from UTC
        raise RefusedError(Reason.WRONG_TIME, excerpt(time.isoformat())) from None
