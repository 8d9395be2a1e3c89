"""The entries that the page about plugs shows can be used as they are."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from terrawatt.config import SourceSettings
from terrawatt.power import mqtt
from terrawatt.power.mqtt_devices import DEVICES

PAGE = (Path(__file__).parents[2] / "docs" / "connect-your-plug.md").read_text(encoding="utf-8")
ENTRIES = [
    entry
    for block in re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    for entry in tomllib.loads(block).get("sources", [])
    if entry["kind"] == "mqtt"
]


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry["device"] for entry in ENTRIES])
def test_an_entry_is_valid(entry: dict[str, Any]) -> None:
    entry.pop("ca_file", None)  # the reader's own
    source = mqtt.create(SourceSettings.model_validate(entry), "lab")
    assert source.descriptions[0].name == entry["name"]


@pytest.mark.parametrize("device", DEVICES)
def test_the_page_shows_each_device_and_its_defaults(device: str) -> None:
    assert f"`{device}`" in PAGE
    (row,) = [line for line in PAGE.splitlines() if line.startswith("|") and f"`{device}`" in line.split("|")[1]][:1]
    options = {"path": "power"} if device == "json" else {}
    entry = {"name": "plug", "kind": "mqtt", "device": device, "broker": "mqtt://lab", "topic": "a", **options}
    source = mqtt.create(SourceSettings.model_validate(entry), "lab")
    assert f"`{source.descriptions[0].semantics}`" in row
    assert ("| yes |" in row) == (len(source.descriptions) == 2)
