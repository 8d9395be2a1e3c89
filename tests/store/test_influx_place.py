"""Addresses of databases, as `store.url` says them."""

import pytest

from terrawatt.errors import StoreRefusedError
from terrawatt.store.influx_place import Place


@pytest.mark.parametrize(
    ("url", "place", "base", "shown"),
    [
        ("influxdb://lab:8087/telegraf", (False, "lab", 8087, "telegraf"), "http://lab:8087", ""),
        (
            "influxdbs://lab/telegraf",
            (True, "lab", 8086, "telegraf"),
            "https://lab:8086",
            "influxdbs://lab:8086/telegraf",
        ),
        ("influxdb://[::1]:8086/a%20b", (False, "::1", 8086, "a b"), "http://[::1]:8086", "influxdb://[::1]:8086/a b"),
    ],
)
def test_an_address_is_taken_apart(url: str, place: tuple, base: str, shown: str) -> None:
    found = Place.of(url)
    assert (found.is_encrypted, found.host, found.port, found.database) == place
    assert found.base == base
    assert str(found) == (shown or url)


@pytest.mark.parametrize(
    "url", ["http://lab/telegraf", "influxdb://lab:1", "influxdb:///telegraf", "influxdb://lab:x/y"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(StoreRefusedError, match=r"store\.url"):
        Place.of(url)
