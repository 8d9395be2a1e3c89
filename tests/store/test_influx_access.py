"""Who is let into InfluxDB, and what the others are told; with real servers, with users and TLS."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from servers.certificates import make_certificate
from servers.influxdb import InfluxServer, User
from servers.programs import free_port
from terrawatt.config import StoreSettings
from terrawatt.errors import ConfigError, PartialWriteError, StoreError, StoreRefusedError, StoreUnreachableError
from terrawatt.records import Sample, SeriesKey
from terrawatt.store.influxdb import open_influx

POWER = SeriesKey.of("power", "power_w", host="lab", source="plug")
T0 = 1_790_000_000_000_000_000
PASSWORD = "with a blank, an é and a :"  # noqa: S105  # of a server of the tests


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    """A server with users and TLS."""
    users = [
        User("anna", PASSWORD, {"telegraf": "ALL"}),
        User("guest", "guest", {"telegraf": "READ"}),
        User("meter", "meter", {"telegraf": "WRITE"}),
    ]
    with InfluxServer(tmp_path_factory.mktemp("influxdb"), users=users, tls=True) as started:
        yield started


def settings_for(server: InfluxServer, database: str = "telegraf", **login: str) -> StoreSettings:
    ca_file = server.certificate.ca_file if server.certificate else None
    secrets = {name: SecretStr(value) for name, value in login.items()}
    return StoreSettings(url=server.url(database), ca_file=ca_file, **secrets)


def test_user_and_password_let_in(guarded: InfluxServer) -> None:
    with open_influx(settings_for(guarded, user="anna", password=PASSWORD)) as store:
        store.check()
        assert store.write([Sample(POWER, T0, 1.0)]) == 1
        assert store.read(POWER, T0, T0).value.tolist() == [1.0]
        assert store.ping().version.startswith("1.6")


def test_secrets_come_from_the_environment_or_a_private_file(
    guarded: InfluxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    password_file = tmp_path / "password"
    password_file.write_text(f"{PASSWORD}\n")
    password_file.chmod(0o600)
    monkeypatch.setenv("TERRAWATT_STORE__USER", "anna")
    settings = settings_for(guarded).model_copy(update={"password_file": password_file})
    with open_influx(settings) as store:
        store.check()
    password_file.chmod(0o644)
    with pytest.raises(ConfigError, match="others can read it"):
        open_influx(settings)


@pytest.mark.parametrize(
    ("database", "login", "what"),
    [
        ("telegraf", {"user": "anna", "password": "wrong secret"}, "wrong or missing user, password or token"),
        ("telegraf", {"user": "nobody", "password": "wrong secret"}, "wrong or missing user, password or token"),
        ("telegraf", {}, "wrong or missing user, password or token .*TERRAWATT_STORE__PASSWORD"),
        ("telegraf", {"token": "wrong secret"}, "wrong or missing user, password or token"),
        ("telegraf", {"user": "guest", "password": "guest"}, "this user or token has no right to it"),
        ("nothing", {"user": "anna", "password": PASSWORD}, "no right to it|there is no such database"),
    ],
)
def test_who_may_not_is_refused_in_one_line_without_the_secret(
    guarded: InfluxServer, caplog: pytest.LogCaptureFixture, database: str, login: dict[str, str], what: str
) -> None:
    caplog.set_level(logging.DEBUG)
    with open_influx(settings_for(guarded, database, **login)) as store:
        with pytest.raises(StoreRefusedError, match=what) as caught:
            store.check()
        with pytest.raises(StoreRefusedError, match=what):
            store.write([Sample(POWER, T0, 1.0)])
    message = str(caught.value)
    assert message.startswith(f"influxdbs://127.0.0.1:{guarded.port}/{database}: ")
    assert "\n" not in message
    for secret in ("wrong secret", PASSWORD):
        assert secret not in message + caplog.text


def test_who_may_only_read_reads(guarded: InfluxServer) -> None:
    guarded.write(f"power,host=lab,source=guest power_w=3 {T0}")
    with open_influx(settings_for(guarded, user="guest", password="guest")) as store:  # noqa: S106
        assert store.read(SeriesKey.of("power", "power_w", host="lab", source="guest"), T0, T0).value.tolist() == [3.0]
        store.check(writing=False)
        with pytest.raises(StoreError, match="no right"):
            store.create_database()


def test_who_may_only_write_writes_and_learns_of_conflicts(guarded: InfluxServer) -> None:
    guarded.write(f"mem,host=lab total=1i {T0}")
    with open_influx(settings_for(guarded, user="meter", password="meter")) as store:  # noqa: S106
        store.check(reading=False)
        with pytest.raises(StoreRefusedError, match="no right"):
            store.check()
        total = SeriesKey.of("mem", "total", host="lab")
        with pytest.raises(PartialWriteError, match="1 points refused: mem total: kept there as another type"):
            store.write([Sample(total, T0 + 1, 1.0), Sample(POWER, T0 + 1, 2.0)])


def test_an_authority_that_is_not_ours_is_refused(guarded: InfluxServer, tmp_path: Path) -> None:
    other = settings_for(guarded).model_copy(update={"ca_file": make_certificate(tmp_path).ca_file})
    for settings in (other, other.model_copy(update={"ca_file": None})):
        with open_influx(settings) as store, pytest.raises(StoreRefusedError, match=r"no trusted .*store\.ca_file"):
            store.ping()


def test_a_database_that_is_not_there_is_said(tmp_path: Path) -> None:
    with InfluxServer(tmp_path) as server, open_influx(StoreSettings(url=server.url("nothing"))) as store:
        for ask in (store.check, store.keys, lambda: store.read(POWER, T0, T0)):
            with pytest.raises(StoreRefusedError, match=r"there is no such database .*correct store\.url") as caught:
                ask()
        with pytest.raises(StoreRefusedError, match="there is no such database"):
            store.write([Sample(POWER, T0, 1.0)])
        store.create_database()
        store.check()
    assert "\n" not in str(caught.value)


def test_a_server_that_is_down_may_come_back(tmp_path: Path) -> None:
    with InfluxServer(tmp_path) as server, open_influx(StoreSettings(url=server.url())) as store:
        store.write([Sample(POWER, T0, 1.0)])
        server.kill()
        for ask in (store.ping, store.check, store.keys, lambda: store.write([Sample(POWER, T0 + 1, 2.0)])):
            with pytest.raises(StoreUnreachableError, match=r"cannot be reached|the connection broke"):
                ask()
        server.start()
        assert store.read(POWER, T0, T0 + 1).value.tolist() == [1.0]


def test_hosts_that_are_not_known_are_said() -> None:
    with (
        open_influx(StoreSettings(url="influxdb://nowhere.invalid:8086/telegraf")) as store,
        pytest.raises(StoreUnreachableError, match="no such host is known"),
    ):
        store.ping()


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"user": SecretStr("anna")}, "the password is missing; set TERRAWATT_STORE__PASSWORD or store.password_file"),
        ({"password": SecretStr("x")}, "the user is missing"),
        ({"user": SecretStr("anna"), "password": SecretStr("x"), "token": SecretStr("y")}, "not both"),
        ({"ca_file": Path("/nowhere/ca.crt")}, r"store\.ca_file: /nowhere/ca\.crt: no such file"),
        ({"url": "influxdb://lab:123456/telegraf"}, r"store\.url: .*[Pp]ort"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(given: dict, what: str) -> None:
    settings = StoreSettings.model_validate({"url": f"influxdb://127.0.0.1:{free_port()}/telegraf"} | given)
    with pytest.raises((ConfigError, StoreRefusedError), match=what):
        open_influx(settings)
