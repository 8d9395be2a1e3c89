"""The kinds of meter that are asked over HTTP, each with answers as its device gives them."""

import hashlib
import json
import math
import ssl
import threading
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from servers.certificates import make_certificate
from servers.meter import MeterServer, Question, Reply
from terrawatt.config import SourceSettings
from terrawatt.errors import ConfigError, SourceError
from terrawatt.power import registry, shelly
from terrawatt.power.challenge import Challenge, basic, parse_challenge
from terrawatt.power.source import PolledSource, PushedSource
from terrawatt.records import Semantics

Entry = Callable[..., SourceSettings]
SHELLY = {
    "id": 0,
    "source": "init",
    "output": True,
    "apower": 8.9,
    "voltage": 237.5,
    "aenergy": {"total": 6.532, "by_minute": [45.199, 47.141, 88.397], "minute_ts": 1626935779},
}
TASMOTA = {
    "StatusSNS": {
        "Time": "2022-01-11T21:57:38",
        "ENERGY": {"TotalStartTime": "2021-01-01T00:00:00", "Total": 3.705, "Yesterday": 0.1, "Power": 5},
    }
}


def as_json(answer: object, **headers: str) -> Reply:
    return Reply(json.dumps(answer).encode(), headers=headers)


def polled(settings: SourceSettings) -> PolledSource:
    source = registry.create(settings, "lab")
    assert not isinstance(source, PushedSource)
    return source


def one_reading(settings: SourceSettings) -> tuple[float, ...]:
    source = polled(settings)
    try:
        return source.read()
    finally:
        source.close()


def test_shelly_gives_power_and_counter(entry: Entry) -> None:
    with MeterServer(lambda _: as_json(SHELLY)) as server:
        settings = entry("shelly", url=server.url, id=2, accuracy=[{"plus_minus_percent": 1.0}], wrap_j=3.6e9)
        assert one_reading(settings) == pytest.approx((8.9, 6.532 * 3600))
    assert server.asked[0].target == "/rpc/Switch.GetStatus?id=2"
    power, counter = polled(settings).descriptions
    assert (power.name, power.semantics, power.series.field) == ("plug", Semantics.INSTANTANEOUS, "power_w")
    assert (counter.name, counter.semantics, counter.same_as) == ("plug counter", Semantics.COUNTER, "plug")
    assert (power.wrap_j, counter.wrap_j) == (None, 3.6e9)
    assert counter.accuracy == power.accuracy


@pytest.mark.parametrize(("kind", "answer", "power_w"), [("shelly", SHELLY, 8.9), ("tasmota", TASMOTA, 5.0)])
def test_the_counter_can_be_left_out(entry: Entry, kind: str, answer: object, power_w: float) -> None:
    with MeterServer(lambda _: as_json(answer)) as server:
        settings = entry(kind, url=server.url, counter=False)
        assert one_reading(settings) == (power_w,)
    assert [description.name for description in polled(settings).descriptions] == ["plug"]


def test_shelly_meters_without_a_switch(entry: Entry) -> None:
    with MeterServer(lambda _: as_json(SHELLY)) as server:
        one_reading(entry("shelly", url=server.url, component="pm1"))
    assert server.asked[0].target == "/rpc/PM1.GetStatus?id=0"


def test_a_reading_without_its_counter_is_half_missing(entry: Entry) -> None:
    with MeterServer(lambda _: as_json({"apower": 8.9})) as server:
        power_w, energy_j = one_reading(entry("shelly", url=server.url))
    assert power_w == 8.9
    assert math.isnan(energy_j)


def test_tasmota_gives_power_and_counter(entry: Entry) -> None:
    with MeterServer(lambda _: as_json(TASMOTA)) as server:
        assert one_reading(entry("tasmota", url=server.url)) == pytest.approx((5.0, 3.705 * 3.6e6))
    assert server.asked[0].target == "/cm?cmnd=Status%2010"


