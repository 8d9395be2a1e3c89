"""Reads what else the machine is doing: two looks at its processors and processes, some seconds apart."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from terrawatt.experiment.doctor.judge_noise import BusyProcess, NoiseFacts
from terrawatt.power.cputimes import CpuTimes, open_cpu_times

LEAST_CORES = 0.01


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The machine's counters at one moment.

    Attributes:
        t_s: on the monotonic clock.
        times: of all processors; None where they cannot be read.
        processes: pid -> (name, user, its processors' time in s).
        own_s: the processors' time of this process.
        swapped_pages: in and out since the start; None where it is not told.
    """

    t_s: float
    times: CpuTimes | None
    processes: Mapping[int, tuple[str, str, float]]
    own_s: float
    swapped_pages: int | None


def take_snapshot(proc: Path = Path("/proc")) -> Snapshot:
    """The counters of now."""
    return Snapshot(time.monotonic(), _times(proc), _processes(), sum(os.times()[:4]), _swapped_pages(proc))


def noise_between(
    before: Snapshot, after: Snapshot, proc: Path = Path("/proc"), sys: Path = Path("/sys")
) -> NoiseFacts:
    """What the machine did between two looks, and how its processors are set."""
    duration_s = max(after.t_s - before.t_s, 1e-9)
    cpus = os.cpu_count() or 1
    busy_percent = steal_percent = None
    if before.times is not None and after.times is not None and (shares := after.times.shares_since(before.times)):
        own_share = (after.own_s - before.own_s) / duration_s / cpus
        busy_percent = 100 * max(0.0, shares.load - own_share)
        steal_percent = 100 * shares.steal
    swap_used_bytes = _swap_used_bytes(proc)
    return NoiseFacts(
        cpus=cpus,
        busy_percent=busy_percent,
        steal_percent=steal_percent,
        load_1min=_load(proc),
        processes=busy_processes(before, after, _own_user()),
        is_virtual=" hypervisor" in _text(proc / "cpuinfo"),
        governors=_governors(sys),
        has_turbo=_has_turbo(sys),
        swap_used_bytes=swap_used_bytes,
        is_swapping=_is_swapping(before, after),
    )


def busy_processes(before: Snapshot, after: Snapshot, own_user: str) -> tuple[BusyProcess, ...]:
    """The processes that used the processors between two looks, the busiest first; without this one."""
    duration_s = max(after.t_s - before.t_s, 1e-9)
    found = []
    for pid, (name, user, spent_s) in after.processes.items():
        since_s = before.processes[pid][2] if pid in before.processes else 0.0
        cores = (spent_s - since_s) / duration_s
        if pid != os.getpid() and cores >= LEAST_CORES:
            found.append(BusyProcess(name, pid, user, cores, is_of_others=user != own_user))
    return tuple(sorted(found, key=lambda process: process.cores, reverse=True))


def _own_user() -> str:
    return psutil.Process().username()


def _times(proc: Path) -> CpuTimes | None:
    try:
        reader = open_cpu_times(proc)
    except OSError:
        return None
    try:
        return reader.read()
    except OSError:
        return None
    finally:
        reader.close()


def _processes() -> dict[int, tuple[str, str, float]]:
    """Those that may be looked at; others end meanwhile, or are hidden."""
    found = {}
    for process in psutil.process_iter(["name", "username", "cpu_times"]):
        times = process.info["cpu_times"]
        if times is not None:
            about = process.info
            found[process.pid] = (about["name"] or "?", about["username"] or "?", times.user + times.system)
    return found


def _load(proc: Path) -> float | None:
    words = _text(proc / "loadavg").split()
    try:
        return float(words[0]) if words else os.getloadavg()[0]
    except (OSError, ValueError):
        return None


def _governors(sys: Path) -> tuple[str, ...]:
    files = sorted((sys / "devices" / "system" / "cpu").glob("cpu[0-9]*/cpufreq/scaling_governor"))
    return tuple(sorted({governor for file in files if (governor := _text(file))}))


def _has_turbo(sys: Path) -> bool | None:
    """By the drivers intel_pstate (1 switches it off) and cpufreq (1 switches it on)."""
    cpu = sys / "devices" / "system" / "cpu"
    for file, on in ((cpu / "intel_pstate" / "no_turbo", "0"), (cpu / "cpufreq" / "boost", "1")):
        if text := _text(file):
            return text == on
    return None


def _swap_used_bytes(proc: Path) -> float | None:
    sizes = {}
    for line in _text(proc / "meminfo").splitlines():
        name, _, rest = line.partition(":")
        if name in ("SwapTotal", "SwapFree") and rest.split():
            sizes[name] = 1024.0 * int(rest.split()[0])
    if len(sizes) == 2:
        return sizes["SwapTotal"] - sizes["SwapFree"]
    return None


def _swapped_pages(proc: Path) -> int | None:
    counts = [
        int(words[1])
        for line in _text(proc / "vmstat").splitlines()
        if (words := line.split()) and words[0] in ("pswpin", "pswpout")
    ]
    return sum(counts) if counts else None


def _is_swapping(before: Snapshot, after: Snapshot) -> bool | None:
    if before.swapped_pages is None or after.swapped_pages is None:
        return None
    return after.swapped_pages > before.swapped_pages


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
