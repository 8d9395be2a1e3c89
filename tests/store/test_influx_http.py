"""Answers that a real 1.6 does not give on demand: of later versions as documented, cut off, or not InfluxDB's."""

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pydantic import SecretStr

from terrawatt.config import StoreSettings
from terrawatt.errors import PartialWriteError, StoreError, StoreUnreachableError
from terrawatt.records import Sample, SeriesKey
from terrawatt.store.influxdb import InfluxStore, open_influx

POWER = SeriesKey.of("power", "power_w", host="lab")
TOKEN = "not to be seen"  # noqa: S105  # of a server of the tests
COUNTED = {
    "results": [
        {"series": [{"name": "power", "tags": {"host": "lab"}, "columns": ["time", "count", "count_1"]}]},
    ]
}
HEADER = "name,tags,time,power_w,power_w_missing\n"


class Handler(BaseHTTPRequestHandler):
    """Answers as the test says, and remembers what it was asked."""

    protocol_version = "HTTP/1.1"
    answer: Callable[["Handler"], None]
    asked: list["Handler"]

    def handle_one(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.asked.append(self)
        type(self).answer(self)

    do_GET = do_POST = handle_one  # noqa: N815  # the names that http.server calls

    def say(self, status: int, body: str, *, length: int | None = None) -> None:
        """Answer; with a greater length than the body's, it breaks off in the middle."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body.encode()) if length is None else length))
        self.end_headers()
        self.wfile.write(body.encode())
        self.close_connection = length is not None

    def say_csv(self, count: int, csv: str, *, length: int | None = None) -> None:
        """Answer a count, and then the rows."""
        if self.headers["Accept"] == "application/csv":
            self.say(200, csv, length=length)
        else:
            counted = json.loads(json.dumps(COUNTED))
            counted["results"][0]["series"][0]["values"] = [[0, count, None]]
            self.say(200, json.dumps(counted))

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def answering(answer: Callable[[Handler], None]) -> Iterator[tuple[InfluxStore, list[Handler]]]:
    """A store whose server answers like that, with a token."""
    asked: list[Handler] = []
    handler = type("TestHandler", (Handler,), {"answer": staticmethod(answer), "asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        url = f"influxdb://127.0.0.1:{server.server_port}/telegraf"
        try:
            with open_influx(StoreSettings(url=url, token=SecretStr(TOKEN), timeout_s=5)) as store:
                yield store, asked
        finally:
            server.shutdown()
            thread.join()


def test_the_token_travels_in_a_header_and_the_lines_compressed() -> None:
    with answering(lambda handler: handler.say(204, "")) as (store, asked):
        store.write([Sample(POWER, 7, 1.5)])
    (request,) = asked
    assert request.headers["Authorization"] == f"Token {TOKEN}"
    assert request.path == "/write?db=telegraf&precision=ns"
    assert gzip.decompress(request.body) == b"power,host=lab power_w=1.5 7"


@pytest.mark.parametrize(
    ("status", "body", "error", "what"),
    [
        (503, '{"error":"timeout"}', StoreUnreachableError, "the server cannot do it now (503: timeout)"),
        (429, "", StoreUnreachableError, "the server cannot do it now (429: no reason given)"),
        (302, "", StoreError, "302: no reason given"),
        (404, '{"code":"not found","message":"bucket \\"x\\" not found"}', StoreError, "there is no such database"),
        (401, '{"code":"unauthorized","message":"unauthorized"}', StoreError, "(401: unauthorized)"),
        (400, "<html>\n<body>nginx", StoreError, "400: <html> <body>nginx"),
    ],
)
def test_each_refusal_is_one_line_without_the_token(status: int, body: str, error: type[StoreError], what: str) -> None:
    with answering(lambda handler: handler.say(status, body)) as (store, _), pytest.raises(error) as caught:
        store.write([Sample(POWER, 7, 1.5)])
    assert what in str(caught.value)
    assert TOKEN not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (422, {"code": "unprocessable entity", "message": "failure writing points: partial write: too old dropped=2"}),
        (
            400,
            {
                "error": "partial write of line protocol occurred",
                "data": [{"line_number": 1, "error_message": "invalid column type", "original_line": "x"}],
            },
        ),
    ],
)
def test_partial_writes_of_later_versions_are_understood(status: int, body: dict) -> None:
    with (
        answering(lambda handler: handler.say(status, json.dumps(body))) as (store, _),
        pytest.raises(PartialWriteError, match=r"points refused: .*(too old|invalid column type)") as caught,
    ):
        store.write([Sample(POWER, t_ns, 1.5) for t_ns in range(5)])
    assert caught.value.refused == (2 if status == 422 else 1)


def test_a_complete_answer_is_read() -> None:
    csv = f"{HEADER}power,,10,1.5,\npower,,20,,1\n"
    with answering(lambda handler: handler.say_csv(1, csv)) as (store, _):
        series = store.read(POWER, 0, 100)
    assert series.t_ns.tolist() == [10, 20]


def test_version_3_answers_without_names_and_tags_and_knows_no_list_of_series() -> None:
    counted = {"name": "power", "tags": {"host": "lab"}, "columns": ["time", "count_power_w", "count_power_w_missing"]}

    def answer(handler: Handler) -> None:
        if "SHOW+SERIES" in handler.path:
            handler.say(400, '{"error": "This feature is not implemented: SHOW SERIES"}')
        elif "SHOW+FIELD+KEYS" in handler.path:
            handler.say(200, '{"results": [{"statement_id": 0}]}')
        elif "count%28%2A%29" in handler.path:
            handler.say(200, json.dumps({"results": [{"series": [{**counted, "values": [[0, 2, 1]]}]}]}))
        else:
            handler.say_csv(1, "iox::measurement,time,power_w,power_w_missing\npower,10,1.5,\npower,20,,1.0\n")

    with answering(answer) as (store, _):
        assert store.keys() == [POWER]
        assert store.read(POWER, 0, 100).t_ns.tolist() == [10, 20]


@pytest.mark.parametrize("rows", ["", f"{HEADER}power,,10,1.5,\n"])
def test_an_answer_that_lacks_rows_is_never_taken_for_a_shorter_series(rows: str) -> None:
    with (
        answering(lambda handler: handler.say_csv(3, rows)) as (store, _),
        pytest.raises(StoreError, match=r"power,host=lab power_w: the answer was cut off after [01] of 3 readings"),
    ):
        store.read(POWER, 0, 100)


def test_a_connection_that_breaks_inside_an_answer_is_an_error() -> None:
    csv = f"{HEADER}power,,10,1.5,\n"
    with (
        answering(lambda handler: handler.say_csv(1, csv, length=len(csv) + 50)) as (store, _),
        pytest.raises(StoreUnreachableError, match="the connection broke"),
    ):
        store.read(POWER, 0, 100)


@pytest.mark.parametrize("body", ["hello", "[]", "{}", '{"results": 3}'])
def test_another_kind_of_server_is_told_from_influxdb(body: str) -> None:
    with (
        answering(lambda handler: handler.say(200, body)) as (store, _),
        pytest.raises(StoreError, match="the answer is not InfluxDB's; is the address right"),
    ):
        store.keys()


def test_a_server_that_never_answers_is_given_up() -> None:
    release = threading.Event()

    def wait(handler: Handler) -> None:
        release.wait(20)
        with suppress(OSError):  # nobody listens any more
            handler.say(204, "")

    with answering(wait) as (store, _):
        impatient = open_influx(StoreSettings(url=str(store), timeout_s=0.05))
        with impatient, pytest.raises(StoreUnreachableError, match=r"no answer within 0\.05 s"):
            impatient.ping()
        release.set()
