"""Kinds of source, built in and from other packages."""

from collections.abc import Callable
from pathlib import Path

import pytest

from terrawatt.config import SourceSettings
from terrawatt.errors import SourceError
from terrawatt.power import registry
from terrawatt.power.source import PowerSource

Entry = Callable[..., SourceSettings]

FOREIGN = """
from terrawatt.power.options import Options, describe, parse_options
from terrawatt.records import Semantics

class LabOptions(Options):
    power_w: float

class LabMeter:
    def __init__(self, settings, host):
        self.power_w = parse_options(LabOptions, settings).power_w
        self.descriptions = (describe(settings, host, Semantics.INSTANTANEOUS),)
    def read(self):
        return (self.power_w,)
    def close(self):
        pass
"""


@pytest.fixture
def _foreign_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package of somebody else, with one good kind and one broken."""
    (tmp_path / "foreign_meter_for_tests.py").write_text(FOREIGN)
    metadata = tmp_path / "foreign_meter_for_tests-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign-meter-for-tests\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "[terrawatt.power_sources]\n"
        "labmeter = foreign_meter_for_tests:LabMeter\n"
        "broken = foreign_meter_for_tests:Nothing\n"
    )
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.parametrize("kind", sorted(registry.BUILT_IN))
def test_each_kind_is_found_and_checks_its_options(entry: Entry, kind: str) -> None:
    with pytest.raises(SourceError, match=rf"sources\[plug\]: unknown key 'nonsense' of kind '{kind}'"):
        registry.create(entry(kind, nonsense=1), "lab")


def test_an_estimate(entry: Entry) -> None:
    source: PowerSource = registry.create(entry("estimate"), "lab")
    source.close()
    assert source.descriptions[0].kind == "estimate"


def test_an_unknown_kind_is_answered_with_near_names(entry: Entry) -> None:
    with pytest.raises(SourceError, match=r"sources\[plug\]: there is no kind 'estimat'\. Did you mean estimate"):
        registry.create(entry("estimat"), "lab")


@pytest.mark.usefixtures("_foreign_package")
def test_other_packages_bring_kinds(entry: Entry) -> None:
    source = registry.create(entry("labmeter", power_w=42), "lab")
    assert source.read() == (42,)
    assert str(source.descriptions[0].series) == "power,host=lab,source=plug power_w"
    with pytest.raises(SourceError, match=r"sources\[plug\]: power_w: Field required"):
        registry.create(entry("labmeter"), "lab")
    with pytest.raises(SourceError, match="Did you mean labmeter"):
        registry.create(entry("labmeters"), "lab")
    with pytest.raises(SourceError, match="kind 'broken': its package cannot be loaded"):
        registry.create(entry("broken"), "lab")
