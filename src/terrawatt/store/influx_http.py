"""InfluxDB over HTTP: `/ping`, `/write`, `/query`, as versions 1.x, 2.x and 3.x have them; what an answer means.

User and password, or the token, travel in a header. Messages name the database by its address, which holds neither.
"""

import gzip
import json
import re
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import urllib3
from pydantic import SecretStr
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)

from terrawatt.credentials import store_variable
from terrawatt.errors import StoreError, StoreRefusedError, StoreUnreachableError
from terrawatt.records import Float64Array, Int64Array
from terrawatt.store.influx_place import Place

_CHUNK_POINTS = 50_000
_MESSAGE_LENGTH = 300
_GZIP_LEVEL = 1  # lines repeat themselves: ten times smaller at once


@dataclass(frozen=True, slots=True)
class Pong:
    """What a server says of itself: its version, and its clock, to the second; None where it does not say."""

    version: str
    time: datetime | None


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why some lines of a write were refused, while the others are kept; `dropped` is 1 where that is not said."""

    message: str
    dropped: int


class BodyTooLargeError(StoreError):
    """A write that the server finds too large (413); never leaves this package."""


class InfluxClient:
    """Speaks to one database; may be used by several threads."""

    def __init__(
        self, place: Place, authorization: SecretStr | None, ca_file: Path | None = None, timeout_s: float = 10.0
    ) -> None:
        """Prepare; nothing is sent yet.

        Args:
            place: the database.
            authorization: the value of that header.
            ca_file: the certificates of authorities to trust instead of the system's.
            timeout_s: how long to wait for an answer.
        """
        self.place = place
        self._authorization = authorization
        self._http = urllib3.PoolManager(
            timeout=timeout_s, retries=False, ca_certs=str(ca_file) if ca_file else None, cert_reqs=ssl.CERT_REQUIRED
        )
        self._timeout_s = timeout_s

    def ping(self) -> Pong:
        """See that the server answers, whoever asks.

        Raises:
            StoreError: it does not; says why.
        """
        with self._request("GET", "/ping") as response:
            self._check(response.status, response.data)
            version = response.headers.get("X-Influxdb-Version", "unknown").strip()
            date = response.headers.get("Date")
        return Pong(version, parsedate_to_datetime(date) if date else None)

    def ask(self, statement: str, *, changes: bool = False) -> list[Mapping[str, Any]]:
        """The series of a statement's answer, as JSON; times are ns.

        Args:
            statement: of InfluxQL.
            changes: whether it changes the server.

        Raises:
            StoreError: the server does not answer or refuses, or the statement failed, also under HTTP status 200.
        """
        fields = self._query(statement)
        with self._request("POST" if changes else "GET", "/query", fields, accept="application/json") as response:
            content = response.data
            self._check(response.status, content)
        try:
            results = json.loads(content)["results"]
            for result in results:
                if "error" in result:
                    raise self._refused_or_failed(str(result["error"]))
            return [series for result in results for series in result.get("series", ())]
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{self.place}: the answer is not InfluxDB's; is the address right?") from error

    def columns(self, statement: str, fields: Sequence[str]) -> tuple[Int64Array, list[Float64Array]]:
        """The times (ns) and fields of a statement's answer, streamed; NaN where a field has no value.

        An error while the server computes leaves a shorter answer and no word of it: the caller knows how many rows
        there must be.

        Raises:
            StoreError: the server does not answer, or refuses.
            ValueError: a field holds something else than numbers.
        """
        import pyarrow as pa  # 50 MB that a process which only writes does without
        from pyarrow import csv

        types = {"time": pa.int64()} | dict.fromkeys(fields, pa.float64())
        parameters = self._query(statement) | {"chunked": "true", "chunk_size": str(_CHUNK_POINTS)}
        with self._request("GET", "/query", parameters, accept="application/csv") as response:
            if response.status != 200:
                self._check(response.status, response.data)
            options = csv.ConvertOptions(column_types=types, include_columns=list(types))
            try:
                table = csv.read_csv(pa.PythonFile(_Answer(response), mode="r"), convert_options=options)
            except pa.ArrowInvalid as error:
                if "Empty CSV" not in str(error):
                    raise
                table = pa.table({name: pa.array([], kind) for name, kind in types.items()})
        t_ns, *values = (table.column(name).to_numpy() for name in types)
        return t_ns, values

    def write(self, lines: Sequence[str]) -> Rejection | None:
        """Write lines of line protocol, with times in ns.

        Returns:
            Why some were refused; None when all are kept.

        Raises:
            BodyTooLargeError: they are too many at once; nothing is kept.
            StoreError: the server does not answer, or refuses them all.
        """
        body = gzip.compress("\n".join(lines).encode("utf-8"), _GZIP_LEVEL)
        fields = {"db": self.place.database, "precision": "ns"}
        with self._request("POST", "/write", fields, body=body) as response:
            status, content = response.status, response.data
        if status == 413:
            raise BodyTooLargeError(f"{self.place}: the server refuses writes of {len(lines)} points as too large")
        message = _message(content)
        if status in (400, 422) and "partial write" in message:
            dropped = re.search(r"dropped=(\d+)", message)
            return Rejection(message, max(int(dropped[1]), 1) if dropped else 1)
        self._check(status, content)
        return None

    def probe_writing(self) -> bool:
        """Try a write of nothing; whether that tells that points could be written: later versions may not say.

        Raises:
            StoreError: the server does not answer, or refuses.
        """
        with self._request("POST", "/write", {"db": self.place.database, "precision": "ns"}, body=b"") as response:
            status, content = response.status, response.data
        if status == 400:  # finds fault with the empty body: neither with us nor with the database
            return False
        self._check(status, content)
        return True

    def close(self) -> None:
        """Close the connections."""
        self._http.clear()

    def _query(self, statement: str) -> dict[str, str]:
        return {"db": self.place.database, "epoch": "ns", "q": statement}

    @contextmanager
    def _request(
        self,
        method: str,
        path: str,
        fields: Mapping[str, str] | None = None,
        *,
        accept: str = "*/*",
        body: bytes | None = None,
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        """One request, its answer not yet read; what goes wrong until the end of the block becomes ours."""
        headers = {"Accept": accept, "User-Agent": "terrawatt"}
        if self._authorization is not None:
            headers["Authorization"] = self._authorization.get_secret_value()
        if body:
            headers["Content-Encoding"] = "gzip"
        url = f"{self.place.base}{path}?{urlencode(fields or {})}"
        with self._translated():
            response = self._http.request(method, url, body=body, headers=headers, preload_content=False)
            try:
                yield response
            except BaseException:
                response.close()  # what is left of the answer must not become the next one's
                raise
            finally:
                response.release_conn()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """The errors of HTTP as one of ours."""
        try:
            yield
        except SSLError as error:
            raise StoreRefusedError(
                f"{self.place}: no trusted connection ({_one_line(str(error))}); "
                "store.ca_file names the certificates of an authority of your own"
            ) from error
        except NameResolutionError as error:
            raise StoreUnreachableError(f"{self.place}: no such host is known; is the name right?") from error
        except NewConnectionError as error:
            reason = error.__cause__ or error
            why = (isinstance(reason, OSError) and reason.strerror) or str(reason)
            raise StoreUnreachableError(f"{self.place}: cannot be reached ({why}); is InfluxDB running?") from error
        except (ConnectTimeoutError, ReadTimeoutError) as error:
            raise StoreUnreachableError(f"{self.place}: no answer within {self._timeout_s:g} s") from error
        except HTTPError as error:
            raise StoreUnreachableError(f"{self.place}: the connection broke ({_one_line(str(error))})") from error

    def _check(self, status: int, content: bytes) -> None:
        """Raise what a status means, unless all is well."""
        if 200 <= status < 300:
            return
        message = _message(content)
        if status == 401:
            raise StoreRefusedError(
                f"{self.place}: wrong or missing user, password or token (401: {message}); set "
                f"{store_variable('user')} and {store_variable('password')}, or {store_variable('token')}"
            )
        if status == 403:
            raise StoreRefusedError(f"{self.place}: this user or token has no right to it (403: {message})")
        if status == 404:
            raise self._missing(message)
        if status == 429 or status >= 500:
            raise StoreUnreachableError(f"{self.place}: the server cannot do it now ({status}: {message})")
        raise self._refused_or_failed(f"{status}: {message}")

    def _refused_or_failed(self, message: str) -> StoreError:
        if "database not found" in message:
            return self._missing(message)
        return StoreError(f"{self.place}: {_one_line(message)}")

    def _missing(self, message: str) -> StoreRefusedError:
        return StoreRefusedError(
            f"{self.place}: there is no such database ({_one_line(message)}); make it there, or correct store.url"
        )


class _Answer:
    """The body of an answer as a file for pyarrow, which looks at `closed` also behind the end."""

    closed = False

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self._response = response

    def read(self, size: int) -> bytes:
        return self._response.read(size)

    def close(self) -> None:
        self.closed = True


def _message(content: bytes) -> str:
    """What the body of an answer says, in one line: 1.x has `error`, 2.x `message`, 3.x details in `data`."""
    text = content.decode("utf-8", errors="replace")
    try:
        answer = json.loads(text)
        parts = [answer.get("error") or answer.get("message") or ""]
        parts += [entry["error_message"] for entry in answer.get("data") or [] if "error_message" in entry][:1]
        text = ": ".join(filter(None, map(str, parts)))
    except (ValueError, AttributeError, TypeError):
        pass
    return _one_line(text) or "no reason given"


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MESSAGE_LENGTH else f"{line[:_MESSAGE_LENGTH]}…"
