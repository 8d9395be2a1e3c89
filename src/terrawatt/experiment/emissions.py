"""CodeCarbon's tracker seen from the runner: one child process for a whole run, started before its cold period.

A tracker that fails never ends a run: the repetition's file is then missing, with a reason.
"""

import csv
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, cast

from terrawatt.config import EmissionsSettings
from terrawatt.errors import ConfigError
from terrawatt.experiment.logtail import last_lines
from terrawatt.runs.atomic import write_bytes

# -P: modules lie in the installed packages, never in the folder where the user happens to be.
_COMMAND = (sys.executable, "-P", "-m", "terrawatt.experiment.emissions_process")
_START_TIMEOUT_S = 60.0
_ANSWER_TIMEOUT_S = 20.0
_END_TIMEOUT_S = 5.0


class EmissionsTracker:
    """Tracks the emissions of one window after the other; a context manager."""

    def __init__(self, settings: EmissionsSettings, project: str, scratch: Path) -> None:
        """Prepare; nothing is started yet.

        Args:
            settings: country, interval, carbon intensity; with `enabled = false` nothing is ever started.
            project: the name of the experiment.
            scratch: a folder for CodeCarbon's files until they are complete.
        """
        self._settings = settings
        self._project = project
        self._folder = scratch / "emissions"
        self._process: subprocess.Popen[bytes] | None = None
        self._failure = "" if settings.enabled else "emissions.enabled is false"
        self._started_at = 0  # what stands in its log before is no reason why it fails later
        self._version = ""
        self._country_name = ""
        self._g_per_kwh = ""

    def __enter__(self) -> Self:
        """Start the process; returns when CodeCarbon knows the machine.

        Raises:
            ConfigError: CodeCarbon does not know the country.
        """
        if self._settings.enabled:
            self._folder.mkdir()
            self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    @property
    def enabled(self) -> bool:
        """Whether the settings ask for it."""
        return self._settings.enabled

    def description(self) -> dict[str, Any]:
        """What the manifest says of it."""
        intensity = self._intensity()
        if not self._settings.enabled:
            return {"enabled": False, "intensity": intensity}
        return {
            "enabled": True,
            "tool": f"codecarbon {self._version}".strip(),
            "country": self._settings.country,
            "country_name": self._country_name,
            "interval_s": self._settings.interval_s,
            "tracking": "machine",
            "intensity": intensity,
        }

    def _intensity(self) -> dict[str, Any]:
        """The carbon intensity for what the sources measure: as the settings say, else that of CodeCarbon."""
        given, u_percent = self._settings.intensity, self._settings.intensity_uncertainty_percent
        if isinstance(given, float):
            return {"g_per_kwh": given, "u_percent": u_percent, "origin": "emissions.intensity"}
        if given:
            return {"file": str(Path(given).absolute()), "u_percent": u_percent, "origin": "emissions.intensity"}
        if self._g_per_kwh:
            origin = f"{self._settings.country} by codecarbon {self._version}"
            number = float(self._g_per_kwh)
            return {"g_per_kwh": number, "u_percent": u_percent, "origin": origin, "is_yearly_mean": True}
        return {"missing": f"no carbon intensity is known: {self._failure or 'CodeCarbon told none'}"}

    def start(self) -> None:
        """Begin to track. After a failure nothing happens."""
        if not self._failure:
            self._file.unlink(missing_ok=True)
            self._ask({"start": self._file.name}, _ANSWER_TIMEOUT_S)

    def stop(self, target: Path) -> str:
        """End tracking and put CodeCarbon's file in its place.

        Returns:
            Why there is none, in one line; empty when there is.
        """
        if not self._failure:
            self._ask({"stop": True}, _ANSWER_TIMEOUT_S)
        if self._failure:
            return self._failure
        if (rows := _count_rows(self._file)) != 1:
            return f"CodeCarbon wrote {rows} rows instead of one"
        write_bytes(target, self._file.read_bytes())
        return ""

    @property
    def _file(self) -> Path:
        return self._folder / "emissions.csv"

    @property
    def _log(self) -> Path:
        return self._folder / "log.txt"

    def _start(self) -> None:
        with self._log.open("wb") as log:
            # A session of its own: Ctrl-C in the terminal must not end it before the repetition has ended.
            self._process = subprocess.Popen(
                _COMMAND,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=self._folder,
                start_new_session=True,
            )
        settings = self._settings
        options = {"country": settings.country, "interval_s": settings.interval_s, "project": self._project}
        answer = self._ask(options, _START_TIMEOUT_S)
        self._started_at = self._log.stat().st_size if answer else 0
        self._version = answer.get("version", "")
        self._country_name = answer.get("country_name", "")
        self._g_per_kwh = answer.get("g_per_kwh", "")
        if answer and not self._country_name:
            self._end()
            raise ConfigError(
                f"emissions.country: CodeCarbon knows no country {settings.country}; give an ISO 3166 code of three "
                "letters, e.g. FRA"
            )

    def _ask(self, request: Mapping[str, Any], timeout_s: float) -> dict[str, str]:
        """Send a request and wait for its answer; without one, the failure is noted and nothing is returned."""
        process = cast("subprocess.Popen[bytes]", self._process)
        stdin, stdout = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
        try:
            stdin.write(json.dumps(request).encode() + b"\n")
            stdin.flush()
            answer: dict[str, str] = json.loads(_read_line(stdout.fileno(), timeout_s))
        except (BrokenPipeError, EOFError):
            self._fail("CodeCarbon's process has ended")
        except TimeoutError:
            self._fail(f"CodeCarbon gave no answer in {timeout_s:g} s")
        else:
            return answer
        return {}

    def _fail(self, reason: str) -> None:
        self._end()
        last = next(iter(last_lines(self._log, 1, self._started_at)), "")
        self._failure = f"{reason}: {last}" if last else reason

    def _end(self) -> None:
        """Close its stdin, which tells it to end; force it when it does not. Idempotent."""
        if self._process is None:
            return
        with suppress(BrokenPipeError):
            cast("IO[bytes]", self._process.stdin).close()
        try:
            self._process.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        cast("IO[bytes]", self._process.stdout).close()


def _read_line(descriptor: int, timeout_s: float) -> bytes:
    """One line from a pipe.

    Raises:
        TimeoutError: it did not come in time.
        EOFError: the pipe was closed.
    """
    line = b""
    deadline_s = time.monotonic() + timeout_s
    while not line.endswith(b"\n"):
        if not select.select([descriptor], [], [], max(deadline_s - time.monotonic(), 0.0))[0]:
            raise TimeoutError
        if not (part := os.read(descriptor, 65_536)):
            raise EOFError
        line += part
    return line


def _count_rows(file: Path) -> int:
    """The rows of a CSV file without its header; 0 where there is no file."""
    if not file.exists():
        return 0
    with file.open(encoding="utf-8", newline="") as lines:
        return sum(1 for _ in csv.DictReader(lines))
