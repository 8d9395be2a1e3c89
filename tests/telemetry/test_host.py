"""Host series of recorded machines, and of this one."""

import math
import os
import socket
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from terrawatt.config import SamplingSettings
from terrawatt.errors import ConfigError
from terrawatt.power.cputimes import CpuTimes
from terrawatt.records import SeriesKey
from terrawatt.telemetry.cpu import CpuReader
from terrawatt.telemetry.disk import PsutilDisk, disk_of, open_disk, parse_stat
from terrawatt.telemetry.host import HostSeries, open_host
from terrawatt.telemetry.memory import PsutilMemory, open_memory, parse_meminfo
from terrawatt.telemetry.reader import Missing
from terrawatt.telemetry.temperature import find_sensors, open_temperature


def overwrite(path: Path, text: str) -> None:
    """Change a file in place, as the kernel does, so that who holds it open sees the change."""
    with path.open("r+") as file:
        file.write(text)
        file.truncate()


def named(series: HostSeries) -> dict[str, float]:
    return {str(key): value for key, value in series.read().items()}


@pytest.fixture
def sampling() -> SamplingSettings:
    return SamplingSettings(disk="nvme0n1")


def test_all_series_of_a_machine(proc: Path, sys: Path, tmp_path: Path, sampling: SamplingSettings) -> None:
    series = open_host(sampling, "lab", tmp_path, proc, sys)
    overwrite(proc / "stat", "cpu  160 0 60 820 60 0 0 0 20 0\n")
    values = named(series)
    series.close()
    assert series.missing == {}
    assert {quantity: str(key) for quantity, key in series.quantities.items()} == {
        "cpu": "cpu,cpu=cpu-total,host=lab usage_user",
        "mem_free": "mem,host=lab available_percent",
        "temp": "temp,host=lab,sensor=coretemp_package_id_0 temp",
        "reads": "diskio,host=lab,name=nvme0n1 reads",
    }
    assert values["cpu,cpu=cpu-total,host=lab usage_user"] == pytest.approx(40)
    assert values["cpu,cpu=cpu-total,host=lab usage_guest"] == pytest.approx(20)
    assert values["cpu,cpu=cpu-total,host=lab usage_system"] == pytest.approx(10)
    assert values["cpu,cpu=cpu-total,host=lab usage_idle"] == pytest.approx(20)
    assert values["cpu,cpu=cpu-total,host=lab usage_iowait"] == pytest.approx(10)
    assert values["mem,host=lab total"] == 16_000_000 * 1024
    assert values["mem,host=lab available"] == 12_000_000 * 1024
    assert values["mem,host=lab used"] == 5_000_000 * 1024
    assert values["mem,host=lab used_percent"] == pytest.approx(31.25)
    assert values["mem,host=lab available_percent"] == pytest.approx(75)
    assert values["temp,host=lab,sensor=coretemp_package_id_0 temp"] == 41.5
    assert values["diskio,host=lab,name=nvme0n1 reads"] == 1000
    assert values["diskio,host=lab,name=nvme0n1 writes"] == 200
    assert values["diskio,host=lab,name=nvme0n1 read_bytes"] == 8000 * 512
    assert values["diskio,host=lab,name=nvme0n1 write_bytes"] == 4000 * 512


def test_groups_that_are_not_asked_for_are_missing_with_a_reason(proc: Path, sys: Path, tmp_path: Path) -> None:
    series = open_host(SamplingSettings(host=("mem",)), "lab", tmp_path, proc, sys)
    series.close()
    assert set(series.quantities) == {"mem_free"}
    assert series.missing["cpu"] == "sampling.host does not name 'cpu'"
    assert set(series.missing) == {"cpu", "temp", "reads"}


def test_an_unknown_group_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"sampling\.host: there is no group 'disk'\. Did you mean diskio"):
        open_host(SamplingSettings(host=("cpu", "disk")), "lab", tmp_path)


def test_a_sensor_that_may_not_be_read_is_missing(proc: Path, sys: Path, tmp_path: Path) -> None:
    sensor = sys / "class" / "hwmon" / "hwmon1" / "temp1_input"
    sensor.unlink()
    sensor.symlink_to(sensor.name)  # a loop: cannot be opened, whoever tries
    series = open_host(SamplingSettings(disk="nvme0n1"), "lab", tmp_path, proc, sys)
    series.close()
    assert "temp1_input: cannot be read" in series.missing["temp"]


