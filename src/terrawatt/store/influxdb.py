"""InfluxDB as a store: Telegraf's schema, one client for versions 1.x, 2.x and 3.x (InfluxQL over HTTP).

A failed reading is the number 1 in the field `<field>_missing` at its time (`line_protocol`), and is read back as NaN.
Where one time has both, the number counts. InfluxDB keeps its points by series and time, so writing again what is
there already changes nothing.
"""

import re
import time
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import numpy as np
from pydantic import SecretStr

from terrawatt.config import StoreSettings
from terrawatt.credentials import secret, store_variable
from terrawatt.errors import ConfigError, PartialWriteError, StoreError, StoreRefusedError, StoreUnreachableError
from terrawatt.records import Sample, Series, SeriesKey
from terrawatt.store import influxql
from terrawatt.store.influx_http import BodyTooLargeError, InfluxClient, Pong
from terrawatt.store.influx_place import Place
from terrawatt.store.line_protocol import MISSING, LineEncoder, parse_series
from terrawatt.units import NS_PER_S

BATCH_POINTS = 5000
_RECENT_NS, _AHEAD_NS = 30 * 86_400 * NS_PER_S, 3600 * NS_PER_S
_CONFLICT = re.compile(r'field type conflict: input field "(.*)" on measurement "(.*)" is type')


def open_influx(settings: StoreSettings) -> "InfluxStore":
    """The database of `store.url`, with its secrets; nothing is sent yet.

    Raises:
        ConfigError: a secret or certificate cannot be read, or they do not go together.
        StoreRefusedError: the address is none.
    """
    if settings.ca_file is not None and not settings.ca_file.is_file():
        raise ConfigError(f"store.ca_file: {settings.ca_file}: no such file")
    place = Place.of(settings.url)
    return InfluxStore(InfluxClient(place, _authorization(settings), settings.ca_file, settings.timeout_s))


