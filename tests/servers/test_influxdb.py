"""The server that other tests stand on."""

from pathlib import Path

import pytest

from servers.influxdb import InfluxServer, User

LINE = "power,host=lab power_w=42.5 1790000000000000000"


def test_it_keeps_its_points_and_its_port_through_a_kill(tmp_path: Path) -> None:
    with InfluxServer(tmp_path) as server:
        port = server.port
        server.write(LINE)
        server.kill()
        server.start()
        assert server.port == port
        assert server.count("power", "power_w") == 1
        server.stop()
        server.start()
        assert server.count("power", "power_w") == 1


def test_it_asks_for_passwords_and_speaks_tls(tmp_path: Path) -> None:
    with InfluxServer(tmp_path, users=[User("anna", "of the lab", {"telegraf": "READ"})], tls=True) as server:
        server.write(LINE)
        assert server.url().startswith("influxdbs://127.0.0.1:")
        assert server.query("SHOW GRANTS FOR anna")[0]["series"][0]["values"] == [["telegraf", "READ"]]
        with pytest.raises(AssertionError, match="database not found"):
            server.query("SELECT * FROM power", "nothing")


def test_one_that_cannot_be_set_up_does_not_stay_behind(tmp_path: Path) -> None:
    server = InfluxServer(tmp_path, users=[User("anna", "of the lab", {"nothing": "READ"})])
    with pytest.raises(AssertionError, match="database not found"), server:
        pass
    assert not server.is_alive()
