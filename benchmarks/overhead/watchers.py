"""Our sampler, CodeCarbon and perun at one rate, each as a tree of processes that watches until it is told to end.

The other tools are called as their documentation shows it. A tool that is not installed is told as missing.
"""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import psutil

from terrawatt.config import SamplingSettings, Settings
from terrawatt.telemetry.process import SamplerProcess

OURS = "terrawatt"
CONTROL = "a sleeping process"
_END_S = 60.0

Watcher = Callable[[float, Path], "contextmanager[psutil.Process]"]

_READY_AND_WAIT = 'print("ready", flush=True); sys.stdin.read()'
_SLEEPER = f"import sys; {_READY_AND_WAIT}"
_CODECARBON = f"""
import sys
from codecarbon import OfflineEmissionsTracker
tracker = OfflineEmissionsTracker(
    country_iso_code="FRA", measure_power_secs=float(sys.argv[1]), output_dir=".", log_level="error",
    allow_multiple_runs=True,
)
tracker.start()
{_READY_AND_WAIT}
"""


@contextmanager
def sampler(interval_s: float, folder: Path) -> Iterator[psutil.Process]:
    """Our sampler as it is without settings: all host series, and an estimate of the power."""
    before = set(psutil.Process().children())
    settings = Settings(sampling=SamplingSettings(interval_s=interval_s))
    with SamplerProcess(settings, folder / "telemetry.sqlite", folder / "log.txt") as process:
        process.start()
        (child,) = set(psutil.Process().children()) - before
        yield child


@contextmanager
def codecarbon(interval_s: float, folder: Path) -> Iterator[psutil.Process]:
    """CodeCarbon's offline tracker of the whole machine, in a process that does nothing else."""
    with _waiting([sys.executable, "-c", _CODECARBON, str(interval_s)], folder) as process:
        yield process


@contextmanager
def perun(interval_s: float, folder: Path) -> Iterator[psutil.Process]:
    """`perun monitor` of a script that does nothing."""
    (folder / "waits.py").write_text(_SLEEPER + "\n")
    command = [sys.executable, "-m", "perun", "monitor", "--sampling-period", str(interval_s), "waits.py"]
    with _waiting(command, folder) as process:
        yield process


@contextmanager
def sleeper(interval_s: float, folder: Path) -> Iterator[psutil.Process]:
    """What a process costs that does nothing."""
    with _waiting([sys.executable, "-c", _SLEEPER], folder) as process:
        yield process


def installed() -> tuple[Mapping[str, Watcher], Mapping[str, str]]:
    """Name with version -> how to start it; and name -> why it cannot be."""
    found: dict[str, Watcher] = {OURS: sampler}
    missing = {}
    for name, watcher in (("codecarbon", codecarbon), ("perun", perun)):
        if importlib.util.find_spec(name):
            found[f"{name} {version(name)}"] = watcher
        else:
            missing[name] = "not installed: pip install 'terrawatt[bench]'"
    return found | {CONTROL: sleeper}, missing


@contextmanager
def _waiting(command: list[str], folder: Path) -> Iterator[psutil.Process]:
    """A process that says that it is ready, and ends when its stdin does."""
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=dict(os.environ)
        )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        while (line := process.stdout.readline()).strip() != b"ready":
            if not line:
                raise RuntimeError(f"{command[0]} ended: {(folder / 'log.txt').read_text()[-2000:]}")
        yield psutil.Process(process.pid)
    finally:
        process.stdin.close()
        process.stdout.close()
        try:
            process.wait(_END_S)
        finally:
            process.kill()