def test_tasmota_with_several_channels_gives_their_sum(entry: Entry) -> None:
    energy = {"Power": [5, 7.5], "Total": [1.0, 0.5]}
    with MeterServer(lambda _: as_json({"StatusSNS": {"ENERGY": energy}})) as server:
        assert one_reading(entry("tasmota", url=server.url)) == pytest.approx((12.5, 1.5 * 3.6e6))
        energy["Power"] = [5, None]  # type: ignore[list-item]
        with pytest.raises(SourceError, match="its answer is not a number"):
            one_reading(entry("tasmota", url=server.url))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"StatusSNS": {"Time": "2022-01-11T21:57:38"}}, "its answer is without a reading"),
        ({"StatusSNS": []}, "its answer is without a reading"),
        ({"WARNING": "Need user=<username>&password=<password>"}, "it wants user and password, or refuses them"),
    ],
)
def test_tasmota_without_a_reading(entry: Entry, answer: object, message: str) -> None:
    with MeterServer(lambda _: as_json(answer)) as server, pytest.raises(SourceError, match=message):
        one_reading(entry("tasmota", url=server.url))


def test_the_password_of_tasmota_is_in_no_error(
    entry: Entry, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TERRAWATT_SOURCE_PLUG_PASSWORD", "j&k=r #1")
    caplog.set_level("DEBUG")
    replies = [
        Reply(status=500),
        Reply(b"nonsense"),
        Reply(b"", headers={"Content-Length": "9", "Connection": "close"}),
    ]
    with MeterServer(lambda _: replies.pop(0)) as server:
        source = polled(entry("tasmota", url=server.url, timeout_s=5))
        for _ in range(3):
            with pytest.raises(SourceError) as raised:
                source.read()
            printed = "".join(traceback.format_exception(raised.value))  # as with --debug
            assert "j%26k" not in printed
            assert "j&k" not in printed
        source.close()
    assert server.asked[0].target == "/cm?user=admin&password=j%26k%3Dr%20%231&cmnd=Status%2010"
    assert "j%26k" not in caplog.text
    assert "j&k" not in caplog.text


def test_esphome_gives_the_sensors_that_are_named(entry: Entry) -> None:
    answers = {
        "/sensor/plug_power": {"id": "sensor-plug_power", "state": "19.8 W", "value": 19.77},
        "/sensor/plug_energy": {"id": "sensor-plug_energy", "state": "1.235 kWh", "value": 1.2345},
    }
    with MeterServer(lambda question: as_json(answers[question.target])) as server:
        assert one_reading(entry("esphome", url=server.url, sensor="plug_power")) == (19.77,)
        both = entry("esphome", url=server.url, sensor="plug_power", counter_sensor="plug_energy")
        assert one_reading(both) == pytest.approx((19.77, 1.2345 * 3.6e6))
        answers["/sensor/plug_energy"] = {"state": "NA", "value": None}  # type: ignore[dict-item]
        power_w, energy_j = one_reading(both)
    assert power_w == 19.77
    assert math.isnan(energy_j)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"state": "NA", "value": None}, "its answer is without a reading"),
        ({"state": "21.5 °C", "value": 21.5}, r"its unit is '\\xb0C', not one of mW, W"),
        ({"state": "1.2 kWh", "value": 1.2}, "its unit is 'kWh', not one of mW, W"),
    ],
)
def test_esphome_without_a_reading(entry: Entry, answer: object, message: str) -> None:
    with MeterServer(lambda _: as_json(answer)) as server, pytest.raises(SourceError, match=message):
        one_reading(entry("esphome", url=server.url, sensor="plug"))


def test_the_unit_of_an_esphome_counter_can_be_said(entry: Entry) -> None:
    def answer(question: Question) -> Reply:
        return as_json(
            {"state": "250", "value": 250.0} if "energy" in question.target else {"state": "NA", "value": None}
        )

    keys = {"sensor": "power", "counter_sensor": "energy"}
    with MeterServer(answer) as server:
        assert one_reading(entry("esphome", url=server.url, **keys, counter_unit="Wh"))[1] == pytest.approx(9e5)
        with pytest.raises(SourceError, match="its answer is without a reading"):
            one_reading(entry("esphome", url=server.url, **keys))


