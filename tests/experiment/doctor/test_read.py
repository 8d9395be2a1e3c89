"""Facts read from recorded machines."""

import math
import os
from pathlib import Path

import pytest

from terrawatt.config import SourceSettings
from terrawatt.experiment.doctor.judge_places import TemperatureFacts
from terrawatt.experiment.doctor.read_noise import Snapshot, busy_processes, noise_between, take_snapshot
from terrawatt.experiment.doctor.read_places import read_embedded, read_folder, read_lock, read_temperature
from terrawatt.experiment.doctor.read_sources import renewal_s, smallest_step, source_facts
from terrawatt.experiment.lock import MachineLock
from terrawatt.power.cputimes import CpuTimes
from terrawatt.records import AccuracyBand, Sample, Semantics, SeriesKey, SourceDescription
from terrawatt.telemetry.observe import Look, Observed

S = 1_000_000_000
POWER = SeriesKey.of("power", "power_w", source="plug")
ENERGY = SeriesKey.of("power", "energy_j", source="plug counter")


def times(user: float, idle: float, steal: float = 0.0) -> CpuTimes:
    return CpuTimes.of_kernel([user, 0, 0, idle, 0, 0, 0, steal])


def snapshot(t_s: float, cpu: CpuTimes | None, own_s: float = 0.0, swapped: int | None = 0, **spent: float) -> Snapshot:
    processes = {int(pid[1:]): (f"program{pid[1:]}", "ada", spent_s) for pid, spent_s in spent.items()}
    return Snapshot(t_s, cpu, processes, own_s, swapped)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A laptop: two processors with different governors, turbo, swap in use, one sensor."""
    files = {
        "proc/stat": "cpu  100 0 50 1000 0 0 0 0 0 0\n",
        "proc/loadavg": "0.52 0.40 0.31 1/523 12345\n",
        "proc/meminfo": "MemTotal: 1000 kB\nSwapTotal: 2000 kB\nSwapFree: 500 kB\n",
        "proc/vmstat": "pgpgin 1\npswpin 10\npswpout 5\n",
        "proc/cpuinfo": "flags : fpu vme hypervisor\n",
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "powersave\n",
        "sys/devices/system/cpu/cpu1/cpufreq/scaling_governor": "performance\n",
        "sys/devices/system/cpu/intel_pstate/no_turbo": "0\n",
        "sys/class/hwmon/hwmon0/name": "coretemp\n",
        "sys/class/hwmon/hwmon0/temp1_label": "Package id 0\n",
        "sys/class/hwmon/hwmon0/temp1_input": "48000\n",
    }
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path


def test_what_the_machine_does_and_how_it_is_set(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    before = snapshot(0, times(0, 0), own_s=1.0, swapped=15)
    after = snapshot(10, times(500, 1400, 100), own_s=3.0, swapped=20)
    facts = noise_between(before, after, machine / "proc", machine / "sys")
    assert facts.busy_percent == pytest.approx(25.0 - 10.0)  # without our own 2 s of 20
    assert facts.steal_percent == pytest.approx(5.0)
    assert facts.load_1min == 0.52
    assert facts.governors == ("performance", "powersave")
    assert facts.has_turbo is True
    assert facts.is_virtual
    assert facts.swap_used_bytes == 1500 * 1024
    assert facts.is_swapping is True


@pytest.mark.parametrize(
    ("file", "content", "has_turbo"),
    [("intel_pstate/no_turbo", "1", False), ("cpufreq/boost", "1", True), ("cpufreq/boost", "0", False)],
)
def test_turbo_by_either_driver(tmp_path: Path, file: str, content: str, has_turbo: bool) -> None:
    path = tmp_path / "sys/devices/system/cpu" / file
    path.parent.mkdir(parents=True)
    path.write_text(content)
    still = snapshot(0, None)
    assert noise_between(still, still, tmp_path / "proc", tmp_path / "sys").has_turbo is has_turbo


def test_what_is_not_there_is_not_known(tmp_path: Path) -> None:
    still = snapshot(0, None, swapped=None)
    facts = noise_between(still, still, tmp_path / "proc", tmp_path / "sys")
    assert (facts.busy_percent, facts.steal_percent, facts.has_turbo, facts.swap_used_bytes) == (None,) * 4
    assert (facts.governors, facts.is_swapping, facts.is_virtual) == ((), None, False)


def test_processes_are_told_by_their_share_of_a_processor() -> None:
    before = snapshot(0, None, p11=100.0, p12=5.0)
    after = snapshot(10, None, p11=104.0, p12=5.0, p13=12.0)
    busy = busy_processes(before, after, "bob")
    assert [(one.pid, one.cores, one.is_of_others) for one in busy] == [(13, 1.2, True), (11, 0.4, True)]
    assert not any(one.is_of_others for one in busy_processes(before, after, "ada"))


def test_this_machine_can_be_looked_at() -> None:
    before = take_snapshot()
    sum(range(1_000_000))
    facts = noise_between(before, take_snapshot())
    assert facts.cpus >= 1
    assert os.getpid() in before.processes
    assert facts.busy_percent is None or 0 <= facts.busy_percent <= 100


def observed(*looks: Look, is_pushed: bool = False, has_device_time: bool = False) -> Observed:
    entry = SourceSettings(name="plug", kind="shelly")
    descriptions = (
        SourceDescription(
            "plug",
            "shelly",
            Semantics.INSTANTANEOUS,
            (AccuracyBand(plus_minus_w=1.0),),
            POWER,
            resolution_w=0.5,
            has_device_time=has_device_time,
        ),
        SourceDescription("plug counter", "shelly", Semantics.COUNTER, (), ENERGY),
    )
    return Observed(entry, descriptions, is_pushed=is_pushed, looks=list(looks))


def test_facts_of_a_polled_source() -> None:
    looks = [
        Look(i * S, (Sample(POWER, i * S, value), Sample(ENERGY, i * S, 3600.0)), took_s=0.01 * i)
        for i, value in enumerate([40.0, 40.0, 40.5, 40.5, 41.5])
    ]
    failed = Look(5 * S, reason="no answer within 0.8 s")
    power, counter = source_facts(observed(*looks, failed), now_ns=6 * S, watched_s=6.0, sampling_interval_s=2.0)
    assert (power.value, power.resolution, power.resolution_w, power.stated_resolution_w) == (
        "41.5 W",
        "0.5 W",
        0.5,
        0.5,
    )
    assert (power.n_readings, power.n_failed, power.why_failed) == (5, 1, "no answer within 0.8 s")
    assert power.interval_s == 2.0
    assert (power.took_s, power.sampling_interval_s) == (0.04, 2.0)
    assert (power.age_s, power.silence_s, power.has_accuracy) == (None, None, True)
    assert (counter.value, counter.interval_s, counter.resolution, counter.has_accuracy) == ("3.6 kJ", None, "", False)


def test_facts_of_a_pushed_source_with_its_own_time() -> None:
    looks = [Look((10 * i + 3) * S, (Sample(POWER, 10 * i * S, 40.0),)) for i in range(3)]
    power, counter = source_facts(
        observed(*looks, is_pushed=True, has_device_time=True), now_ns=25 * S, watched_s=25.0, sampling_interval_s=1.0
    )
    assert (power.age_s, power.silence_s, power.interval_s) == (3.0, 2.0, 10.0)
    assert counter.failure == "nothing has come so far"
    assert counter.is_pushed
    assert not counter.is_broken


def test_a_source_that_fails_is_told_once() -> None:
    (facts,) = source_facts(observed(Look(S, reason="no connection")), now_ns=S, watched_s=1.0, sampling_interval_s=1.0)
    assert (facts.name, facts.failure) == ("plug", "no connection")
    wrong = Observed(SourceSettings(name="plug", kind="shely"), reason="there is no kind 'shely'")
    (facts,) = source_facts(wrong, now_ns=S, watched_s=1.0, sampling_interval_s=1.0)
    assert facts.is_broken


def test_a_reading_that_failed_is_no_value() -> None:
    looks = [Look(S, (Sample(POWER, S, math.nan), Sample(ENERGY, S, 1.0)))]
    power, counter = source_facts(observed(*looks), now_ns=S, watched_s=1.0, sampling_interval_s=1.0)
    assert power.failure == "its answers have no such reading"
    assert counter.value == "1 J"


def test_intervals_and_steps() -> None:
    def samples(*values: float) -> list[Sample]:
        return [Sample(POWER, i * S, value) for i, value in enumerate(values)]

    assert renewal_s(samples(1, 1, 1), is_pushed=False) is None
    assert renewal_s(samples(1, 1, 1), is_pushed=True) == 1.0
    assert renewal_s(samples(1, 2, 2, 2, 3, 3, 3, 4), is_pushed=False) == 3.0
    assert smallest_step([5.0, 5.0]) is None
    assert smallest_step([0.1 + 0.2, 0.3, 0.4]) == pytest.approx(0.1)
    assert smallest_step([]) is None


def test_the_folder_of_results_or_the_nearest_one(tmp_path: Path) -> None:
    facts = read_folder(tmp_path / "results" / "deep")
    assert (facts.path, facts.exists, facts.is_writable, facts.is_open_to_all) == (str(tmp_path), False, True, False)
    assert facts.free_bytes is not None
    assert facts.free_bytes > 0
    tmp_path.chmod(0o777)
    assert read_folder(tmp_path).is_open_to_all
    tmp_path.chmod(0o1777)
    assert not read_folder(tmp_path).is_open_to_all


def test_a_store_is_tried_and_leaves_nothing(tmp_path: Path) -> None:
    facts = read_embedded(tmp_path / "results")
    assert (facts.where, facts.error) == (str(tmp_path), "")
    assert facts.commit_s > 0
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_takes_no_store_says_why() -> None:
    facts = read_embedded(Path("/proc/self/results"))
    assert facts.error.startswith("/proc/self: no store can be made (")


def test_sensors(machine: Path, tmp_path: Path) -> None:
    found = read_temperature("coretemp_package_id_0", machine / "sys")
    assert found == TemperatureFacts("coretemp_package_id_0", ("coretemp_package_id_0",), 48.0)
    assert read_temperature("k10temp_tctl", machine / "sys").temperature_c is None
    (machine / "sys/class/hwmon/hwmon0/temp1_input").write_text("")
    assert read_temperature("coretemp_package_id_0", machine / "sys").temperature_c is None
    assert read_temperature("coretemp_package_id_0", tmp_path / "none").known == ()


def test_the_lock_is_tried_and_given_back(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert read_lock(path) == ""
    with MachineLock(path) as lock:
        lock.acquire()
        assert "measures on this machine" in read_lock(path)
    assert read_lock(path) == ""
