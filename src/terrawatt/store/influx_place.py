"""The address of a database of InfluxDB, as `store.url` says it; it holds no secrets."""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from terrawatt.errors import StoreRefusedError

DEFAULT_PORT = 8086


@dataclass(frozen=True, slots=True)
class Place:
    """Where a database is, as `store.url` says it."""

    is_encrypted: bool
    host: str
    port: int
    database: str

    @classmethod
    def of(cls, url: str) -> "Place":
        """From `influxdb://HOST:PORT/DATABASE` or `influxdbs://…`.

        Raises:
            StoreRefusedError: it is no such address.
        """
        parts = urlsplit(url)
        try:
            port = parts.port or DEFAULT_PORT
        except ValueError as error:
            raise StoreRefusedError(f"store.url: {url}: {error}") from error
        database = unquote(parts.path.removeprefix("/"))
        if parts.scheme not in ("influxdb", "influxdbs") or not parts.hostname or not database:
            raise StoreRefusedError(f"store.url: {url} is not influxdb://HOST:PORT/DATABASE")
        return cls(parts.scheme == "influxdbs", parts.hostname, port, database)

    @property
    def base(self) -> str:
        """For HTTP."""
        return f"http{'s' if self.is_encrypted else ''}://{self._authority}"

    def __str__(self) -> str:
        return f"influxdb{'s' if self.is_encrypted else ''}://{self._authority}/{self.database}"

    @property
    def _authority(self) -> str:
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"