class HomeAssistant:
    """States as Home Assistant gives them; `clock_ahead` is its clock against ours."""

    def __init__(self) -> None:
        self.clock_ahead = timedelta()
        self.age = timedelta()
        self.states = {"sensor.plug_power": ("12.5", "W"), "sensor.plug_energy": ("3.2", "kWh")}
        self.further: dict[str, str] = {}

    def __call__(self, question: Question) -> Reply:
        if question.headers.get("Authorization") != "Bearer abc":
            return Reply(status=401)
        now = datetime.now(UTC) + self.clock_ahead
        state, unit = self.states[question.target.removeprefix("/api/states/")]
        answer = {
            "state": state,
            "attributes": {"unit_of_measurement": unit},
            "last_updated": (now - self.age).isoformat(),
            **self.further,
        }
        return as_json(answer, Date=format_datetime(now, usegmt=True))


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> HomeAssistant:
    monkeypatch.setenv("TERRAWATT_SOURCE_PLUG_TOKEN", "abc")
    return HomeAssistant()


def test_home_assistant_gives_the_entities_that_are_named(entry: Entry, home: HomeAssistant) -> None:
    with MeterServer(home) as server:
        keys = {"url": server.url, "entity": "sensor.plug_power"}
        assert one_reading(entry("homeassistant", **keys)) == (12.5,)
        both = entry("homeassistant", **keys, counter_entity="sensor.plug_energy")
        assert one_reading(both) == pytest.approx((12.5, 3.2 * 3.6e6))
    assert polled(both).descriptions[0].semantics is Semantics.ON_CHANGE


@pytest.mark.parametrize(
    ("state", "unit", "message"),
    [
        ("unavailable", "W", "its state is unavailable; is the plug behind Home Assistant reachable"),
        ("unknown", "W", "its state is unknown"),
        ("on", "W", "its answer is not a number"),
        ("nan", "W", "its answer is not a number"),
        ("12.5", "", "its unit is '', not one of mW, W"),
        ("12.5", "kWh", "its unit is 'kWh', not one of mW, W"),
    ],
)
def test_home_assistant_without_a_reading(
    entry: Entry, home: HomeAssistant, state: str, unit: str, message: str
) -> None:
    home.states["sensor.plug_power"] = (state, unit)
    with MeterServer(home) as server, pytest.raises(SourceError, match=message):
        one_reading(entry("homeassistant", url=server.url, entity="sensor.plug_power"))


def test_an_old_state_is_not_a_reading_of_now(entry: Entry, home: HomeAssistant) -> None:
    home.age = timedelta(seconds=200)
    with MeterServer(home) as server:
        settings = entry("homeassistant", url=server.url, entity="sensor.plug_power")
        with pytest.raises(SourceError, match=r"its state is \d+ s old, above max_age_s = 120"):
            one_reading(settings)
        assert one_reading(entry("homeassistant", **settings.options, max_age_s=300)) == (12.5,)
        home.further = {"last_reported": datetime.now(UTC).isoformat()}  # the same value again, just now
        assert one_reading(settings) == (12.5,)


@pytest.mark.parametrize("ahead_s", [-3600, 3600])
def test_the_age_of_a_state_is_by_home_assistants_own_clock(entry: Entry, home: HomeAssistant, ahead_s: int) -> None:
    home.clock_ahead = timedelta(seconds=ahead_s)
    with MeterServer(home) as server:
        settings = entry("homeassistant", url=server.url, entity="sensor.plug_power")
        assert one_reading(settings) == (12.5,)
        home.age = timedelta(seconds=200)
        with pytest.raises(SourceError, match="s old"):
            one_reading(settings)


