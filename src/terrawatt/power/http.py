"""Power meters that are asked over HTTP: one client for all of them, with a time limit that is kept.

An answer that comes later than the limit is not a reading of now, so it is none. Nothing is asked twice, no redirect
is followed, no answer above 64 KB is read. Errors never contain what was asked for, since Tasmota wants its password
there.
"""

import logging
import math
import secrets
import ssl
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import urllib3
from pydantic import Field, SecretStr, field_validator

from terrawatt.config import SourceSettings
from terrawatt.errors import SourceError
from terrawatt.power.challenge import Challenge, parse_challenge
from terrawatt.power.deadline import Deadline, connections
from terrawatt.power.device_clock import ClockBounds, date_bounds
from terrawatt.power.login import Login
from terrawatt.power.options import Options, describe, describe_power_and_counter
from terrawatt.records import Semantics, SourceDescription

TIMEOUT_S = 0.8  # below the usual interval of 1 s
MOST_BYTES = 65_536
_CHUNK_BYTES = 4_096

# Its lines hold whole URLs; what went wrong is said by our own errors.
logging.getLogger("urllib3").setLevel(logging.CRITICAL)


class HttpOptions(Options):
    """Where the device is, and how long its answer may take: less than `sampling.interval_s`."""

    url: str
    timeout_s: float = Field(default=TIMEOUT_S, gt=0, le=60, allow_inf_nan=False)
    ca_file: Path | None = None

    @field_validator("url")
    @classmethod
    def _is_address(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_address = False
        if not is_address or parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("write http://HOST, http://HOST:PORT or https://…, without user, password or query")
        return url.rstrip("/")


class HttpClient:
    """Asks one device.

    Attributes:
        where: its address, without anything secret.
        timeout_s: the time limit of a reading.
        deadline_s: when the present answer must be complete, on the monotonic clock.
        clock: the device's clock against this machine's, by the header `Date` of its answers; None: it sends none.
    """

    def __init__(self, options: HttpOptions, login: Login | None = None, token: SecretStr | None = None) -> None:
        """Prepare; nothing is asked yet.

        Args:
            options: address, time limit and certificates.
            login: user and password, if the device asks for them.
            token: a bearer token.

        Raises:
            SourceError: the file of certificates cannot be used.
        """
        self.clock: ClockBounds | None = None
        self.timeout_s = options.timeout_s
        self.deadline_s = 0.0
        self.where = options.url
        self._path = urlsplit(options.url).path
        self._headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        self._token = token
        self._login = login
        self._challenge: Challenge | None = None
        self._answers = 0
        self._pool = _pool(options, self)

    def get(self, path: str, query: Mapping[str, str], deadline_s: float) -> bytes:
        """The body of a device's answer.

        Args:
            path: beginning with `/`; without its query.
            query: the query's names and values.
            deadline_s: when the answer must be complete, on the monotonic clock.

        Raises:
            SourceError: there is none in time, or another one than 200.
        """
        target = self._path + quote(path) + (f"?{urlencode(query, quote_via=quote)}" if query else "")
        status, challenge, body = self._ask(target, deadline_s)
        if status == 401 and self._login is not None and challenge:
            self._challenge, self._answers = parse_challenge(challenge), 0
            if self._challenge is not None:
                status, _, body = self._ask(target, deadline_s)
        if status != 200:
            raise SourceError(_meaning(status, has_secret=bool(self._login or self._token)))
        return body

    def close(self) -> None:
        """Close the connection."""
        self._pool.close()

    def _ask(self, target: str, deadline_s: float) -> tuple[int, str, bytes]:
        """Status, challenge and body of one answer."""
        self.deadline_s = deadline_s
        remaining_s = deadline_s - time.monotonic()
        if remaining_s <= 0:
            raise self._late()
        try:
            sent_ns = time.time_ns()
            response = self._pool.urlopen(
                "GET",
                target,
                headers=self._headers | self._authorization(target),
                timeout=urllib3.Timeout(connect=remaining_s, read=remaining_s),
                retries=False,
                redirect=False,
                assert_same_host=False,
                preload_content=False,
                decode_content=False,
            )
            self._note_time(response.headers.get("Date"), sent_ns)
            body = self._body(response, deadline_s)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            # Without its cause: urllib3's texts hold what was asked for.
            raise self._translated(error) from None
        return response.status, response.headers.get("WWW-Authenticate", ""), body

    def _body(self, response: urllib3.BaseHTTPResponse, deadline_s: float) -> bytes:
        body = b""
        is_whole = False
        try:
            while piece := response.read1(_CHUNK_BYTES):
                body += piece
                if len(body) > MOST_BYTES or time.monotonic() > deadline_s:
                    break
            else:
                is_whole = True
        finally:
            if is_whole:
                response.release_conn()
            else:
                response.close()  # what is still to come would be taken for the next answer
        if len(body) > MOST_BYTES:
            raise SourceError(f"its answer is longer than {MOST_BYTES // 1024} KB; is this the meter?")
        if time.monotonic() > deadline_s:
            raise self._late()
        return body

    def _authorization(self, target: str) -> dict[str, str]:
        if self._token is not None:
            return {"Authorization": f"Bearer {self._token.get_secret_value()}"}
        if self._login is None or self._challenge is None:
            return {}
        self._answers += 1
        password = self._login.password.get_secret_value()
        answer = self._challenge.answer(
            self._login.user, password, target, number=self._answers, own_nonce=secrets.token_hex(8)
        )
        return {"Authorization": answer}

    def _note_time(self, date: str | None, sent_ns: int) -> None:
        bounds = date_bounds(date, sent_ns, time.time_ns()) if date else None
        if bounds is not None:
            self.clock = bounds if self.clock is None else self.clock.narrowed(bounds)

    def _translated(self, error: Exception) -> SourceError:
        match error:
            case urllib3.exceptions.NameResolutionError():
                return SourceError("there is no such host; check sources.url")
            case urllib3.exceptions.NewConnectionError():
                return SourceError("no connection; is the device on, and is the address right?")
            case urllib3.exceptions.TimeoutError():
                return self._late()
            case urllib3.exceptions.SSLError():
                return SourceError(
                    f"its certificate is refused ({_reason(error)}); for an authority of your own: ca_file"
                )
            case urllib3.exceptions.ProtocolError():
                return SourceError("it closed the connection, or does not speak HTTP")
        return SourceError(f"no answer that can be read ({type(error).__name__})")

    def _late(self) -> SourceError:
        return SourceError(f"no answer within {self.timeout_s:g} s; a later one would not be a reading of now")


Ask = Callable[[str, Mapping[str, str]], bytes]


class HttpSource:
    """A polled source over HTTP; `take` asks for the answers of one reading, and reads them."""

    def __init__(
        self,
        descriptions: tuple[SourceDescription, ...],
        client: HttpClient,
        take: Callable[[Ask], tuple[float, ...]],
    ) -> None:
        self.descriptions = descriptions
        self._client = client
        self._take = take

    @property
    def clock(self) -> ClockBounds | None:
        """The device's clock against this machine's; None while it has not told it."""
        return self._client.clock

    @property
    def timeout_s(self) -> float:
        """How long an answer may take."""
        return self._client.timeout_s

    def read(self) -> tuple[float, ...]:
        """The device's readings of now, in W and J; NaN where its answer lacks one.

        Raises:
            SourceError: there is no answer in time, or none with a reading.
        """
        deadline_s = time.monotonic() + self._client.timeout_s
        try:
            return self._take(lambda path, query: self._client.get(path, query, deadline_s))
        except SourceError as error:
            raise SourceError(f"{self._client.where}: {error}") from error

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def measured_by(
    settings: SourceSettings,
    host: str,
    semantics: Semantics,
    client: HttpClient,
    power_w: Callable[[Ask], float],
    energy_j: Callable[[Ask], float] | None,
) -> HttpSource:
    """The source of a device that is asked for power and counter one after the other; None: it has no counter."""
    if energy_j is None:
        return HttpSource((describe(settings, host, semantics),), client, lambda ask: (power_w(ask),))
    descriptions = describe_power_and_counter(settings, host, semantics)
    return HttpSource(descriptions, client, lambda ask: _each(ask, power_w, energy_j))


def _each(ask: Ask, *readings: Callable[[Ask], float]) -> tuple[float, ...]:
    """Several readings, NaN where one fails; when all do, the first one's error."""
    values, errors = [], []
    for reading in readings:
        try:
            values.append(reading(ask))
        except SourceError as error:
            values.append(math.nan)
            errors.append(error)
    if len(errors) == len(readings):
        raise errors[0]
    return tuple(values)


def _pool(options: HttpOptions, deadline: Deadline) -> urllib3.HTTPConnectionPool:
    """A connection that is kept between readings.

    Raises:
        SourceError: the file of certificates cannot be used.
    """
    parts = urlsplit(options.url)
    plain, tls = connections(deadline)
    if parts.scheme == "http":
        pool = urllib3.HTTPConnectionPool(str(parts.hostname), parts.port, maxsize=1, retries=False)
        pool.ConnectionCls = plain
        return pool
    try:
        context = ssl.create_default_context(cafile=str(options.ca_file) if options.ca_file else None)
    except OSError as error:
        raise SourceError(f"{options.ca_file}: no certificates that can be read ({_reason(error)})") from error
    secure = urllib3.HTTPSConnectionPool(str(parts.hostname), parts.port, maxsize=1, retries=False, ssl_context=context)
    secure.ConnectionCls = tls
    return secure


def _meaning(status: int, *, has_secret: bool) -> str:
    if 300 <= status < 400:
        return f"it sends us elsewhere (HTTP {status}); give the address of the device itself in url"
    if status in (401, 403):
        return (
            f"it refuses user and password, or the token (HTTP {status})"
            if has_secret
            else (f"it wants a password or a token (HTTP {status}); see docs/connect-your-plug.md")
        )
    if status == 404:
        return "it has no such reading (HTTP 404); check the kind and the keys of this source"
    return f"it answers with HTTP {status}"


def _reason(error: BaseException) -> str:
    """The system's words for an error of TLS or of a file."""
    cause = error.args[0] if isinstance(error, urllib3.exceptions.SSLError) and error.args else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return cause.verify_message
    return getattr(cause, "reason", None) or getattr(cause, "strerror", None) or type(cause).__name__
