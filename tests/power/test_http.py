"""Asking a meter over HTTP, with servers that do what they should not."""

import json
import logging
import math
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate

import pytest
from pydantic import SecretStr

from servers.meter import MeterServer, Question, Reply
from terrawatt.config import SourceSettings
from terrawatt.errors import SourceError
from terrawatt.power import shelly
from terrawatt.power.device_clock import ClockBounds, date_bounds
from terrawatt.power.http import MOST_BYTES, HttpClient, HttpOptions, HttpSource
from terrawatt.power.login import Login

Entry = Callable[..., SourceSettings]
GOOD = Reply(json.dumps({"id": 0, "apower": 8.9, "aenergy": {"total": 6.532}}).encode())


@contextmanager
def plug(entry: Entry, answer: Callable[[Question], Reply], **keys: object) -> Iterator[tuple[HttpSource, MeterServer]]:
    """A Shelly that answers as told, and its source."""
    with MeterServer(answer) as server:
        source = shelly.create(entry("shelly", url=server.url, **keys), "lab")
        try:
            yield source, server
        finally:
            source.close()


@contextmanager
def talking(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that speaks what it likes; yields its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                talk(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join()


def test_readings_come_over_one_connection(entry: Entry) -> None:
    with plug(entry, lambda _: GOOD) as (source, server):
        assert [source.read() for _ in range(3)] == [pytest.approx((8.9, 6.532 * 3600))] * 3
        assert {question.target for question in server.asked} == {"/rpc/Switch.GetStatus?id=0"}


def test_an_answer_that_is_too_late_is_no_reading(entry: Entry) -> None:
    with plug(entry, lambda _: GOOD, timeout_s=0.05) as (source, server):

        def late(_: Question) -> Reply:
            server.ended.wait()
            return GOOD

        server.answer = late
        with pytest.raises(SourceError, match=r"^http://127\.0\.0\.1:\d+: no answer within 0\.05 s; a later one"):
            source.read()


def test_after_a_late_answer_the_next_one_is_its_own(entry: Entry) -> None:
    release = threading.Event()

    def first_late(question: Question) -> Reply:
        if len(server.asked) == 1:
            release.wait()
            return Reply(b'{"apower": 1.0}')
        return Reply(b'{"apower": 2.0}')

    with plug(entry, lambda _: GOOD, timeout_s=0.2) as (source, server):
        server.answer = first_late
        with pytest.raises(SourceError, match="no answer within"):
            source.read()
        release.set()
        power_w, energy_j = source.read()
        assert power_w == 2.0
        assert math.isnan(energy_j)


@pytest.mark.parametrize(
    "first", [b"", b"HTTP/1.1 200 OK\r\nX-Filler: ", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"]
)
def test_an_answer_that_trickles_is_given_up(entry: Entry, first: bytes) -> None:
    gone = threading.Event()

    def trickle(connection: socket.socket) -> None:
        connection.sendall(first)
        while not gone.wait(0.02):
            try:
                connection.sendall(b" ")
            except OSError:
                return

    with talking(trickle) as url:
        source = shelly.create(entry("shelly", url=url, timeout_s=0.1), "lab")
        with pytest.raises(SourceError, match="no answer within"):
            source.read()
        gone.set()
        source.close()


@pytest.mark.parametrize("is_announced", [True, False])
def test_an_answer_that_is_too_long_is_not_read(entry: Entry, is_announced: bool) -> None:
    headers = {} if is_announced else {"Transfer-Encoding": "identity", "Connection": "close"}
    huge = Reply(b'{"apower": 1, "x": "' + b"x" * 4 * MOST_BYTES + b'"}', headers=headers)
    with plug(entry, lambda _: huge, timeout_s=10) as (source, server):
        with pytest.raises(SourceError, match="its answer is longer than 64 KB"):
            source.read()
        server.answer = lambda _: GOOD
        assert source.read()[0] == 8.9


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply(b"<html>hello</html>"), "its answer is not JSON"),
        (Reply(b"\xff\xfe\x00"), "its answer is not text"),
        (Reply(b"[" * 50_000), "its answer is not JSON"),
        (Reply(b""), "its answer is not JSON"),
        (Reply(b"[1, 2]"), "its answer is without a reading"),
        (Reply(b"{}"), "its answer is without a reading"),
        (Reply(b'{"apower": NaN, "aenergy": {"total": Infinity}}'), "its answer is not a number"),
        (Reply(b'{"apower": true, "aenergy": [7]}'), "its answer is not a number"),
        (Reply(b'{"apower": 1' + b"0" * 400 + b"}"), "its answer is out of range"),
        (Reply(status=500), "it answers with HTTP 500"),
        (Reply(status=404), r"it has no such reading \(HTTP 404\)"),
        (Reply(status=401), r"it wants a password or a token \(HTTP 401\)"),
    ],
)
def test_another_answer_is_no_reading(entry: Entry, reply: Reply, message: str) -> None:
    with plug(entry, lambda _: reply) as (source, server):
        with pytest.raises(SourceError, match=message):
            source.read()
        assert len(server.asked) == 1
        server.answer = lambda _: GOOD
        assert source.read()[0] == 8.9


