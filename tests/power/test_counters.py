"""Counters of accelerators, with modules in the place of zeus'."""

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar

import pytest

from terrawatt.config import SourceSettings
from terrawatt.errors import SourceError
from terrawatt.power import counters
from terrawatt.power.counters import survey
from terrawatt.records import Semantics

Entry = Callable[..., SourceSettings]


class ZeusBaseError(Exception):
    """As zeus has it."""


class Gpus:
    """Three boards, of which the second has no counter; mJ, or an error."""

    energies_mj: ClassVar[list[Any]] = [1_500, None, 2_000_000]

    def __len__(self) -> int:
        return len(self.energies_mj)

    def supports_get_total_energy_consumption(self, index: int) -> bool:
        return index != 1

    def get_name(self, index: int) -> str:
        return f"Board {index}"

    def get_total_energy_consumption(self, index: int) -> int:
        energy_mj = self.energies_mj[index]
        if isinstance(energy_mj, Exception):
            raise energy_mj
        return int(energy_mj)


@dataclass
class Measurement:
    cpu_total_mj: int | None = 1_000
    gpu_mj: int | None = 2_000
    dram_mj: int | None = None
    ane_mj: int | None = 0
    total_energy_mj: float | None = None


class Chip:
    measurement: Any = Measurement()

    def get_total_energy_consumption(self) -> Measurement:
        if isinstance(self.measurement, Exception):
            raise self.measurement
        return self.measurement


@pytest.fixture
def zeus(monkeypatch: pytest.MonkeyPatch) -> dict[str, ModuleType]:
    """zeus with NVIDIA boards and an Apple chip; neither AMD nor Jetson."""
    content: dict[str, dict[str, Any]] = {
        "zeus": {},
        "zeus.device": {},
        "zeus.device.gpu": {},
        "zeus.device.soc": {},
        "zeus.exception": {"ZeusBaseError": ZeusBaseError},
        "zeus.device.gpu.nvidia": {"nvml_is_available": lambda: True, "NVIDIAGPUs": type("N", (Gpus,), {})},
        "zeus.device.gpu.amd": {"amdsmi_is_available": lambda: False},
        "zeus.device.soc.apple": {"apple_silicon_is_available": lambda: True, "AppleSilicon": type("A", (Chip,), {})},
        "zeus.device.soc.jetson": {"jetson_is_available": lambda: False},
    }
    modules = {}
    for name, members in content.items():
        modules[name] = ModuleType(name)
        vars(modules[name]).update(members)
        monkeypatch.setitem(sys.modules, name, modules[name])
    return modules


@pytest.mark.usefixtures("zeus")
def test_each_gpu_is_a_counter_in_joules(entry: Entry) -> None:
    source = counters.create(entry("counters", device="nvidia"), "lab")
    assert source.read() == pytest.approx((1.5, 2000.0))
    assert [d.name for d in source.descriptions] == ["plug", "plug gpu-2"]
    assert all(d.semantics is Semantics.COUNTER and d.wrap_j is None for d in source.descriptions)
    assert source.descriptions[1].note == "gpu-2: Board 2, whole board"
    source.close()


@pytest.mark.usefixtures("zeus")
def test_one_gpu_alone(entry: Entry) -> None:
    source = counters.create(entry("counters", device="nvidia", counters=["gpu-2"]), "lab")
    assert source.read() == pytest.approx((2000.0,))
    assert source.descriptions[0].name == "plug"


def test_a_gpu_that_fails_is_missing_and_never_zero(entry: Entry, zeus: dict[str, ModuleType]) -> None:
    source = counters.create(entry("counters", device="nvidia"), "lab")
    boards: Any = zeus["zeus.device.gpu.nvidia"].NVIDIAGPUs
    boards.energies_mj = [ZeusBaseError("GPU is lost"), None, 3_000]
    first, second = source.read()
    assert math.isnan(first)
    assert second == pytest.approx(3.0)
    boards.energies_mj = [ZeusBaseError("GPU is lost"), None, ZeusBaseError("GPU is lost")]
    with pytest.raises(SourceError, match=r"nvidia: cannot be read \(GPU is lost\)"):
        source.read()


def test_a_chip_gives_the_parts_that_it_counts(entry: Entry, zeus: dict[str, ModuleType]) -> None:
    source = counters.create(entry("counters", device="apple"), "lab")
    assert source.read() == pytest.approx((1.0, 2.0, 0.0))
    assert [d.name for d in source.descriptions] == ["plug", "plug gpu", "plug ane"]
    chip: Any = zeus["zeus.device.soc.apple"].AppleSilicon
    chip.measurement = Measurement(gpu_mj=None)
    assert math.isnan(source.read()[1])
    chip.measurement = RuntimeError("no answer")
    with pytest.raises(SourceError, match=r"apple: cannot be read \(no answer\)"):
        source.read()


def test_boards_without_counters_are_refused(entry: Entry, zeus: dict[str, ModuleType]) -> None:
    boards: Any = zeus["zeus.device.gpu.nvidia"].NVIDIAGPUs
    boards.supports_get_total_energy_consumption = lambda self, index: False
    with pytest.raises(SourceError, match=r"sources\[plug\]: nvidia: no GPU has an energy counter"):
        counters.create(entry("counters", device="nvidia"), "lab")


@pytest.mark.usefixtures("zeus")
def test_the_survey_says_what_is_there_and_why_not() -> None:
    found = {one.device: one for one in survey()}
    assert found["nvidia"].counters == ("gpu-0", "gpu-2")
    assert found["apple"].counters == ("cpu", "gpu", "ane")
    assert found["amd"].reason.startswith("no driver answers (amdsmi)")
    assert found["jetson"].reason == "this is no Jetson board"


def test_without_zeus_the_extra_is_named(entry: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "zeus"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "zeus", None)
    with pytest.raises(SourceError, match=r"sources\[plug\]: nvidia: needs zeus .*pip install 'terrawatt\[counters\]'"):
        counters.create(entry("counters", device="nvidia"), "lab")


def test_an_unknown_device_is_refused(entry: Entry) -> None:
    with pytest.raises(SourceError, match=r"sources\[plug\]: device: "):
        counters.create(entry("counters", device="tpu"), "lab")
