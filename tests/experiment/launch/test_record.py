from pathlib import Path

import pytest

from terrawatt import config
from terrawatt.errors import ConfigError, RunFolderError
from terrawatt.experiment.launch.record import (
    Launch,
    is_launched,
    read_launch,
    settings_on,
    without_secrets,
    write_launch,
)
from terrawatt.experiment.plan import ordered
from terrawatt.records import Order, Scenario

TOML = """
[protocol]
cold_s = 60

[store]
url = "influxdb://127.0.0.1:8086/telegraf"

[[sources]]
name = "login node"
kind = "estimate"

[[hosts.node1.sources]]
name = "plug of node 1"
kind = "mqtt"
topic = "zwave/1"
broker = "mqtt://127.0.0.1:1883"
"""


@pytest.fixture
def launch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Launch:
    """A launch with `--cold 5` over the file's 60 s, and a password in the environment."""
    (tmp_path / "terrawatt.toml").write_text(TOML)
    monkeypatch.setenv("TERRAWATT_STORE__PASSWORD", "known to the tests only")
    settings = config.load(tmp_path / "terrawatt.toml")
    settings = settings.model_copy(update={"protocol": settings.protocol.model_copy(update={"cold_s": 5.0})})
    return Launch(
        working_folder=str(tmp_path),
        settings=without_secrets(settings),
        scenarios=(Scenario({"n": 1}, ("true",)), Scenario({"n": 2}, ("true",), seed=3)),
        order=Order.BLOCKS,
        seed=4,
        entries=ordered(2, 3, Order.BLOCKS, 4),
        max_jobs=2,
        cluster={"partition": "main"},
        jobs={1: "17_0", 2: "17_1"},
    )


def test_what_is_written_is_read(launch: Launch, tmp_path: Path) -> None:
    assert not is_launched(tmp_path)
    write_launch(tmp_path, launch)
    assert is_launched(tmp_path)
    assert read_launch(tmp_path) == launch


def test_secrets_stay_out_of_the_file_and_come_from_the_nodes_environment(
    launch: Launch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_launch(tmp_path, launch)
    assert "known to the tests only" not in (tmp_path / "launch.json").read_text()
    monkeypatch.setenv("TERRAWATT_STORE__PASSWORD", "the node's")
    password = settings_on(read_launch(tmp_path), "node1").store.password
    assert password is not None
    assert password.get_secret_value() == "the node's"


@pytest.mark.parametrize("host", ["node1", "node1.cluster.example"])
def test_a_node_reads_its_own_meter_and_follows_the_options_given(
    launch: Launch, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERRAWATT_PROTOCOL__COLD_S", "99")  # options stand over the environment, here as there
    settings = settings_on(launch, host)
    assert [source.name for source in settings.sources] == ["plug of node 1"]
    assert settings.sources[0].options["topic"] == "zwave/1"
    assert settings.protocol.cold_s == 5


def test_a_node_without_a_meter_of_its_own_is_refused_where_others_have_one(launch: Launch) -> None:
    with pytest.raises(ConfigError, match=r"this is node2, and \[hosts\] names node1: .*\[\[hosts.node2.sources\]\]"):
        settings_on(launch, "node2")


@pytest.mark.parametrize("text", ["", "{}", '{"format_version": 1}'])
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(RunFolderError, match="not a launched sweep"):
        read_launch(tmp_path)
    (tmp_path / "launch.json").write_text(text)
    with pytest.raises(RunFolderError, match="not a launched sweep"):
        read_launch(tmp_path)


def test_a_newer_format_is_refused(launch: Launch, tmp_path: Path) -> None:
    write_launch(tmp_path, launch)
    path = tmp_path / "launch.json"
    path.write_text(path.read_text().replace('"format_version": 1', '"format_version": 2'))
    with pytest.raises(RunFolderError, match="format 2, but this version reads up to 1"):
        read_launch(tmp_path)
