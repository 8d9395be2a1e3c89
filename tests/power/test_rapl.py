"""RAPL's counters, on simulated trees of the kernel's files."""

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from terrawatt.config import SourceSettings
from terrawatt.errors import SourceError
from terrawatt.power.counters import open_counters, survey
from terrawatt.power.rapl import RaplBank, find_zones
from terrawatt.records import Semantics

Entry = Callable[..., SourceSettings]
RANGE_UJ = 262_143_328_850


@pytest.fixture
def sys(tmp_path: Path) -> Path:
    """Two packages with memory, the cores of one, and the same package once more as intel-rapl-mmio."""
    zones = {
        "intel-rapl:1": ("package-1", 5_000_000),
        "intel-rapl:0": ("package-0", 1_000_000),
        "intel-rapl:0:0": ("core", 400_000),
        "intel-rapl:0:1": ("dram", 2_500_000),
        "intel-rapl:1:0": ("dram", 3_500_000),
        "intel-rapl-mmio:0": ("package-0", 9_000_000),
    }
    for folder, (name, energy_uj) in zones.items():
        path = tmp_path / "class" / "powercap" / folder
        path.mkdir(parents=True)
        (path / "name").write_text(f"{name}\n")
        (path / "energy_uj").write_text(f"{energy_uj}\n")
        (path / "max_energy_range_uj").write_text(f"{RANGE_UJ}\n")
    (tmp_path / "class" / "powercap" / "intel-rapl").mkdir()  # the control type: no counter
    return tmp_path


def energy_file(sys: Path, zone: str) -> Path:
    return sys / "class" / "powercap" / zone / "energy_uj"


def test_packages_and_memory_are_counters_in_joules_with_their_range(entry: Entry, sys: Path) -> None:
    source = open_counters(entry("counters"), "lab", sys)
    assert source.read() == pytest.approx((1.0, 5.0, 2.5, 3.5))
    source.close()
    assert [d.name for d in source.descriptions] == ["plug", "plug package-1", "plug dram-0", "plug dram-1"]
    first = source.descriptions[0]
    assert first.semantics is Semantics.COUNTER
    assert str(first.series) == "power,host=lab,source=plug energy_j"
    assert first.wrap_j == pytest.approx(RANGE_UJ / 1e6)
    assert first.note.startswith("package-0: RAPL")


@pytest.mark.parametrize(
    ("names", "values"),
    [(["dram"], (2.5, 3.5)), (["dram-1"], (3.5,)), (["package-0", "core"], (1.0, 0.4))],
)
def test_counters_are_chosen_by_label_or_its_beginning(
    entry: Entry, sys: Path, names: list[str], values: tuple[float, ...]
) -> None:
    source = open_counters(entry("counters", counters=names), "lab", sys)
    assert source.read() == pytest.approx(values)
    source.close()


def test_a_counter_goes_round_as_it_is(entry: Entry, sys: Path) -> None:
    source = open_counters(entry("counters", counters=["package-0"]), "lab", sys)
    values = []
    for energy_uj in (RANGE_UJ - 1_000_000, 500_000):
        energy_file(sys, "intel-rapl:0").write_text(f"{energy_uj}\n")
        values += source.read()
    source.close()
    assert values == pytest.approx([(RANGE_UJ - 1_000_000) / 1e6, 0.5])


@pytest.mark.parametrize("content", ["", "nonsense\n"])
def test_a_failed_read_is_never_a_zero(entry: Entry, sys: Path, content: str) -> None:
    source = open_counters(entry("counters", counters=["package"]), "lab", sys)
    energy_file(sys, "intel-rapl:0").write_text(content)
    first, second = source.read()
    assert math.isnan(first)
    assert second == pytest.approx(5.0)
    energy_file(sys, "intel-rapl:1").write_text(content)
    with pytest.raises(SourceError, match="RAPL: no counter can be read"):
        source.read()
    source.close()


def test_a_missing_permission_is_one_line_with_its_cure(
    entry: Entry, sys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Any, *_: Any) -> int:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(SourceError) as raised:
        open_counters(entry("counters"), "lab", sys)
    message = str(raised.value)
    assert message.startswith(f"sources[plug]: {energy_file(sys, 'intel-rapl:0')}: only root may read it")
    assert f"sudo chmod a+r {sys}/class/powercap/intel-rapl:*/energy_uj" in message
    assert "\n" not in message
    assert "only root may read it" in survey(sys)[0].reason


def test_the_permission_of_counters_that_are_not_meant_does_not_matter(
    entry: Entry, sys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    truly_open = os.open

    def refuse_memory(path: Any, *others: Any) -> int:
        if "intel-rapl:0:1" in str(path):
            raise PermissionError(13, "Permission denied", str(path))
        return truly_open(path, *others)

    monkeypatch.setattr(os, "open", refuse_memory)
    source = open_counters(entry("counters", counters=["package"]), "lab", sys)
    assert source.read() == pytest.approx((1.0, 5.0))
    source.close()


def test_files_are_closed_when_one_cannot_be_opened(sys: Path) -> None:
    zones = find_zones(sys)
    energy_file(sys, "intel-rapl:1:0").unlink()
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    with pytest.raises(SourceError, match=r"energy_uj: cannot be read \(No such file"):
        RaplBank(zones)
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_an_unknown_counter_is_answered_with_those_there_are(entry: Entry, sys: Path) -> None:
    with pytest.raises(SourceError, match=r"sources\[plug\]: counters: there is no psys; known: package-0, package-1"):
        open_counters(entry("counters", counters=["psys"]), "lab", sys)


def test_a_machine_without_counters_says_so(entry: Entry, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"sources\[plug\]: .*powercap: no RAPL counters; virtual machines"):
        open_counters(entry("counters"), "lab", tmp_path)


def test_the_survey_names_the_counters(sys: Path) -> None:
    rapl = survey(sys)[0]
    assert rapl.device == "rapl"
    assert rapl.counters == ("package-0", "package-1", "dram-0", "dram-1")
    assert rapl.reason == ""