class NoTime:
    """CPU times that cannot be read the second time."""

    def __init__(self) -> None:
        self.count = 0

    def read(self) -> CpuTimes:
        self.count += 1
        if self.count == 2:
            raise OSError("gone")
        return CpuTimes.of_kernel([self.count, 0, 0, self.count])

    def close(self) -> None: ...


def test_cpu_usage_needs_a_reading_before_it(proc: Path) -> None:
    reader = CpuReader("lab", NoTime())
    assert all(math.isnan(value) for value in reader.read())  # cannot be read
    assert all(math.isnan(value) for value in reader.read())  # nothing before it
    assert reader.read()[0] == 50.0


def test_no_time_counted_is_no_usage(proc: Path, sys: Path, tmp_path: Path) -> None:
    series = open_host(SamplingSettings(host=("cpu",)), "lab", tmp_path, proc, sys)
    assert all(math.isnan(value) for value in named(series).values())
    series.close()


def test_sensors_are_named_as_telegraf_does(sys: Path) -> None:
    assert sorted(find_sensors(sys)) == ["acpitz", "coretemp_core_0", "coretemp_package_id_0"]


def test_sensors_of_older_systems_lie_one_folder_deeper(tmp_path: Path) -> None:
    device = tmp_path / "class" / "hwmon" / "hwmon0" / "device"
    device.mkdir(parents=True)
    (device / "name").write_text("k10temp\n")
    (device / "temp1_input").write_text("30000\n")
    assert list(find_sensors(tmp_path)) == ["k10temp"]


def test_thermal_zones_where_there_is_no_hwmon(tmp_path: Path) -> None:
    zone = tmp_path / "class" / "thermal" / "thermal_zone0"
    zone.mkdir(parents=True)
    (zone / "type").write_text("x86_pkg_temp\n")
    (zone / "temp").write_text("51000\n")
    reader = open_temperature("lab", "x86_pkg_temp", tmp_path)
    assert not isinstance(reader, Missing)
    assert reader.read() == (51.0,)
    reader.close()


def test_no_sensor_at_all(tmp_path: Path) -> None:
    assert open_temperature("lab", "coretemp_package_id_0", tmp_path) == Missing(
        "this machine shows no temperature sensor (a virtual machine seldom does)"
    )


def test_another_sensor_is_not_taken_silently(sys: Path) -> None:
    found = open_temperature("lab", "k10temp_tctl", sys)
    assert isinstance(found, Missing)
    assert found.reason.startswith("no sensor 'k10temp_tctl'; set sampling.temp_sensor to one of acpitz, coretemp_")


def test_a_sensor_that_does_not_answer_is_no_zero(sys: Path) -> None:
    reader = open_temperature("lab", "acpitz", sys)
    assert not isinstance(reader, Missing)
    overwrite(sys / "class" / "hwmon" / "hwmon0" / "temp1_input", "")
    assert math.isnan(reader.read()[0])
    overwrite(sys / "class" / "hwmon" / "hwmon0" / "temp1_input", "-3000\n")
    assert reader.read() == (-3.0,)
    reader.close()


@pytest.mark.parametrize("content", ["", "MemTotal: 5 kB\n", "MemTotal: x kB\n"])
def test_memory_that_cannot_be_read_is_no_zero(proc: Path, content: str) -> None:
    reader = open_memory("lab", proc)
    overwrite(proc / "meminfo", content)
    assert all(math.isnan(value) for value in reader.read())
    reader.close()


def test_memory_of_an_odd_file() -> None:
    with pytest.raises(KeyError):
        parse_meminfo(b"MemTotal: 5 kB\n")


@pytest.mark.parametrize(
    ("device", "disk"),
    [
        ((259, 0), "nvme0n1"),
        ((259, 1), "nvme0n1"),  # a partition: its whole disk
        ((0, 40), "nvme0n1"),  # btrfs has a number of its own, but is mounted from a partition
        ((0, 23), None),  # tmpfs
        ((0, 41), None),  # overlay
        ((0, 99), None),  # mounted elsewhere
    ],
)
def test_the_disk_of_a_folder(proc: Path, sys: Path, device: tuple[int, int], disk: str | None) -> None:
    assert disk_of(os.makedev(*device), proc, sys) == disk