def test_a_redirect_is_not_followed(entry: Entry) -> None:
    with MeterServer(lambda _: GOOD) as elsewhere:
        reply = Reply(status=302, headers={"Location": f"{elsewhere.url}/rpc/Switch.GetStatus?id=0"})
        with plug(entry, lambda _: reply) as (source, _), pytest.raises(SourceError, match="it sends us elsewhere"):
            source.read()
        assert elsewhere.asked == []


def test_a_connection_that_is_closed_is_no_reading(entry: Entry) -> None:
    with talking(lambda connection: None) as url:
        source = shelly.create(entry("shelly", url=url), "lab")
        with pytest.raises(SourceError, match="it closed the connection, or does not speak HTTP"):
            source.read()
        source.close()


def test_what_is_not_http_is_no_reading(entry: Entry) -> None:
    with talking(lambda connection: connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")) as url:
        source = shelly.create(entry("shelly", url=url), "lab")
        with pytest.raises(SourceError, match="does not speak HTTP"):
            source.read()
        source.close()


def test_a_body_that_ends_early_is_no_reading(entry: Entry) -> None:
    cut = b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"apower": 8.9}'
    with talking(lambda connection: connection.sendall(cut)) as url:
        source = shelly.create(entry("shelly", url=url), "lab")
        with pytest.raises(SourceError, match="it closed the connection"):
            source.read()
        source.close()


def test_nobody_there_is_no_reading(entry: Entry) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    source = shelly.create(entry("shelly", url=f"http://127.0.0.1:{port}"), "lab")
    with pytest.raises(SourceError, match="no connection; is the device on"):
        source.read()


def test_a_meter_that_closed_the_connection_between_readings_is_asked_again(entry: Entry) -> None:
    closing = Reply(GOOD.body, headers={"Connection": "close"})
    with plug(entry, lambda _: closing) as (source, server):
        assert [source.read()[0] for _ in range(3)] == [8.9] * 3
        assert len(server.asked) == 3


@pytest.mark.parametrize(
    "url",
    ["192.168.1.2", "ftp://plug", "http://", "http://me:secret@plug", "http://plug?password=secret", "http://[::"],
)
def test_an_address_without_secrets_is_wanted(entry: Entry, url: str) -> None:
    with pytest.raises(SourceError, match=r"sources\[plug\]: url: write http://HOST") as raised:
        shelly.create(entry("shelly", url=url), "lab")
    assert "secret" not in str(raised.value)


def test_certificates_that_cannot_be_read_are_refused(entry: Entry) -> None:
    with pytest.raises(SourceError, match=r"sources\[plug\]: nothing\.pem: no certificates that can be read"):
        shelly.create(entry("shelly", url="https://plug", ca_file="nothing.pem"), "lab")


def test_urls_are_in_no_log(entry: Entry, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with MeterServer(lambda _: Reply(b"{}")) as server:
        client = HttpClient(HttpOptions(url=server.url))
        client.get("/cm", {"password": "joker"}, time.monotonic() + 5)
        client.close()
    assert "joker" in server.asked[0].target
    assert "joker" not in caplog.text


def test_the_clock_of_a_meter_is_told_by_its_answers(entry: Entry) -> None:
    ahead_s = 100.0

    def dated(_: Question) -> Reply:
        return Reply(GOOD.body, headers={"Date": formatdate(time.time() + ahead_s, usegmt=True)})

    with MeterServer(dated) as server:
        source = shelly.create(entry("shelly", url=server.url), "lab")
        assert source.clock is None
        source.read()
        source.close()
    assert source.clock is not None
    assert source.clock.low_s <= ahead_s <= source.clock.high_s + 1e-3  # formatdate rounds
    assert source.clock.high_s - source.clock.low_s < 10


def test_a_date_bounds_the_offset() -> None:
    noon_ns = 1_767_268_800_000_000_000  # 2026-01-01 12:00:00 UTC
    bounds = date_bounds("Thu, 01 Jan 2026 12:00:10 GMT", noon_ns, noon_ns + 500_000_000)
    assert bounds == ClockBounds(9.5, 11.0)
    assert date_bounds("yesterday", noon_ns, noon_ns) is None
    assert ClockBounds(9.5, 11.0).narrowed(ClockBounds(9.0, 10.0)) == ClockBounds(9.5, 10.0)
    assert ClockBounds(9.5, 11.0).narrowed(ClockBounds(50.0, 51.0)) == ClockBounds(50.0, 51.0)


def test_a_bearer_token_is_a_header(entry: Entry) -> None:
    with MeterServer(lambda _: Reply(b"{}")) as server:
        client = HttpClient(HttpOptions(url=server.url), token=SecretStr("abc"))
        client.get("/", {}, time.monotonic() + 5)
        server.answer = lambda _: Reply(status=403)
        with pytest.raises(SourceError, match="it refuses user and password, or the token") as raised:
            client.get("/", {}, time.monotonic() + 5)
        client.close()
    assert server.asked[0].headers["Authorization"] == "Bearer abc"
    assert "abc" not in str(raised.value)


def test_a_password_is_given_only_when_it_is_asked_for(entry: Entry) -> None:
    with MeterServer(lambda _: Reply(b"{}")) as server:
        client = HttpClient(HttpOptions(url=server.url), Login("admin", SecretStr("joker")))
        client.get("/", {}, time.monotonic() + 5)
        client.close()
    assert "Authorization" not in server.asked[0].headers
