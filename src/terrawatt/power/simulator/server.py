"""A simulated plug that answers over HTTP, on 127.0.0.1: Shelly, Tasmota, ESPHome, or Home Assistant before one."""

import hmac
import json
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr

from terrawatt.errors import SourceError
from terrawatt.power.simulator.contents import iso_time, shelly_status, tasmota_sensors, to_kwh
from terrawatt.power.simulator.meter import MeterReading
from terrawatt.records import Semantics

Answer = dict[str, Any] | None  # None: there is no such address
Answerer = Callable[[str, Mapping[str, list[str]], MeterReading], Answer]


def _shelly(path: str, query: Mapping[str, list[str]], reading: MeterReading) -> Answer:
    is_asked = path == "/rpc/Switch.GetStatus" and query.get("id") == ["0"]
    return shelly_status(reading) if is_asked else None


def _tasmota(path: str, query: Mapping[str, list[str]], reading: MeterReading) -> Answer:
    if path != "/cm":
        return None
    if [command.lower() for command in query.get("cmnd", [])] != ["status 10"]:
        return {"Command": "Unknown"}
    return {"StatusSNS": tasmota_sensors(reading)}


def _esphome(path: str, query: Mapping[str, list[str]], reading: MeterReading) -> Answer:
    kwh = to_kwh(reading.energy_j)
    return {
        "/sensor/power": {"id": "sensor-power", "value": reading.power_w, "state": f"{reading.power_w:.1f} W"},
        "/sensor/energy": {"id": "sensor-energy", "value": kwh, "state": f"{kwh:.3f} kWh"},
    }.get(path)


def _home_assistant(path: str, query: Mapping[str, list[str]], reading: MeterReading) -> Answer:
    entities = {
        "sensor.simulated_power": (f"{reading.power_w:.12g}", "W", "power"),
        "sensor.simulated_energy": (f"{to_kwh(reading.energy_j):.12g}", "kWh", "energy"),
    }
    entity = path.removeprefix("/api/states/")
    if entity not in entities:
        return None
    state, unit, kind = entities[entity]
    told = iso_time(reading.device_ns).replace("Z", "+00:00")
    return {
        "entity_id": entity,
        "state": state,
        "attributes": {"unit_of_measurement": unit, "device_class": kind, "friendly_name": f"simulated {kind}"},
        "last_changed": told,
        "last_reported": told,
        "last_updated": told,
    }


# What each answers, and the keys of `[[sources]]` with which it is read, beside its url.
ANSWERERS: Mapping[str, Answerer] = {
    "http-shelly": _shelly,
    "http-tasmota": _tasmota,
    "http-esphome": _esphome,
    "http-homeassistant": _home_assistant,
}
SOURCE_OPTIONS: Mapping[str, Mapping[str, str]] = {
    "http-shelly": {"kind": "shelly"},
    "http-tasmota": {"kind": "tasmota"},
    "http-esphome": {"kind": "esphome", "sensor": "power", "counter_sensor": "energy"},
    "http-homeassistant": {
        "kind": "homeassistant",
        "entity": "sensor.simulated_power",
        "counter_entity": "sensor.simulated_energy",
    },
}
SEMANTICS: Mapping[str, Semantics] = dict.fromkeys(ANSWERERS, Semantics.INSTANTANEOUS)


class HttpSpeaker:
    """Answers with the last reading; not at all while that was lost."""

    def __init__(self, protocol: str, port: int = 0, token: SecretStr | None = None) -> None:
        """Prepare.

        Args:
            protocol: one of `ANSWERERS`.
            port: on 127.0.0.1; 0: any that is free.
            token: that Home Assistant asks for; None: it asks for none.
        """
        self._protocol = protocol
        self._wanted_port = port
        self._token = token
        self._reading: MeterReading | None = None
        self._sent = 0
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Its address, once it has started."""
        return f"http://127.0.0.1:{self._wanted_port if self._server is None else self._server.server_port}"

    @property
    def where(self) -> str:
        """Its address."""
        return self.url

    @property
    def sent(self) -> int:
        """How many readings it has given as an answer."""
        return self._sent

    def start(self) -> None:
        """Listen.

        Raises:
            SourceError: the port is taken.
        """
        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", self._wanted_port), self._handler())
        except OSError as error:
            raise SourceError(f"{self.url}: cannot listen there ({error.strerror}); choose another --port") from error
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def say(self, reading: MeterReading) -> None:
        """From now on this is the reading."""
        with self._lock:
            self._reading = reading

    def close(self) -> None:
        """Listen no more."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        speaker = self

        class Handler(BaseHTTPRequestHandler):
            """Answers GET."""

            protocol_version = "HTTP/1.1"
            timeout = 30.0  # s, after which an idle connection is closed
            disable_nagle_algorithm = True  # head and body are two packets, and the second would wait 40 ms

            def do_GET(self) -> None:  # the name that http.server calls
                status, content = speaker.answer(self.path, self.headers.get("Authorization", ""))
                if content is None:
                    self.close_connection = True
                    return
                body = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Nothing is logged: addresses may hold secrets."""

        return Handler

    def answer(self, target: str, authorization: str) -> tuple[HTTPStatus, dict[str, Any] | None]:
        """Status and content of the answer to a request; no content: the connection is cut."""
        parts = urlsplit(target)
        if self._token is not None:
            expected = f"Bearer {self._token.get_secret_value()}"
            if not hmac.compare_digest(authorization.encode(), expected.encode()):
                return HTTPStatus.UNAUTHORIZED, {"message": "401: Unauthorized"}
        with self._lock:
            reading = self._reading
            if reading is None or not reading.copies:
                return HTTPStatus.SERVICE_UNAVAILABLE, None
            content = ANSWERERS[self._protocol](parts.path, parse_qs(parts.query), reading)
            if content is None:
                return HTTPStatus.NOT_FOUND, {"message": "Not Found"}
            self._sent += 1
        return HTTPStatus.OK, content
