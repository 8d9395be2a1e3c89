"""A real InfluxDB 1.x: Debian's `influxd`, with or without users and TLS; it can be killed and started again.

    with InfluxServer(tmp_path) as server:
        server.write("power,host=lab power_w=42.5 1790000000000000000")
        assert server.count("power", "power_w") == 1

It keeps its port and, also after `kill`, every point that it acknowledged.
"""

import json
import subprocess
import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from ssl import create_default_context
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from servers.certificates import Certificate, make_certificate
from servers.programs import free_port, require_program

HOST = "127.0.0.1"
DATABASE = "telegraf"
_READY_TIMEOUT_S = 20.0
_POLL_S = 0.02

_CONFIG = """\
reporting-disabled = true
bind-address = "{host}:{rpc_port}"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
query-log-enabled = false
[coordinator]
max-select-buckets = 2000000
query-timeout = "{query_timeout}"
[monitor]
store-enabled = false
[http]
bind-address = "{host}:{port}"
auth-enabled = {auth}
log-enabled = false
max-body-size = {max_body_bytes}
https-enabled = {https}
https-certificate = "{certificate}"
https-private-key = "{key}"
[continuous_queries]
enabled = false
"""


@dataclass(frozen=True, slots=True)
class User:
    """Who may do what: database -> READ, WRITE or ALL."""

    name: str
    password: str
    grants: Mapping[str, str] = field(default_factory=dict)


ADMIN = User("admin", "known to the tests only")


class InfluxServer:
    """A started server; a context manager. After `stop` or `kill`, `start` brings it back on the same port.

    Attributes:
        port: of HTTP; the same after each restart.
        certificate: with TLS its files; `certificate.ca_file` is what a client must trust.
    """

    def __init__(
        self,
        folder: Path,
        *,
        databases: Sequence[str] = (DATABASE,),
        users: Sequence[User] = (),
        tls: bool = False,
        max_body_bytes: int = 25_000_000,
        query_timeout: str = "60s",
    ) -> None:
        """Prepare.

        Args:
            folder: holds a folder `influxdb-<port>` of its own.
            databases: made at the first start.
            users: made at the first start; with any, everybody must authenticate.
            tls: it speaks TLS alone, with a certificate of an authority made for it.
            max_body_bytes: a larger write is refused (413).
            query_timeout: a query that takes longer is ended.
        """
        self._program = require_program("influxd", "apt-get install influxdb")
        self._databases, self._users = databases, users
        self._process: subprocess.Popen[bytes] | None = None
        self._is_set_up = False
        self.port = free_port()
        self._folder = folder / f"influxdb-{self.port}"
        self._folder.mkdir(parents=True)
        self.certificate: Certificate | None = make_certificate(self._folder / "tls") if tls else None
        self._config = self._folder / "influxdb.conf"
        self._config.write_text(
            _CONFIG.format(
                host=HOST,
                port=self.port,
                rpc_port=free_port(),
                folder=self._folder,
                query_timeout=query_timeout,
                max_body_bytes=max_body_bytes,
                auth=str(bool(users)).lower(),
                https=str(tls).lower(),
                certificate=self.certificate.certificate_file if self.certificate else "",
                key=self.certificate.key_file if self.certificate else "",
            )
        )

    def url(self, database: str = DATABASE) -> str:
        """For `store.url`."""
        return f"influxdb{'s' if self.certificate else ''}://{HOST}:{self.port}/{database}"

    @property
    def pid(self) -> int:
        """The number of its process."""
        assert self._process is not None, "it does not run"
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self._folder / "influxd.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, "-config", str(self._config)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        end_s = time.monotonic() + _READY_TIMEOUT_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end_s:
                log_text = (self._folder / "influxd.log").read_text(errors="replace")
                raise AssertionError(f"influxd does not start:\n{log_text[-4000:]}")
            time.sleep(_POLL_S)
        if not self._is_set_up:
            self._set_up()

    def stop(self) -> None:
        """End it in order. Idempotent."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def kill(self) -> None:
        """End it at once, as a crash does (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def query(self, statement: str, database: str = DATABASE) -> list[dict[str, Any]]:
        """The results of statements, asked as the administrator; times are ns.

        Raises:
            AssertionError: the server says that something is wrong.
        """
        parameters = urlencode({"db": database, "q": statement, "epoch": "ns"})
        status, body = self._request("POST", f"/query?{parameters}")
        answer = json.loads(body)
        errors = [answer.get("error"), *(result.get("error") for result in answer.get("results", ()))]
        assert (status, any(errors)) == (200, False), f"{statement}: {status} {body!r}"
        return list(answer["results"])

    def count(self, measurement: str, field_name: str, database: str = DATABASE) -> int:
        """How many points of a field there are."""
        statement = f'SELECT count("{field_name}") FROM "{measurement}"'  # noqa: S608  # names from tests
        result = self.query(statement, database)[0]
        return int(result["series"][0]["values"][0][1]) if "series" in result else 0

    def write(self, lines: str, database: str = DATABASE) -> None:
        """Write line protocol as it is, with times in ns."""
        status, body = self._request("POST", f"/write?{urlencode({'db': database})}", lines.encode())
        assert status == 204, body

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.kill()  # what was asked of it may be wrong, and then nobody else ends it
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def _set_up(self) -> None:
        if self._users:  # the first user may be made by anybody
            self.query(f"CREATE USER \"{ADMIN.name}\" WITH PASSWORD '{ADMIN.password}' WITH ALL PRIVILEGES")
        for database in self._databases:
            self.query(f'CREATE DATABASE "{database}"')
        for user in self._users:
            self.query(f"CREATE USER \"{user.name}\" WITH PASSWORD '{user.password}'")
            for database, right in user.grants.items():
                self.query(f'GRANT {right} ON "{database}" TO "{user.name}"')
        self._is_set_up = True

    def _answers(self) -> bool:
        try:
            return self._request("GET", "/ping")[0] == 204
        except OSError:
            return False

    def _request(self, method: str, target: str, body: bytes | None = None) -> tuple[int, bytes]:
        if self.certificate:
            context = create_default_context(cafile=self.certificate.ca_file)
            connection: HTTPConnection = HTTPSConnection(HOST, self.port, timeout=60, context=context)
        else:
            connection = HTTPConnection(HOST, self.port, timeout=60)
        login = b64encode(f"{ADMIN.name}:{ADMIN.password}".encode()).decode()
        try:
            connection.request(method, target, body, {"Authorization": f"Basic {login}"} if self._users else {})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()
