"""The settings in docs/use-your-telegraf.md and docs/older-folders.md are accepted as they stand."""

import re
from pathlib import Path

import pytest

from terrawatt.config import load
from terrawatt.power import registry
from terrawatt.records import SeriesKey

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("use-your-telegraf.md", "older-folders.md")


def settings_of(page: str) -> str:
    (block,) = re.findall(r"```toml\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    return str(block)


@pytest.mark.parametrize("page", PAGES)
def test_the_settings_are_those_of_the_labs_plug(page: str, tmp_path: Path) -> None:
    file = tmp_path / "terrawatt.toml"
    file.write_text(settings_of(page), encoding="utf-8")
    settings = load(file)
    assert settings.sampling.is_external
    (source,) = settings.sources
    (description,) = registry.create(source, "lab").descriptions
    assert description.series == SeriesKey.of("mqtt_consumer", "value", topic="zwave/Smart_switch_PC/50/0/value/66049")
    assert description.accuracy


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([\w.-]+\.md)(?:#[\w-]+)?\)", (DOCS / page).read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (DOCS / link).exists()] == []
