"""HTTP connections whose answers must be complete at a moment, however slowly they come.

A socket's own timeout counts from the last byte: a device that sends one now and then would be read for ever. Here the
time that is left becomes the timeout before each read.
"""

import http.client
import io
import socket
import time
from typing import Any, Protocol

from urllib3.connection import HTTPConnection, HTTPSConnection

_LEAST_S = 1e-3  # a timeout of 0 would mean not to wait at all


class Deadline(Protocol):
    """Knows the moment of now's answer."""

    deadline_s: float  # on the monotonic clock


def connections(deadline: Deadline) -> tuple[type[HTTPConnection], type[HTTPSConnection]]:
    """The classes of a pool's connections, without and with TLS, that keep this deadline."""

    class Response(http.client.HTTPResponse):
        """An answer that is read until the deadline."""

        def __init__(self, sock: socket.socket, *arguments: Any, **named: Any) -> None:
            super().__init__(_Deadlined(sock, deadline), *arguments, **named)  # type: ignore[arg-type]

    class Plain(HTTPConnection):
        response_class = Response

    class Tls(HTTPSConnection):
        response_class = Response

    return Plain, Tls


class _Deadlined:
    """What `http.client` needs of a socket: a file to read from."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline

    def makefile(self, _mode: str) -> io.BufferedReader:
        """A file for reading; the socket stays open as long as it is."""
        return io.BufferedReader(_Raw(self._sock, self._sock.makefile("rb", buffering=0), self._deadline))


class _Raw(io.RawIOBase):
    """Reads from a socket with the time that is left."""

    def __init__(self, sock: socket.socket, raw: Any, deadline: Deadline) -> None:
        self._sock = sock
        self._raw = raw
        self._deadline = deadline

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """What has come, at least one byte unless it is the end; TimeoutError after the deadline."""
        remaining_s = self._deadline.deadline_s - time.monotonic()
        if remaining_s <= 0:
            raise TimeoutError("the deadline has passed")
        self._sock.settimeout(max(remaining_s, _LEAST_S))
        read: int | None = self._raw.readinto(buffer)
        return read

    def close(self) -> None:
        """Let go of the socket."""
        if not self.closed:
            self._raw.close()
        super().close()
