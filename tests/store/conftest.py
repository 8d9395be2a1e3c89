"""A real InfluxDB for the tests of one module, and an old file of the embedded store."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from servers.influxdb import InfluxServer
from terrawatt.config import StoreSettings
from terrawatt.records import SeriesKey
from terrawatt.store.influxdb import InfluxStore, open_influx
from terrawatt.store.sqlite_schema import APPLICATION_ID

POWER = SeriesKey.of("power", "power_w", host="lab", source="plug")
CPU = SeriesKey.of("cpu", "usage_user", host="lab")
VERSION_1 = """
CREATE TABLE series (
    id INTEGER PRIMARY KEY, measurement TEXT NOT NULL, field TEXT NOT NULL, tags TEXT NOT NULL,
    UNIQUE (measurement, field, tags)
);
CREATE TABLE reading (
    series_id INTEGER NOT NULL REFERENCES series (id), t_ns INTEGER NOT NULL, value REAL,
    PRIMARY KEY (series_id, t_ns)
) WITHOUT ROWID;
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    """A server that lets everybody in."""
    with InfluxServer(tmp_path_factory.mktemp("influxdb")) as started:
        yield started


@pytest.fixture
def influx(server: InfluxServer, request: pytest.FixtureRequest) -> Iterator[InfluxStore]:
    """A database of that server for one test alone."""
    database = "".join(letter if letter.isalnum() else "-" for letter in request.node.name)
    with open_influx(StoreSettings(url=server.url(database))) as store:
        store.create_database()
        yield store


@pytest.fixture
def version_1(tmp_path: Path) -> Path:
    """A file as the first format's writer left it: two series of three readings, one of which failed."""
    path = tmp_path / "telemetry.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(VERSION_1)
        for key in (POWER, CPU):
            tags = json.dumps(dict(key.tags), sort_keys=True, separators=(",", ":"))
            connection.execute(
                "INSERT INTO series (measurement, field, tags) VALUES (?, ?, ?)", (key.measurement, key.field, tags)
            )
        rows = [
            (identity, t_ns, None if t_ns == 2 else 10.0 * identity + t_ns) for t_ns in (1, 2, 3) for identity in (1, 2)
        ]
        connection.executemany("INSERT INTO reading VALUES (?, ?, ?)", rows)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 1")
        connection.commit()
    return path