def test_a_named_disk_or_partition(proc: Path, sys: Path, tmp_path: Path) -> None:
    for name, reads in (("/dev/nvme0n1", 1000), ("nvme0n1p2", 2)):
        reader = open_disk("lab", name, tmp_path, proc, sys)
        assert not isinstance(reader, Missing)
        assert reader.keys[0] == SeriesKey.of("diskio", "reads", host="lab", name=name.removeprefix("/dev/"))
        assert reader.read()[0] == reads
        reader.close()


def test_a_disk_that_is_not_there(proc: Path, sys: Path, tmp_path: Path) -> None:
    found = open_disk("lab", "sda", tmp_path, proc, sys)
    assert found == Missing("no disk 'sda'; set sampling.disk to one of nvme0n1, nvme0n1p1, nvme0n1p2")


def test_a_folder_on_no_disk(proc: Path, sys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("terrawatt.telemetry.disk.disk_of", lambda *_: None)
    found = open_disk("lab", "", tmp_path, proc, sys)
    assert isinstance(found, Missing)
    assert "lies on no disk with counters of its own; set sampling.disk to one of nvme0n1" in found.reason


def test_a_disk_that_vanishes_is_no_zero(proc: Path, sys: Path, tmp_path: Path) -> None:
    reader = open_disk("lab", "nvme0n1", tmp_path, proc, sys)
    assert not isinstance(reader, Missing)
    overwrite(sys / "class" / "block" / "nvme0n1" / "stat", "")
    assert all(math.isnan(value) for value in reader.read())
    reader.close()
    with pytest.raises(ValueError, match="not the counters of a disk"):
        parse_stat(b"1 2 3")


def test_psutil_where_there_is_neither_proc_nor_sys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = tmp_path / "nowhere"
    counters = SimpleNamespace(read_count=3, write_count=4, read_bytes=5, write_bytes=6)
    monkeypatch.setattr(psutil, "disk_io_counters", lambda perdisk: {"disk0": counters})
    series = open_host(SamplingSettings(), "lab", tmp_path, nowhere, nowhere)
    kinds = {type(reader) for reader in series.readers}
    values = named(series)
    series.close()
    assert {PsutilMemory, PsutilDisk} < kinds
    assert values["diskio,host=lab,name=disk0 reads"] == 3
    assert values["diskio,host=lab,name=disk0 write_bytes"] == 6
    assert 0 < values["mem,host=lab available_percent"] <= 100
    assert set(series.missing) == {"temp"}


def test_psutil_with_several_disks_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counters = SimpleNamespace(read_count=3, write_count=4, read_bytes=5, write_bytes=6)
    disks = {"disk0": counters, "disk1": counters}
    monkeypatch.setattr(psutil, "disk_io_counters", lambda perdisk: disks)
    assert open_disk("lab", "", tmp_path, tmp_path, tmp_path) == Missing("set sampling.disk to one of disk0, disk1")
    reader = open_disk("lab", "disk1", tmp_path, tmp_path, tmp_path)
    assert not isinstance(reader, Missing)
    disks.clear()
    assert all(math.isnan(value) for value in reader.read())
    assert open_disk("lab", "", tmp_path, tmp_path, tmp_path) == Missing("this system shows no disk counters")


def test_this_machine_agrees_with_psutil(tmp_path: Path) -> None:
    series = open_host(SamplingSettings(), socket.gethostname(), tmp_path)
    values = {(key.measurement, key.field): value for key, value in series.read().items()}
    series.close()
    assert set(series.quantities) | set(series.missing) == {"cpu", "mem_free", "temp", "reads"}
    assert values["mem", "total"] == psutil.virtual_memory().total
    assert values["mem", "available_percent"] == pytest.approx(
        100 * psutil.virtual_memory().available / psutil.virtual_memory().total, abs=10
    )
    if "reads" in series.quantities:
        name = series.quantities["reads"].tag("name")
        assert 0 <= psutil.disk_io_counters(perdisk=True)[name].read_count - values["diskio", "reads"] < 100_000
