"""Where numbers come from: the machine, the versions of what computed them, the state of the code.

What cannot be found out is left out. Variables of the environment are recorded by name: only those that change what
is computed, and never one that may hold a secret.
"""

import os
import platform
import shutil
import socket
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from terrawatt import __version__

_PACKAGES = ("numpy", "torch", "torchvision", "codecarbon", "psutil", "pandas", "scikit-learn")
_VARIABLES = (
    "CUDA_VISIBLE_DEVICES",
    "KMP_AFFINITY",
    "LD_PRELOAD",
    "MALLOC_ARENA_MAX",
    "MALLOC_MMAP_THRESHOLD_",
    "MALLOC_TRIM_THRESHOLD_",
    "MKL_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OMP_PROC_BIND",
    "OPENBLAS_NUM_THREADS",
    "PYTHONHASHSEED",
    "TORCH_NUM_THREADS",
)
_PROGRAM_TIMEOUT_S = 10.0


def machine() -> dict[str, Any]:
    """The machine: processor, memory, system, what may be used of it."""
    facts: dict[str, Any] = {
        "host": socket.gethostname(),
        "system": platform.platform(),
        "cpu": _cpu_model(),
        "cores": psutil.cpu_count(logical=False),
        "threads": psutil.cpu_count(),
        "usable_threads": len(os.sched_getaffinity(0)),
        "memory_bytes": psutil.virtual_memory().total,
        "swap_bytes": psutil.swap_memory().total,
        "governor": _read(Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")),
        "hypervisor": _is_virtual(),
        "gpus": _gpus(),
        "environment": {name: os.environ[name] for name in _VARIABLES if name in os.environ},
    }
    return {name: value for name, value in facts.items() if value not in (None, "", [], {})}


def versions(folder: Path) -> dict[str, str]:
    """Versions of Python, terrawatt and the packages that compute; commits.

    `commit` is that of the repository around a folder; `terrawatt_commit`, where terrawatt runs from a repository of
    its own, that one's.
    """
    found = {"python": platform.python_version(), "terrawatt": __version__}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found | _commit(folder) | _own_commit()


def _own_commit() -> dict[str, str]:
    """The commit of terrawatt itself; nothing where it is installed, though that may be inside a repository."""
    package = Path(__file__).parents[1]
    if not _output("git", "-C", str(package), "ls-files", "--error-unmatch", "__init__.py"):
        return {}
    return {f"terrawatt_{name}": commit for name, commit in _commit(package).items()}


def _commit(folder: Path) -> dict[str, str]:
    """The commit that is checked out, with `+changes` when files differ from it; nothing outside a repository."""
    commit = _output("git", "-C", str(folder), "rev-parse", "HEAD")
    if not commit:
        return {}
    changes = _output("git", "-C", str(folder), "status", "--porcelain", "--untracked-files=no")
    return {"commit": commit + ("+changes" if changes else "")}


def _cpu_model() -> str:
    for line in _read(Path("/proc/cpuinfo")).splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def _is_virtual() -> bool:
    """Whether a hypervisor runs this machine: it then has no meter or temperature of its own."""
    return " hypervisor" in _read(Path("/proc/cpuinfo"))


def _gpus() -> list[str]:
    listed = _output("nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader")
    return [line.strip() for line in listed.splitlines() if line.strip()]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _output(*command: str) -> str:
    """What a program prints; nothing where it is not installed, fails or hangs."""
    if shutil.which(command[0]) is None:
        return ""
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=_PROGRAM_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ended.stdout.strip() if ended.returncode == 0 else ""
