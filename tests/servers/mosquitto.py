"""A real mosquitto: with or without password, TLS and access rules; it can be killed and started again.

    with Mosquitto(tmp_path, password="secret") as broker:
        broker.publish("zwave/plug/50/0/value/66049", "42.5")

It keeps its port and its sessions with what is queued for them, and its retained messages; after `save` also when it is
killed.
"""

import os
import pwd
import queue
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from servers.certificates import Certificate, make_certificate
from servers.programs import free_port, require_program

USER = "terrawatt"
DEADLINE_S = 20.0


class Mosquitto:
    """One broker on 127.0.0.1; a context manager that starts and stops it.

    Attributes:
        host: 127.0.0.1.
        port: the same after each restart.
        user: of the one account, when there is a password; else None.
        password: the same; None lets everybody in.
        certificate: with TLS its files; `certificate.ca_file` is what a client must trust.
        log_file: what mosquitto says.
    """

    def __init__(
        self, folder: Path, *, password: str | None = None, tls: bool = False, acl: str | None = None, user: str = USER
    ) -> None:
        """Prepare a broker; `start`, or `with`, starts it.

        Args:
            folder: holds a folder `mosquitto-<port>` of its own.
            password: of the account `user`; without one, everybody may connect.
            tls: the port speaks TLS alone, with a certificate of an authority made for this broker.
            acl: lines of mosquitto's acl_file, e.g. `topic read zwave/#`; without, everybody may do everything.
            user: the name of the account.
        """
        self.host = "127.0.0.1"
        self.port = free_port()
        self.user = None if password is None else user
        self.password = password
        self.folder = folder / f"mosquitto-{self.port}"
        self.folder.mkdir(parents=True)
        self.log_file = self.folder / "mosquitto.log"
        self._program = require_program("mosquitto", "apt-get install mosquitto")
        self.certificate: Certificate | None = make_certificate(self.folder / "tls") if tls else None
        self._process: subprocess.Popen[bytes] | None = None
        self._configuration = self.folder / "mosquitto.conf"
        self._configuration.write_text("\n".join(self._settings(acl)) + "\n")

    def _settings(self, acl: str | None) -> list[str]:
        lines = [
            f"listener {self.port} {self.host}",
            f"allow_anonymous {'true' if self.password is None else 'false'}",
            # As root it would become the user `mosquitto`, who may not enter the tests' folders.
            f"user {pwd.getpwuid(os.getuid()).pw_name}",
            "persistence true",
            f"persistence_location {self.folder}/",
            # Written at each change, so that sessions survive a kill -9; the default is half an hour.
            "autosave_on_changes true",
            "autosave_interval 1",
            "log_type all",
        ]
        if self.certificate is not None:
            lines += [f"certfile {self.certificate.certificate_file}", f"keyfile {self.certificate.key_file}"]
        if self.password is not None:
            accounts = self.folder / "accounts"
            mosquitto_passwd = require_program("mosquitto_passwd", "apt-get install mosquitto")
            subprocess.run(
                [mosquitto_passwd, "-c", "-b", str(accounts), str(self.user), self.password], check=True, timeout=60
            )
            lines.append(f"password_file {accounts}")
        if acl is not None:
            rules = self.folder / "acl"
            rules.write_text(acl + "\n")
            lines.append(f"acl_file {rules}")
        return lines

    @property
    def ca_file(self) -> Path | None:
        """What a client must trust, with TLS."""
        return None if self.certificate is None else self.certificate.ca_file

    def start(self) -> None:
        """Start it, first or again; returns when it takes connections."""
        assert self._process is None, "it runs already"
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, "-c", str(self._configuration)], stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        deadline = time.monotonic() + DEADLINE_S
        while not self._takes_connections():
            assert self._process.poll() is None, f"mosquitto ended: {self.log_file.read_text()}"
            assert time.monotonic() < deadline, f"mosquitto does not answer: {self.log_file.read_text()}"
            time.sleep(0.02)

    def stop(self) -> None:
        """End it in good order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill -9."""
        self._end(signal.SIGKILL)

    def publish(self, topic: str, payload: str | bytes, *, qos: int = 0, retain: bool = False) -> None:
        """Publish one message from a client of its own; returns when it is sent (with QoS 1: acknowledged).

        Raises:
            OSError: it cannot be reached, or its certificate is refused.
            PermissionError: the broker lets this client not in.
        """
        client = self.client()
        try:
            message = client.publish(topic, payload, qos, retain)
            message.wait_for_publish(DEADLINE_S)
            assert message.is_published(), f"not acknowledged: {topic}"
        finally:
            client.disconnect()
            client.loop_stop()

    def client(self, *, password: str | None = None) -> Client:
        """A connected client whose loop runs; its user ends it with `disconnect` and `loop_stop`.

        Args:
            password: instead of the right one.

        Raises:
            OSError: it cannot be reached, or its certificate is refused.
            PermissionError: the broker lets this client not in.
        """
        answers: queue.Queue[ReasonCode] = queue.Queue()
        client = Client(CallbackAPIVersion.VERSION2)
        client.on_connect = lambda _client, _data, _flags, reason, _properties: answers.put(reason)
        if self.user is not None:
            client.username_pw_set(self.user, self.password if password is None else password)
        if self.ca_file is not None:
            client.tls_set(ca_certs=str(self.ca_file))
        client.connect(self.host, self.port)
        client.loop_start()
        answer = answers.get(timeout=DEADLINE_S)
        if answer.is_failure:
            client.loop_stop()
            raise PermissionError(str(answer))
        return client

    def save(self) -> None:
        """Have it write what it keeps; after this, sessions, queues and retained messages of now survive a kill.

        It also does so by itself at each change, but not before it acknowledges a message.
        """
        assert self._process is not None, "it does not run"
        written = self.folder / "mosquitto.db"
        before_ns = written.stat().st_mtime_ns if written.exists() else 0
        self._process.send_signal(signal.SIGUSR1)
        deadline = time.monotonic() + DEADLINE_S
        while not written.exists() or written.stat().st_mtime_ns == before_ns:
            assert time.monotonic() < deadline, f"nothing saved: {self.log_file.read_text()}"
            time.sleep(0.01)

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, if it still runs."""
        if self._process is not None:
            self.stop()

    def _end(self, how: signal.Signals) -> None:
        assert self._process is not None, "it does not run"
        self._process.send_signal(how)
        self._process.wait(DEADLINE_S)
        self._process = None

    def _takes_connections(self) -> bool:
        try:
            with socket.create_connection((self.host, self.port), timeout=1.0) as plain:
                if self.ca_file is not None:
                    context = ssl.create_default_context(cafile=self.ca_file)
                    context.wrap_socket(plain, server_hostname=self.host).close()
        except OSError:
            return False
        return True