def test_home_assistant_without_its_token(entry: Entry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("wrong\n")
    file.chmod(0o600)
    with MeterServer(HomeAssistant()) as server:
        keys = {"url": server.url, "entity": "sensor.plug_power"}
        with pytest.raises(SourceError, match="it wants a password or a token"):
            one_reading(entry("homeassistant", **keys))
        with pytest.raises(SourceError, match="it refuses user and password, or the token"):
            one_reading(entry("homeassistant", **keys, token_file=str(file)))
        file.chmod(0o644)
        with pytest.raises(ConfigError, match="others can read it"):
            one_reading(entry("homeassistant", **keys, token_file=str(file)))


def test_an_entity_is_no_path(entry: Entry) -> None:
    with pytest.raises(SourceError, match=r"sources\[plug\]: entity: "):
        registry.create(entry("homeassistant", url="http://home", entity="../config"), "lab")


def test_a_shelly_with_a_password_is_answered_by_digest(entry: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERRAWATT_SOURCE_PLUG_PASSWORD", "joker")

    def digest(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    def guarded(question: Question) -> Reply:
        told = parse_answer(question.headers.get("Authorization", ""))
        identity, request = digest("admin:shellyplus1-x:joker"), digest(f"GET:{question.target}")
        middle = f"60dc2c8a:{told.get('nc')}:{told.get('cnonce')}:auth"
        if told.get("response") == digest(f"{identity}:{middle}:{request}"):
            return as_json(SHELLY)
        challenge = 'Digest qop="auth", realm="shellyplus1-x", nonce="60dc2c8a", algorithm=SHA-256'
        return Reply(status=401, headers={"WWW-Authenticate": challenge})

    with MeterServer(guarded) as server:
        source = polled(entry("shelly", url=server.url))
        assert [source.read()[0] for _ in range(3)] == [8.9] * 3
        source.close()
        assert len(server.asked) == 4  # the first question only is refused
        monkeypatch.setenv("TERRAWATT_SOURCE_PLUG_PASSWORD", "wrong")
        with pytest.raises(SourceError, match="it refuses user and password"):
            one_reading(entry("shelly", url=server.url))
        assert len(server.asked) == 6


def parse_answer(header: str) -> dict[str, str]:
    parts = (part.partition("=") for part in header.removeprefix("Digest ").split(", "))
    return {name: value.strip('"') for name, _, value in parts}


def test_the_digest_of_the_standard() -> None:
    """RFC 7616, section 3.9.1."""
    challenge = parse_challenge(
        'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, '
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
    )
    assert challenge is not None
    answer = challenge.answer(
        "Mufasa",
        "Circle of Life",
        "/dir/index.html",
        number=1,
        own_nonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    )
    assert parse_answer(answer)["response"] == "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"


def test_other_challenges() -> None:
    assert parse_challenge('Basic realm="x"') == Challenge("basic")
    assert Challenge("basic").answer("me", "pw", "/", number=1, own_nonce="") == basic("me", "pw") == "Basic bWU6cHc="
    assert parse_challenge("Negotiate") is None
    assert parse_challenge('Digest realm="x", algorithm=SHA-512-256, nonce="n"') is None
    assert parse_challenge('Digest realm="x", nonce="n", qop="auth-int"') is None


def test_certificates_are_verified(entry: Entry, tmp_path: Path) -> None:
    ours, others = make_certificate(tmp_path / "ours"), make_certificate(tmp_path / "others")
    with MeterServer(lambda _: as_json(SHELLY)) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(ours.certificate_file, ours.key_file)
        server.wrap(context)
        keys = {"url": server.url.replace("http:", "https:"), "timeout_s": 5}
        assert one_reading(entry("shelly", **keys, ca_file=str(ours.ca_file)))[0] == 8.9
        with pytest.raises(
            SourceError, match=r"its certificate is refused \(.*; for an authority of your own: ca_file"
        ):
            one_reading(entry("shelly", **keys, ca_file=str(others.ca_file)))
        with pytest.raises(SourceError, match="its certificate is refused"):
            one_reading(entry("shelly", **keys))


def test_a_source_can_be_closed_while_it_is_read(entry: Entry) -> None:
    is_asked = threading.Event()
    with MeterServer(lambda _: as_json(SHELLY)) as server:

        def slow(_: Question) -> Reply:
            is_asked.set()
            server.ended.wait()
            return as_json(SHELLY)

        server.answer = slow
        source = shelly.create(entry("shelly", url=server.url, timeout_s=0.3), "lab")
        raised: list[SourceError] = []

        def read() -> None:
            try:
                source.read()
            except SourceError as error:
                raised.append(error)

        reader = threading.Thread(target=read)
        reader.start()
        is_asked.wait()
        source.close()
        reader.join()
    assert len(raised) == 1
