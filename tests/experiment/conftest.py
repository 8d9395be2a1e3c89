import io
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from terrawatt.config import Settings
from terrawatt.experiment.progress import Lines
from terrawatt.experiment.runner import Outcome, Request, run
from terrawatt.records import Scenario

# Power and CPU from what every machine has; a short protocol; no CodeCarbon but where a test is about it.
TOML = """
[experiment]
name = "flying"
results = "{folder}/results"
lock = "{folder}/lock"

[protocol]
cold_s = 0.3
idle_after_s = 0.2
warmup = 1
repetitions = 2

[sampling]
interval_s = 0.1
host = ["cpu"]

[emissions]
enabled = false
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "terrawatt.toml"
    path.write_text(TOML.format(folder=tmp_path))
    return path


@pytest.fixture
def settings(config: Path) -> Settings:
    from terrawatt.config import load

    return load(config)


class Runs:
    """Runs scenarios in this process; keeps what the user would see."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.seen = io.StringIO()

    def __call__(self, *commands: tuple[str, ...], seed: int | None = None, **options: object) -> Outcome:
        protocol = {name: options.pop(name) for name in list(options) if hasattr(self.settings.protocol, name)}
        settings = self.settings.model_copy(update={"protocol": self.settings.protocol.model_copy(update=protocol)})
        scenarios = tuple(Scenario({"command": " ".join(command)}, command, seed) for command in commands)
        return run(Request(settings, scenarios, **options), Lines(self.seen))  # type: ignore[arg-type]


@pytest.fixture
def runs(settings: Settings) -> Runs:
    return Runs(settings)


@pytest.fixture
def python() -> Callable[..., tuple[str, ...]]:
    """Makes a command that runs a small program."""
    return lambda program, *arguments: (sys.executable, "-I", "-c", program, *arguments)


@pytest.fixture
def started(config: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts `terrawatt measure` in a process of its own; ended when the test ends."""
    processes: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> "subprocess.Popen[str]":
        command = (sys.executable, "-m", "terrawatt", "measure", "--config", str(config), *arguments)
        environment = os.environ | {"TMPDIR": str(config.parent)}
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def eventually() -> Callable[[Callable[[], object], str], None]:
    """Waits until something holds; fails when it never does."""

    def wait(condition: Callable[[], object], what: str) -> None:
        for _ in range(600):
            if condition():
                return
            time.sleep(0.05)
        pytest.fail(f"never happened: {what}")

    return wait


@pytest.fixture
def is_running() -> Callable[[int], bool]:
    """Whether a process is there and no zombie."""

    def look(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
        except FileNotFoundError:
            return False

    return look
