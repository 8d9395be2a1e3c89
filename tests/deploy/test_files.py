"""The files of `deploy/` are well formed, hold no password, and open no port to others."""

import json
import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "docker-compose.yml").read_text(encoding="utf-8"))
TELEGRAF = tomllib.loads((DEPLOY / "telegraf" / "telegraf.conf").read_text(encoding="utf-8"))
DASHBOARD = json.loads((DEPLOY / "grafana" / "dashboards" / "terrawatt.json").read_text(encoding="utf-8"))
DATA_SOURCE = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/influxdb.yaml").read_text(encoding="utf-8"))
PROVIDER = yaml.safe_load((DEPLOY / "grafana/provisioning/dashboards/terrawatt.yaml").read_text(encoding="utf-8"))
EXAMPLE = dict(
    line.split("=", 1)
    for line in (DEPLOY / ".env.example").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
)
VARIABLE = re.compile(r"\$\{?([A-Z][A-Z_]+)")
SECRET = re.compile(r"password|token|secret", re.IGNORECASE)

# Plug -> a topic of it, as docs/connect-your-plug.md and the devices' documentation have it.
TOPICS = {
    "Z-Wave JS UI": "zwave/Smart_switch_PC/50/0/value/66049",
    "Zigbee2MQTT": "zigbee2mqtt/plug",
    "Tasmota": "tele/plug/SENSOR",
    "Shelly": "shellyplusplugs-c049ef/status/switch:0",
    "ESPHome": "plug/sensor/power/state",
    "Home Assistant": "homeassistant/sensor/plug_power/state",
}


def values(tree: Any, path: str = "") -> list[tuple[str, Any]]:
    """Every leaf of a tree with its path."""
    if isinstance(tree, dict):
        return [leaf for key, value in tree.items() for leaf in values(value, f"{path}.{key}")]
    if isinstance(tree, list):
        return [leaf for value in tree for leaf in values(value, path)]
    return [(path, tree)]


def covers(pattern: str, topic: str) -> bool:
    """Whether a subscription holds a topic (`+` is one level)."""
    levels, parts = pattern.split("/"), topic.split("/")
    return len(levels) == len(parts) and all(level in ("+", part) for level, part in zip(levels, parts, strict=True))


def test_every_port_is_open_to_this_machine_only() -> None:
    ports = [str(port) for service in COMPOSE["services"].values() for port in service.get("ports", [])]
    assert len(ports) == 3
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_every_password_is_a_variable_that_must_be_set() -> None:
    passwords = [value for path, value in values(COMPOSE["services"]) if SECRET.search(path)]
    assert len(passwords) >= 6
    assert all(re.fullmatch(r"\$\{[A-Z_]+:\?[^}]+\}", value) for value in passwords)
    for tree in (TELEGRAF, DATA_SOURCE):
        found = [value for path, value in values(tree) if SECRET.search(path)]
        assert found
        assert all(re.fullmatch(r"\$\{[A-Z_]+\}", value) for value in found)


def test_the_example_of_settings_names_every_variable_and_no_password() -> None:
    used = set(VARIABLE.findall((DEPLOY / "docker-compose.yml").read_text(encoding="utf-8")))
    assert used == set(EXAMPLE)
    assert {name: value for name, value in EXAMPLE.items() if SECRET.search(name) and value} == {}


def test_each_container_is_given_the_variables_that_its_files_use() -> None:
    files = {
        "telegraf": DEPLOY / "telegraf",
        "grafana": DEPLOY / "grafana/provisioning",
        "mosquitto": DEPLOY / "mosquitto",
    }
    for service, folder in files.items():
        text = "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file())
        assert set(VARIABLE.findall(text)) <= set(COMPOSE["services"][service]["environment"]), service


def test_mounted_files_exist() -> None:
    mounts = [mount for service in COMPOSE["services"].values() for mount in service["volumes"] if mount[0] == "."]
    assert len(mounts) == 4
    assert all((DEPLOY / mount.split(":")[0]).exists() and mount.endswith(":ro") for mount in mounts)


@pytest.mark.parametrize("device", TOPICS)
def test_telegraf_reads_the_plug_once(device: str) -> None:
    patterns = [pattern for plugin in TELEGRAF["inputs"]["mqtt_consumer"] for pattern in plugin["topics"]]
    assert sum(covers(pattern, TOPICS[device]) for pattern in patterns) == 1


def test_telegraf_writes_what_terrawatt_reads() -> None:
    assert {"cpu", "mem", "temp", "diskio", "mqtt_consumer"} <= set(TELEGRAF["inputs"])
    assert TELEGRAF["inputs"]["cpu"][0]["totalcpu"] is True
    clients = [plugin["client_id"] for plugin in TELEGRAF["inputs"]["mqtt_consumer"]]
    assert len(set(clients)) == len(clients)


def test_every_panel_and_annotation_reads_the_provisioned_source() -> None:
    uid = DATA_SOURCE["datasources"][0]["uid"]
    uids = {value for path, value in values(DASHBOARD) if path.endswith("datasource.uid")}
    assert uids == {uid}
    mounts = COMPOSE["services"]["grafana"]["volumes"]
    assert any(mount.split(":")[1] == PROVIDER["providers"][0]["options"]["path"] for mount in mounts)


def test_the_broker_refuses_strangers() -> None:
    settings = (DEPLOY / "mosquitto" / "mosquitto.conf").read_text(encoding="utf-8").splitlines()
    assert "allow_anonymous false" in settings
    assert any(line.startswith("acl_file ") for line in settings)


def test_the_brokers_start_keeps_passwords_out_of_arguments(tmp_path: Path) -> None:
    """Run with programs that note their arguments in the place of the broker's."""
    programs, data = tmp_path / "bin", tmp_path / "data"
    programs.mkdir()
    data.mkdir()
    for name in ("mosquitto", "mosquitto_passwd", "chown"):
        (programs / name).write_text(
            f'#!/bin/sh\necho "{name} $*" >> {tmp_path}/called\nenv >> {tmp_path}/env-{name}\n'
        )
        (programs / name).chmod(0o755)
    script = (DEPLOY / "mosquitto" / "start.sh").read_text(encoding="utf-8").replace("/mosquitto/data", str(data))
    secrets = {"MQTT_PLUG_PASSWORD": "first-secret", "MQTT_PASSWORD": "second-secret"}
    environment = {"MQTT_PLUG_USER": "plug", "MQTT_USER": "reader", **secrets}
    environment["PATH"] = f"{programs}:{os.environ['PATH']}"
    subprocess.run(["/bin/sh", "-c", script], env=environment, check=True)
    called = (tmp_path / "called").read_text()
    assert "mosquitto -c" in called
    assert not any(secret in called + (tmp_path / "env-mosquitto").read_text() for secret in secrets.values())
    assert (data / "passwords").read_text() == "plug:first-secret\nreader:second-secret\n"
    assert (data / "passwords").stat().st_mode & 0o077 == 0
    assert "user reader\ntopic read #" in (data / "acl").read_text()


def test_a_password_that_the_brokers_file_cannot_hold_is_refused() -> None:
    environment = dict.fromkeys(("MQTT_PLUG_USER", "MQTT_PLUG_PASSWORD", "MQTT_USER"), "x") | {"MQTT_PASSWORD": "a:b"}
    script = ["/bin/sh", str(DEPLOY / "mosquitto" / "start.sh")]
    ended = subprocess.run(script, env=environment, check=False, capture_output=True, text=True)
    assert ended.returncode == 1
    assert "holds a colon" in ended.stderr
    assert "a:b" not in ended.stderr