class InfluxStore:
    """Series in a database of InfluxDB; see `store.interface.Store`. May be used by several threads."""

    def __init__(self, client: InfluxClient) -> None:
        self._client = client

    def __str__(self) -> str:
        return str(self._client.place)

    def ping(self) -> Pong:
        """See that the server answers, whoever asks.

        Raises:
            StoreError: it does not; says why.
        """
        return self._client.ping()

    def check(self, *, reading: bool = True, writing: bool = True) -> None:
        """See that the database is there and lets us do what we want, as far as the server tells without doing it.

        Raises:
            StoreUnreachableError: it does not answer now.
            StoreRefusedError: user, password, token, database or certificate are wrong.
        """
        is_told = writing and self._client.probe_writing()
        if reading or not is_told:
            self._client.ask("SHOW MEASUREMENTS LIMIT 1")

    def create_database(self) -> None:
        """Make the database; one that is there stays as it is.

        Raises:
            StoreError: this user may not, or this server does not make databases this way (2.x).
        """
        self._client.ask(f"CREATE DATABASE {influxql.identifier(self._client.place.database)}", changes=True)

    def write(self, samples: Iterable[Sample]) -> int:
        """Write samples, in batches; one with the key and time of an earlier one replaces it. Returns how many.

        A failed reading does not take back a number that was written for its time before.

        Raises:
            PartialWriteError: some are refused for good, e.g. because their field holds whole numbers; the others are
                written.
            StoreError: the database does not answer, or refuses; those of earlier batches are written.
        """
        encoder, complaints = LineEncoder(), Complaints(str(self))
        batch: list[Sample] = []
        lines: list[str] = []
        written = 0
        for sample in samples:
            try:
                lines.append(encoder.line(sample))
            except StoreError as error:
                complaints.add(str(error), 1)
                continue
            batch.append(sample)
            if len(batch) == BATCH_POINTS:
                written += self._send(batch, lines, complaints)
                batch, lines = [], []
        written += self._send(batch, lines, complaints)
        complaints.raise_any()
        return written

    def read(self, key: SeriesKey, start_ns: int | None = None, end_ns: int | None = None) -> Series:
        """The series between two times (both included), sorted; empty when there is none.

        The series has exactly the key's tags: one with further tags is another.

        Raises:
            StoreError: a bound is missing, the database does not answer or refuses, the answer is incomplete, or the
                field holds no numbers.
        """
        if start_ns is None or end_ns is None:
            raise StoreError(f"{self}: {key}: a series is only read between two times")
        found = self._client.ask(influxql.count_series(key, start_ns, end_ns))
        counts = _counts_of(key, found)
        if counts is None:
            return Series(key, np.empty(0, np.int64), np.empty(0, np.float64))
        absent = {tag for series in found for tag in series.get("tags", {})} - set(dict(key.tags))
        statement = influxql.select_series(key, start_ns, end_ns, sorted(absent))
        try:
            t_ns, (value, failed) = self._client.columns(statement, (key.field, key.field + MISSING))
        except ValueError as error:
            raise StoreError(f"{self}: {key}: holds no numbers") from error
        if np.count_nonzero(~np.isnan(value)) < counts[0] or np.count_nonzero(~np.isnan(failed)) < counts[1]:
            self._client.ask(statement)  # an error, which JSON would have said
            raise StoreError(
                f"{self}: {key}: the answer was cut off after {len(t_ns)} of {max(counts)} readings; "
                "look for limits of the server (query-timeout, max-select-*), or ask for a shorter time"
            )
        return Series(key, np.array(t_ns), np.array(value))  # pyarrow's own cannot be written to

    def keys(self) -> list[SeriesKey]:
        """All series, sorted: each series of tags with each field of its measurement.

        The database's index does not say which of them have readings; `keys_between` does. Where there is no such
        index (3.x), the series of the last 30 days.

        Raises:
            StoreError: the database does not answer or refuses.
        """
        fields: dict[str, set[str]] = defaultdict(set)
        for series in self._client.ask("SHOW FIELD KEYS"):
            fields[series["name"]] |= {str(row[0]).removesuffix(MISSING) for row in series["values"]}
        try:
            found = self._client.ask("SHOW SERIES")
        except (StoreUnreachableError, StoreRefusedError):
            raise
        except StoreError:  # 3.x has no such statement
            now_ns = time.time_ns()
            return list(self.keys_between(now_ns - _RECENT_NS, now_ns + _AHEAD_NS))
        rows = (row for series in found for row in series["values"])
        named = {parse_series(str(row[0])) for row in rows}
        keys = [SeriesKey(name, field, tags) for name, tags in named for field in fields[name]]
        return sorted(keys, key=_names)

    def keys_between(self, start_ns: int, end_ns: int) -> dict[SeriesKey, int]:
        """The series that have readings between two times (both included), with how many, failed ones too; sorted.

        A failed one that a number replaced later counts as two.

        Raises:
            StoreError: the database does not answer or refuses.
        """
        counted: dict[SeriesKey, int] = defaultdict(int)
        for series in self._client.ask(influxql.count_all(start_ns, end_ns)):
            tags = _tags(series.get("tags", {}))
            for column, count in zip(series["columns"], series["values"][0], strict=True):
                if column != "time" and count:
                    name = column.removeprefix("count_").removesuffix(MISSING)
                    counted[SeriesKey(series["name"], name, tags)] += int(count)
        return dict(sorted(counted.items(), key=lambda item: _names(item[0])))

    def close(self) -> None:
        """Close the connections; nothing is pending. Idempotent."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send(self, batch: Sequence[Sample], lines: Sequence[str], complaints: "Complaints") -> int:
        """Write one batch, in halves where it is too large. Returns how many points are kept."""
        if not batch:
            return 0
        try:
            rejection = self._client.write(lines)
        except BodyTooLargeError:
            if len(lines) == 1:
                raise
            half = len(lines) // 2
            return sum(self._send(batch[part], lines[part], complaints) for part in (slice(half), slice(half, None)))
        if rejection is None:
            return len(batch)
        complaints.add(self._explain(rejection.message, batch), rejection.dropped)
        return max(len(batch) - rejection.dropped, 0)

    def _explain(self, message: str, batch: Sequence[Sample]) -> str:
        """What a rejection means; of conflicts of type all fields, where the server names the first."""
        first = _CONFLICT.search(message)
        if first is None:
            return message
        fields = {(sample.key.measurement, sample.key.field) for sample in batch}
        measurements = ", ".join(influxql.identifier(name) for name in sorted({name for name, _ in fields}))
        types: dict[tuple[str, str], set[str]] = defaultdict(set)
        with suppress(StoreError):  # who may only write learns of the first alone
            for series in self._client.ask(f"SHOW FIELD KEYS FROM {measurements}"):
                for field, kind in series["values"]:
                    types[series["name"], field] |= {kind}
        others = {names for names in fields if types[names] and "float" not in types[names]}
        named = sorted(others | {(first[2], first[1])})
        kinds = sorted(set().union(*(types[names] for names in named)) - {"float"}) or ["another type"]
        return (
            f"{', '.join(f'{measurement} {field}' for measurement, field in named)}: kept there as "
            f"{' or '.join(kinds)}, so floats are refused; leave these to the program that writes them, or use "
            "another database"
        )


class Complaints:
    """What a write refused, gathered over its batches."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._counts: dict[str, int] = defaultdict(int)

    def add(self, message: str, count: int) -> None:
        """Take a complaint about so many points."""
        self._counts[message] += count

    def raise_any(self) -> None:
        """Raise them together, if there are any.

        Raises:
            PartialWriteError: with how many points were refused, and why.
        """
        if self._counts:
            refused = sum(self._counts.values())
            message = f"{self._place}: {refused} points refused: {'; '.join(self._counts)}"
            raise PartialWriteError(message, refused, tuple(self._counts))


def _authorization(settings: StoreSettings) -> SecretStr | None:
    """The value of the header that lets us in; None where no secret is set.

    Raises:
        ConfigError: user and password do not go together, or there is a token too.
    """
    given = {
        name: getattr(settings, name) or secret(f"{name} of the store", store_variable(name), file)
        for name, file in (
            ("user", settings.user_file),
            ("password", settings.password_file),
            ("token", settings.token_file),
        )
    }
    user, password, token = (value.get_secret_value() if value else "" for value in given.values())
    if token and (user or password):
        raise ConfigError("store: give user and password, or a token, not both")
    if bool(user) != bool(password):
        missing = "password" if user else "user"
        raise ConfigError(f"store: the {missing} is missing; set {store_variable(missing)} or store.{missing}_file")
    if token:
        return SecretStr(f"Token {token}")
    return SecretStr(f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}") if user else None


def _counts_of(key: SeriesKey, found: Iterable[Mapping[str, Any]]) -> tuple[int, int] | None:
    """How many readings, and how many failed ones, the series with exactly the key's tags has; None without any."""
    for series in found:
        if _tags(series.get("tags") or {}) == tuple(sorted(key.tags)):
            _, readings, failed = series["values"][0]
            return int(readings or 0), int(failed or 0)
    return None


def _tags(tags: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """A series' tags, without those that it has not."""
    return tuple(sorted((name, value) for name, value in tags.items() if value))


def _names(key: SeriesKey) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    return key.measurement, key.field, key.tags
