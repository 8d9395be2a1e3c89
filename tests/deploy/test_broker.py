"""The broker as `deploy/` starts it, with a real mosquitto: who may come in, and what they may do."""

import os
import pwd
import queue
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from servers.programs import SERVER_FOLDERS, free_port, require_program

DEPLOY = Path(__file__).parents[2] / "deploy" / "mosquitto"
DEADLINE_S = 20.0
PASSWORDS = {"plug": "known to the plug", "reader": "known to 'readers' $HOME; %s"}


@dataclass(frozen=True)
class Broker:
    port: int

    def client(self, user: str | None, password: str = "") -> tuple[Client, str]:
        """A client, and what the broker answers to it."""
        answers: queue.Queue[str] = queue.Queue()
        client = Client(CallbackAPIVersion.VERSION2)
        if user is not None:
            client.username_pw_set(user, password)
        client.on_connect = lambda _client, _data, _flags, reason, _properties: answers.put(str(reason))
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        return client, answers.get(timeout=DEADLINE_S)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """The start script with its folders and port replaced; files stay the user's that runs the tests."""
    require_program("mosquitto", "apt-get install mosquitto")
    require_program("mosquitto_passwd", "apt-get install mosquitto")
    folder, port = tmp_path_factory.mktemp("broker"), free_port()
    (folder / "chown").write_text("#!/bin/sh\n")
    (folder / "chown").chmod(0o755)

    def placed(name: str) -> str:
        text = (DEPLOY / name).read_text(encoding="utf-8")
        return text.replace("/mosquitto/data", str(folder)).replace("/mosquitto/config", str(folder))

    settings = placed("mosquitto.conf").replace("listener 1883", f"listener {port} 127.0.0.1")
    (folder / "mosquitto.conf").write_text(settings + f"user {pwd.getpwuid(os.getuid()).pw_name}\n")
    environment = {
        "PATH": os.pathsep.join((str(folder), os.environ["PATH"], *SERVER_FOLDERS)),
        "MQTT_PLUG_USER": "plug",
        "MQTT_PLUG_PASSWORD": PASSWORDS["plug"],
        "MQTT_USER": "reader",
        "MQTT_PASSWORD": PASSWORDS["reader"],
    }
    log = (folder / "log").open("wb")
    process = subprocess.Popen(["/bin/sh", "-c", placed("start.sh")], env=environment, stdout=log, stderr=log)
    try:
        _await(port, process, folder / "log")
        yield Broker(port)
    finally:
        process.terminate()
        process.wait()
        log.close()


def _await(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(400):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
        else:
            return
    pytest.fail(log.read_text())


@pytest.mark.parametrize(("user", "password"), [(None, ""), ("reader", "guessed"), ("stranger", PASSWORDS["reader"])])
def test_strangers_stay_outside(broker: Broker, user: str | None, password: str) -> None:
    client, answer = broker.client(user, password)
    client.loop_stop()
    assert answer == "Not authorized"


def test_plugs_publish_and_readers_only_read(broker: Broker) -> None:
    came: queue.Queue[str] = queue.Queue()
    subscribed: queue.Queue[bool] = queue.Queue()
    reader, answer = broker.client("reader", PASSWORDS["reader"])
    assert answer == "Success"
    plug, answer = broker.client("plug", PASSWORDS["plug"])
    assert answer == "Success"
    try:
        reader.on_message = lambda _client, _data, message: came.put(message.payload.decode())
        reader.on_subscribe = lambda *_: subscribed.put(True)
        reader.subscribe("zwave/#", qos=1)
        assert subscribed.get(timeout=DEADLINE_S)
        reader.publish("zwave/plug/50/0/value/66049", "invented", qos=1).wait_for_publish(DEADLINE_S)
        plug.publish("zwave/plug/50/0/value/66049", "42.5", qos=1).wait_for_publish(DEADLINE_S)
        assert came.get(timeout=DEADLINE_S) == "42.5", "what the reader published was thrown away"
    finally:
        for client in (reader, plug):
            client.disconnect()
            client.loop_stop()
