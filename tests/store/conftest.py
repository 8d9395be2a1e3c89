"""A real InfluxDB for the tests of one module."""

from collections.abc import Iterator

import pytest

from servers.influxdb import InfluxServer
from terrawatt.config import StoreSettings
from terrawatt.store.influxdb import InfluxStore, open_influx


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
