"""An HTTP server in a thread, on 127.0.0.1: answers as a test says, and remembers what it was asked."""

import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


@dataclass(frozen=True)
class Question:
    """What a client asked for."""

    target: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Reply:
    """What it gets."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class MeterServer:
    """Runs while its `with` block does.

    Attributes:
        answer: makes the reply to a question; may be changed at any time.
        asked: all questions so far.
        ended: set at the end; a slow answer waits for it.
    """

    def __init__(self, answer: Callable[[Question], Reply]) -> None:
        self.answer = answer
        self.asked: list[Question] = []
        self.ended = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                question = Question(self.path, dict(self.headers))
                server.asked.append(question)
                reply = server.answer(question)
                self.send_response_only(reply.status)
                usual = {"Content-Length": str(len(reply.body)), "Date": self.date_time_string()}
                for name, value in (usual | dict(reply.headers)).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.body)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                """A client that has gone away meanwhile is what some tests want."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def wrap(self, context: ssl.SSLContext) -> None:
        """Speak TLS from now on."""
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ended.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
